"""``executionReport`` in every variant and ``listStatus`` (``user-data-stream.md``, "Order Update")."""

from __future__ import annotations

import json

import pytest

from cryptotrader.core.orders import (
    ExecutionType,
    ListOrderStatus,
    ListStatusType,
    OrderStatus,
    OrderType,
    PegOffsetType,
    PegPriceType,
    TimeInForce,
)
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.exchange.engine.events import ListUpdate, UserEvent
from cryptotrader.exchange.engine.order_lists import ListKind
from cryptotrader.exchange.engine.orders import Amendment, Order, Peg, Stop
from cryptotrader.exchange.protocol.user_data import render_user_event
from tests.support.orders import TIME_MS, a_fill, a_list, a_match, an_order, an_update, waiting

ALWAYS = set("eEscSofqpPFgCxXrilzLnNTtIwmMOZYQV")
"""Fields of every report; ``W`` comes with every order that works."""


def told(event: UserEvent, unit: int = 1) -> dict[str, object]:
    message = json.loads(render_user_event(event, event_ms=TIME_MS + 1, unit=unit))
    assert isinstance(message, dict)
    return message


KINDS: list[tuple[Order, dict[str, object]]] = [
    (an_order(), {"W": TIME_MS}),
    (an_order(strategy_id=1, strategy_type=1000000), {"W": TIME_MS, "j": 1, "J": 1000000}),
    (waiting(type=OrderType.STOP_LOSS, stop=Stop(trailing_delta=4)), {"d": 4}),
    (
        waiting(type=OrderType.STOP_LOSS, stop=Stop(trailing_delta=4), trailing_ms=TIME_MS - 9),
        {"d": 4, "D": TIME_MS - 9},
    ),
    (an_order(use_sor=True), {"W": TIME_MS, "k": "EXCHANGE", "uS": True}),
    (an_order(use_sor=True, working_floor="SOR"), {"W": TIME_MS, "k": "SOR", "uS": True}),
    (
        an_order(peg=Peg(PegPriceType.PRIMARY_PEG, PegOffsetType.PRICE_LEVEL, 5)),
        {"W": TIME_MS, "gP": "PRIMARY_PEG", "gOT": "PRICE_LEVEL", "gOV": 5, "gp": "31000.00000000"},
    ),
    (waiting(type=OrderType.STOP_LOSS_LIMIT, peg=Peg(PegPriceType.MARKET_PEG), price=0), {"gP": "MARKET_PEG"}),
]


@pytest.mark.parametrize(("order", "fields"), KINDS)
def test_what_kind_of_order_it_is_decides_on_its_fields(order: Order, fields: dict[str, object]) -> None:
    message = told(an_update(order, ExecutionType.NEW))
    assert message.keys() == ALWAYS | fields.keys()
    assert {name: message[name] for name in fields} == fields


def test_a_stop_shows_its_price_and_is_not_on_the_book_before_it_is_triggered() -> None:
    stop = Stop(price=parse_scaled("29000"))
    message = told(an_update(waiting(type=OrderType.STOP_LOSS_LIMIT, stop=stop), ExecutionType.NEW))
    assert (message["P"], message["p"], message["w"]) == ("29000.00000000", "31000.00000000", False)
    triggered = told(an_update(an_order(type=OrderType.STOP_LOSS_LIMIT, stop=stop), ExecutionType.NEW))
    assert (triggered["P"], triggered["w"], triggered["W"]) == ("29000.00000000", True, TIME_MS)


def test_an_order_that_pends_in_a_list_is_not_on_the_book() -> None:
    message = told(an_update(waiting(status=OrderStatus.PENDING_NEW, order_list_id=2), ExecutionType.NEW))
    assert (message["X"], message["g"], message["w"]) == ("PENDING_NEW", 2, False)


def test_an_iceberg_shows_how_much_of_it_is_seen() -> None:
    assert told(an_update(an_order(iceberg_qty=SCALE // 10), ExecutionType.NEW))["F"] == "0.10000000"


def test_an_allocation_is_a_trade_without_a_trade_id() -> None:
    """``b`` and ``a``: "Appears for orders that have allocations"."""
    fill = a_fill(trade_id=-1, allocation_id=1234)
    order = an_order(use_sor=True, working_floor="SOR", executed=SCALE // 2, status=OrderStatus.PARTIALLY_FILLED)
    message = told(an_update(order, ExecutionType.TRADE, fill=fill))
    assert (message["t"], message["b"], message["a"], message["k"]) == (-1, "ONE_PARTY_TRADE_REPORT", 1234, "SOR")


def prevention(order_id: int, **changes: object) -> dict[str, object]:
    order = an_order(
        order_id=order_id,
        status=OrderStatus.EXPIRED_IN_MATCH,
        prevented_qty=parse_scaled("3"),
        prevented_match_id=3,
        self_trade_prevention_mode="EXPIRE_TAKER",
    )
    update = an_update(
        order, ExecutionType.TRADE_PREVENTION, prevented=a_match(maker_symbol="BTCUSDC"), last_prevented_qty=SCALE
    )
    return told(update)


def test_a_prevented_trade_tells_what_was_prevented_and_with_whom() -> None:
    """``A`` over the order's life, ``B`` this time; ``pl`` at ``pL`` would have traded (``faqs/stp_faq.md``)."""
    taker = prevention(28)
    fields = {
        "v": 3,
        "A": "3.00000000",
        "B": "1.00000000",
        "u": -1,
        "U": 10,
        "Cs": "BTCUSDC",
        "pl": "0.40000000",
        "pL": "30500.00000000",
        "pY": "12200.00000000",
    }
    assert taker.keys() == ALWAYS | fields.keys() | {"W"}
    assert {name: taker[name] for name in fields} == fields
    assert (taker["x"], taker["X"], taker["l"], taker["t"]) == (
        "TRADE_PREVENTION",
        "EXPIRED_IN_MATCH",
        "0.00000000",
        -1,
    )
    maker = prevention(10)
    assert (maker["U"], maker["Cs"]) == (28, "BTCUSDT")


def test_an_order_that_lost_something_to_prevention_says_so_ever_after() -> None:
    order = an_order(prevented_qty=SCALE, prevented_match_id=3, executed=SCALE // 2)
    message = told(an_update(order, ExecutionType.TRADE, fill=a_fill()))
    assert (message["A"], message["v"]) == ("1.00000000", 3)
    assert not {"B", "U", "Cs", "pl"} & message.keys()


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (an_order(expiry_reason="OTO_PHASE_ONE_EXPIRED"), "OTO_PHASE_ONE_EXPIRED"),
        (an_order(time_in_force=TimeInForce.IOC), "UNFILLED_IOC_QUANTITY_EXPIRED"),
        (an_order(time_in_force=TimeInForce.FOK), "UNFILLED_FOK_ORDER_EXPIRED"),
        (an_order(type=OrderType.MARKET), "INSUFFICIENT_LIQUIDITY"),
    ],
)
def test_an_order_that_expired_says_why(order: Order, reason: str) -> None:
    """``eR``: "Appears when the order has expired"."""
    order.status = OrderStatus.EXPIRED
    assert told(an_update(order, ExecutionType.EXPIRED))["eR"] == reason


def test_an_amended_order_names_itself_anew() -> None:
    """``x`` is ``REPLACED``; ``C`` is what it was called before."""
    amendment = Amendment(
        account="a", symbol="BTCUSDT", order_id=28, execution_id=1, orig_client_order_id="before",
        new_client_order_id="mine", orig_qty=SCALE, new_qty=SCALE // 2, time_ms=TIME_MS,
    )  # fmt: skip
    message = told(an_update(an_order(qty=SCALE // 2), ExecutionType.REPLACED, amendment=amendment))
    assert (message["x"], message["c"], message["C"], message["q"]) == ("REPLACED", "mine", "before", "0.50000000")


@pytest.mark.parametrize(
    ("status_type", "order_status"),
    [
        (ListStatusType.EXEC_STARTED, ListOrderStatus.EXECUTING),
        (ListStatusType.UPDATED, ListOrderStatus.EXECUTING),
        (ListStatusType.ALL_DONE, ListOrderStatus.ALL_DONE),
        (ListStatusType.RESPONSE, ListOrderStatus.REJECT),
    ],
)
def test_a_list_tells_where_it_stands(status_type: ListStatusType, order_status: ListOrderStatus) -> None:
    of = a_list(kind=ListKind.OTOCO, status_type=status_type, order_status=order_status)
    assert told(ListUpdate(of, TIME_MS)) == {
        "e": "listStatus",
        "E": TIME_MS + 1,
        "s": "BTCUSDT",
        "g": 1929,
        "c": "OTO",
        "l": status_type,
        "L": order_status,
        "r": "NONE",
        "C": "the-list",
        "T": TIME_MS,
        "O": [{"s": "BTCUSDT", "i": 20, "c": "above"}, {"s": "BTCUSDT", "i": 21, "c": "below"}],
    }


def test_every_time_is_told_in_microseconds_where_they_are_wanted() -> None:
    order = waiting(type=OrderType.STOP_LOSS, stop=Stop(trailing_delta=4), trailing_ms=TIME_MS)
    message = told(an_update(order, ExecutionType.NEW), unit=1_000)
    assert (message["D"], message["T"], message["O"]) == (TIME_MS * 1_000,) * 3
    assert message["E"] == (TIME_MS + 1) * 1_000
    assert told(an_update(an_order(), ExecutionType.NEW), unit=1_000)["W"] == TIME_MS * 1_000
    assert told(ListUpdate(a_list(), TIME_MS), unit=1_000)["T"] == TIME_MS * 1_000
