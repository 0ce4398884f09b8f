"""What source 0's streams send fits the structs, and the AsyncAPI schemas, that describe it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cryptotrader.core.events import DepthDiff
from cryptotrader.core.orders import (
    ExecutionType,
    OrderStatus,
    OrderType,
    PegOffsetType,
    PegPriceType,
)
from cryptotrader.core.scaled import SCALE
from cryptotrader.dialects.gateway_description import PROTOCOL
from cryptotrader.dialects.gateway_streams import (
    DepthMessage,
    ErrorMessage,
    TickerMessage,
    encode_depth,
    encode_error,
    encode_snapshot,
    encode_ticker,
)
from cryptotrader.dialects.gateway_user_stream import AccountPosition, BalanceUpdate, ExecutionReport, ListStatus
from cryptotrader.exchange.engine.events import BalanceAdjusted, BalancesChanged, ListUpdate, UserEvent
from cryptotrader.exchange.engine.orders import Peg, Stop
from cryptotrader.exchange.protocol.user_data import render_user_event
from cryptotrader.feeds.reports import account_position, missed_reports
from cryptotrader.feeds.user_memory import KnownOrder
from cryptotrader.gateway.asyncapi.document import build
from cryptotrader.services.binance.models.orders import OrderReport
from tests.support.asyncapi import payload_validator
from tests.support.orders import a_fill, a_list, a_match, an_order, an_update, waiting
from tests.support.streams import ticker

DOCUMENT = build([PROTOCOL], version="1.0.0")

CHANGE = DepthDiff("BTCUSDT", 157, 160, ((90 * SCALE, 0),), ((100 * SCALE, SCALE),), event_ms=5)

ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "orderId": 17,
    "orderListId": -1,
    "clientOrderId": "mine",
    "price": "45000.00000000",
    "origQty": "0.01000000",
    "executedQty": "0.00000000",
    "cummulativeQuoteQty": "0.00000000",
    "status": "CANCELED",
    "timeInForce": "GTC",
    "type": "LIMIT",
    "side": "BUY",
    "stopPrice": "0.00000000",
    "icebergQty": "0.00000000",
    "time": 5,
    "updateTime": 6,
    "isWorking": True,
    "workingTime": 5,
    "origQuoteOrderQty": "0.00000000",
    "selfTradePreventionMode": "NONE",
}


def check(payload: bytes, kind: type[msgspec.Struct]) -> None:
    """Strictly: the right types, every field described, nothing lost on the way through the struct."""
    msgspec.json.decode(payload, type=kind, strict=True)
    payload_validator(DOCUMENT, f"streams.{kind.__name__}").validate(msgspec.json.decode(payload))


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        (encode_ticker(ticker()), TickerMessage),
        (encode_depth(CHANGE, (89 * SCALE, SCALE), (100 * SCALE, SCALE)), DepthMessage),
        (encode_depth(CHANGE, None, None), DepthMessage),
        (
            encode_snapshot("BTCUSDT", last_id=9, bids=[(SCALE, SCALE)], asks=[(2 * SCALE, SCALE)], event_ms=5),
            DepthMessage,
        ),
        (encode_error("This stream takes no messages", 400), ErrorMessage),
    ],
)
def test_what_is_sent_fits_its_struct_and_its_schema(payload: bytes, kind: type[msgspec.Struct]) -> None:
    """S0-40 to S0-43, S0-56."""
    check(payload, kind)
    assert msgspec.json.encode(msgspec.json.decode(payload, type=kind)) == payload


def test_a_depth_message_takes_no_field_that_is_missing_and_no_number_for_a_text() -> None:
    """S0-41: the struct is strict, or it would prove nothing."""
    good = msgspec.json.decode(encode_depth(CHANGE, None, None))
    for name in good:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({key: value for key, value in good.items() if key != name}, DepthMessage)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**good, "b": [[1.5, "1"]]}, DepthMessage)


def test_events_that_were_recovered_fit_too() -> None:
    """S0-46, S0-47: those that the gateway makes itself, with its mark."""
    order = msgspec.convert(ORDER, OrderReport)
    events = missed_reports(order, [], known=KnownOrder("BTCUSDT", 17), is_new=True, now_ms=9)
    assert [event["x"] for event in events] == ["NEW", "CANCELED"]
    for event in events:
        check(msgspec.json.encode(event), ExecutionReport)
    balances = account_position({"BTC": ("1.00000000", "0.00000000")}, update_ms=8, now_ms=9)
    check(msgspec.json.encode(balances), AccountPosition)


ENDED = an_order(
    status=OrderStatus.EXPIRED_IN_MATCH,
    prevented_qty=SCALE,
    prevented_match_id=3,
    self_trade_prevention_mode="EXPIRE_TAKER",
)

VENUE_EVENTS: list[tuple[UserEvent, type[msgspec.Struct]]] = [
    (an_update(an_order(strategy_id=1, strategy_type=1_000_000), ExecutionType.NEW), ExecutionReport),
    (an_update(an_order(iceberg_qty=SCALE), ExecutionType.TRADE, fill=a_fill()), ExecutionReport),
    (
        an_update(
            an_order(use_sor=True, working_floor="SOR"),
            ExecutionType.TRADE,
            fill=a_fill(trade_id=-1, allocation_id=1234),
        ),
        ExecutionReport,
    ),
    (
        an_update(waiting(type=OrderType.STOP_LOSS, stop=Stop(trailing_delta=4), trailing_ms=5), ExecutionType.NEW),
        ExecutionReport,
    ),
    (
        an_update(an_order(peg=Peg(PegPriceType.PRIMARY_PEG, PegOffsetType.PRICE_LEVEL, 5)), ExecutionType.NEW),
        ExecutionReport,
    ),
    (
        an_update(
            ENDED,
            ExecutionType.TRADE_PREVENTION,
            prevented=a_match(maker_symbol="BTCUSDC"),
            last_prevented_qty=SCALE,
        ),
        ExecutionReport,
    ),
    (an_update(an_order(status=OrderStatus.EXPIRED, type=OrderType.MARKET), ExecutionType.EXPIRED), ExecutionReport),
    (BalancesChanged("a", (("BTC", SCALE, 0),), 5), AccountPosition),
    (BalanceAdjusted("a", "BTC", SCALE, 5), BalanceUpdate),
]


@pytest.mark.parametrize(("event", "kind"), VENUE_EVENTS)
def test_every_variant_of_a_venues_event_fits(event: UserEvent, kind: type[msgspec.Struct]) -> None:
    """S0-46, S0-47: they are passed on as they come, so the description must have room for every field."""
    check(render_user_event(event, event_ms=9), kind)


def test_an_order_lists_event_fits() -> None:
    """S0-47's neighbour."""
    told = ListUpdate(a_list(), 5)
    check(render_user_event(told, event_ms=9), ListStatus)
