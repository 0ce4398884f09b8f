"""User data events have the shapes of ``user-data-stream.md`` (S0-46, S0-47)."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from cryptotrader.core.orders import ExecutionType, OrderStatus, OrderType, Side, TimeInForce
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.exchange.engine.events import BalanceAdjusted, BalancesChanged, OrderUpdate
from cryptotrader.exchange.engine.orders import Fill, Order
from cryptotrader.exchange.protocol.user_data import (
    enveloped,
    listen_key_expired,
    render_user_event,
    stream_terminated,
)

FIXTURES = Path(__file__).resolve().parents[5] / "shared/data/message-fixtures"


def order(**changes: object) -> Order:
    fields: dict[str, object] = {
        "order_id": 4293153,
        "client_order_id": "mUvoqJxFIILMdfAW5iGSOW",
        "account": "a",
        "symbol": "ETHBTC",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "price": parse_scaled("0.10264410"),
        "qty": SCALE,
        "time_ms": 1499405658657,
        "update_ms": 1499405658657,
        "working_ms": 1499405658657,
    }
    return Order(**(fields | changes))  # type: ignore[arg-type]


def update(of: Order, execution: ExecutionType, **changes: object) -> OrderUpdate:
    fields: dict[str, object] = {
        "order": of,
        "execution": execution,
        "execution_id": 8641984,
        "time_ms": 1499405658657,
        "client_order_id": of.client_order_id,
    }
    return OrderUpdate(**(fields | changes))  # type: ignore[arg-type]


def rendered(
    event: OrderUpdate | BalancesChanged | BalanceAdjusted, event_ms: int = 1499405658658
) -> dict[str, object]:
    message = json.loads(render_user_event(event, event_ms=event_ms))
    assert isinstance(message, dict)
    return message


FILL = Fill(
    trade_id=77,
    order_id=4293153,
    account="a",
    symbol="ETHBTC",
    price=parse_scaled("0.1"),
    qty=SCALE // 2,
    quote_qty=parse_scaled("0.05"),
    commission=parse_scaled("0.0005"),
    commission_asset="ETH",
    is_maker=True,
    is_buyer=True,
    time_ms=1499405658657,
)


def test_a_new_order_is_told_exactly_as_in_the_document() -> None:
    """S0-46"""
    message = json.loads(enveloped(render_user_event(update(order(), ExecutionType.NEW), event_ms=1499405658658), 0))
    fixture = FIXTURES / "binance/spot__user_data_json__execution_report_wrapped.json"
    if not fixture.exists():
        pytest.skip("needs ../shared/data/message-fixtures beside the checkout")
    expected = json.loads(fixture.read_text())
    assert message == expected
    assert list(message["event"]) == list(expected["event"])


def test_a_partial_fill_tells_price_quantity_commission_and_side_of_the_trade() -> None:
    """S0-46: X goes NEW -> PARTIALLY_FILLED -> FILLED."""
    filled = order(executed=SCALE // 2, quote_executed=parse_scaled("0.05"), status=OrderStatus.PARTIALLY_FILLED)
    message = rendered(update(filled, ExecutionType.TRADE, fill=FILL))
    expected = {
        "x": "TRADE",
        "X": "PARTIALLY_FILLED",
        "l": "0.50000000",
        "z": "0.50000000",
        "L": "0.10000000",
        "n": "0.00050000",
        "N": "ETH",
        "t": 77,
        "w": True,
        "m": True,
        "M": True,
        "Z": "0.05000000",
        "Y": "0.05000000",
    }
    assert {key: message[key] for key in expected} == expected
    assert "eR" not in message


def test_a_cancel_names_itself_and_the_order_that_it_cancelled() -> None:
    cancelled = update(
        order(status=OrderStatus.CANCELED),
        ExecutionType.CANCELED,
        client_order_id="the-cancel",
        orig_client_order_id="mUvoqJxFIILMdfAW5iGSOW",
    )
    message = rendered(cancelled)
    assert (message["c"], message["C"], message["X"], message["w"]) == (
        "the-cancel",
        "mUvoqJxFIILMdfAW5iGSOW",
        "CANCELED",
        False,
    )
    assert (message["n"], message["N"], message["t"]) == ("0", None, -1)


@pytest.mark.parametrize(
    ("time_in_force", "reason"),
    [
        (TimeInForce.IOC, "UNFILLED_IOC_QUANTITY_EXPIRED"),
        (TimeInForce.FOK, "UNFILLED_FOK_ORDER_EXPIRED"),
        (TimeInForce.GTC, "INSUFFICIENT_LIQUIDITY"),
    ],
)
def test_an_expired_order_says_why(time_in_force: TimeInForce, reason: str) -> None:
    expired = order(status=OrderStatus.EXPIRED, time_in_force=time_in_force)
    message = rendered(update(expired, ExecutionType.EXPIRED))
    assert (message["eR"], message["r"]) == (reason, "NONE")
    refused = msgspec.structs.replace(expired, expiry_reason="REJECTED")
    message = rendered(update(refused, ExecutionType.EXPIRED, reason="INSUFFICIENT_BALANCES"))
    assert (message["eR"], message["r"]) == ("REJECTED", "INSUFFICIENT_BALANCES")


def test_a_rejected_order_carries_the_reason_and_no_working_time() -> None:
    rejected = order(status=OrderStatus.REJECTED, working_ms=-1)
    message = rendered(update(rejected, ExecutionType.REJECTED, reason="WOULD_MATCH_IMMEDIATELY"))
    assert message["r"] == "WOULD_MATCH_IMMEDIATELY"
    assert "W" not in message


def test_strategy_fields_appear_where_the_order_has_them() -> None:
    message = rendered(update(order(strategy_id=1, strategy_type=1_000_000), ExecutionType.NEW))
    assert (message["j"], message["J"]) == (1, 1_000_000)


def test_balances_are_told_as_free_and_locked() -> None:
    """S0-47"""
    event = BalancesChanged("a", (("ETH", 10_000 * SCALE, 0), ("BTC", SCALE, SCALE)), 1564034571073)
    assert rendered(event, 1564034571105) == {
        "e": "outboundAccountPosition",
        "E": 1564034571105,
        "u": 1564034571073,
        "B": [
            {"a": "ETH", "f": "10000.00000000", "l": "0.00000000"},
            {"a": "BTC", "f": "1.00000000", "l": "1.00000000"},
        ],
    }


def test_a_deposit_is_told_as_a_delta() -> None:
    event = BalanceAdjusted("a", "BTC", 100 * SCALE, 1573200697068)
    assert rendered(event, 1573200697110) == {
        "e": "balanceUpdate",
        "E": 1573200697110,
        "a": "BTC",
        "d": "100.00000000",
        "T": 1573200697068,
    }


def test_microseconds_reach_every_time() -> None:
    message = json.loads(render_user_event(update(order(), ExecutionType.NEW), event_ms=1, unit=1000))
    assert (message["E"], message["T"], message["O"], message["W"]) == (
        1_000,
        1499405658657000,
        1499405658657000,
        1499405658657000,
    )


def test_the_end_of_a_stream_is_told() -> None:
    assert json.loads(listen_key_expired("k" * 64, event_ms=5)) == {
        "e": "listenKeyExpired",
        "E": 5,
        "listenKey": "k" * 64,
    }
    assert json.loads(enveloped(stream_terminated(event_ms=5), 3)) == {
        "subscriptionId": 3,
        "event": {"e": "eventStreamTerminated", "E": 5},
    }
    assert json.loads(enveloped(b"{}", None)) == {"event": {}}
