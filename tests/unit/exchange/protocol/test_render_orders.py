"""Answers about orders and lists have the shapes of ``rest-api.md``, each conditional field where its condition holds.

Fields by kind: "Conditional fields in Order Responses"; examples: ``faqs/stp_faq.md``, ``sor_faq.md``,
``pegged_orders.md``, ``trailing-stop-faq.md``, ``order_amend_keep_priority.md``.
"""

from __future__ import annotations

import pytest

from cryptotrader.core.orders import (
    ListOrderStatus,
    ListStatusType,
    OrderStatus,
    OrderType,
    PegOffsetType,
    PegPriceType,
)
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.exchange.engine.order_lists import ListKind
from cryptotrader.exchange.engine.orders import Amendment, Order, Peg, Stop
from cryptotrader.exchange.protocol import render
from cryptotrader.exchange.protocol.time_unit import answer_in_micros
from tests.support.orders import TIME_MS, a_fill, a_list, a_match, an_order, waiting

ACK = ["symbol", "orderId", "orderListId", "clientOrderId", "transactTime"]
AMOUNTS = [
    "price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty", "status", "timeInForce", "type",
    "side",
]  # fmt: skip
RESULT = [*ACK, *AMOUNTS, "workingTime", "selfTradePreventionMode"]
REPORT = [
    *ACK[:4], *AMOUNTS, "stopPrice", "icebergQty", "time", "updateTime", "isWorking", "workingTime",
    "selfTradePreventionMode",
]  # fmt: skip
CANCELLED = ["symbol", "origClientOrderId", *ACK[1:], *AMOUNTS, "selfTradePreventionMode"]

TRAILING = Stop(price=parse_scaled("29000"), trailing_delta=250)
PRIMARY = Peg(PegPriceType.PRIMARY_PEG)

CONDITIONS: list[tuple[Order, dict[str, object]]] = [
    (an_order(iceberg_qty=SCALE // 10), {"icebergQty": "0.10000000"}),
    (an_order(prevented_qty=SCALE, prevented_match_id=0), {"preventedMatchId": 0, "preventedQuantity": "1.00000000"}),
    (waiting(type=OrderType.STOP_LOSS, stop=Stop(price=parse_scaled("23500"))), {"stopPrice": "23500.00000000"}),
    (
        waiting(type=OrderType.STOP_LOSS, stop=TRAILING),
        {"stopPrice": "29000.00000000", "trailingDelta": 250, "trailingTime": -1},
    ),
    (
        waiting(type=OrderType.TAKE_PROFIT, stop=Stop(trailing_delta=10), trailing_ms=TIME_MS + 1),
        {"stopPrice": "0.00000000", "trailingDelta": 10, "trailingTime": TIME_MS + 1},
    ),
    (an_order(strategy_id=37463720, strategy_type=1000000), {"strategyId": 37463720, "strategyType": 1000000}),
    (an_order(use_sor=True), {"usedSor": True, "workingFloor": "EXCHANGE"}),
    (an_order(use_sor=True, working_floor="SOR"), {"usedSor": True, "workingFloor": "SOR"}),
    (waiting(type=OrderType.STOP_LOSS_LIMIT, peg=PRIMARY, price=0), {"pegPriceType": "PRIMARY_PEG"}),
    (an_order(peg=PRIMARY), {"pegPriceType": "PRIMARY_PEG", "peggedPrice": "31000.00000000"}),
    (
        an_order(peg=Peg(PegPriceType.MARKET_PEG, PegOffsetType.PRICE_LEVEL, 5)),
        {
            "pegPriceType": "MARKET_PEG",
            "pegOffsetType": "PRICE_LEVEL",
            "pegOffsetValue": 5,
            "peggedPrice": "31000.00000000",
        },
    ),
    (
        an_order(status=OrderStatus.EXPIRED, expiry_reason="OCO_TRIGGER"),
        {"expiryReason": "OCO_TRIGGER"},
    ),
]


def test_a_plain_order_has_the_fields_of_the_document_and_no_other() -> None:
    plain = an_order()
    assert list(render.order_ack(plain)) == ACK
    assert list(render.order_result(plain)) == RESULT
    assert list(render.order_full(plain)) == [*RESULT, "fills"]
    assert list(render.order_report(plain)) == REPORT
    assert list(render.cancelled_order(plain)) == CANCELLED


@pytest.mark.parametrize(("order", "fields"), CONDITIONS)
def test_a_conditional_field_comes_under_its_condition(order: Order, fields: dict[str, object]) -> None:
    for told, usual in (
        (render.order_result(order), RESULT),
        (render.order_report(order), REPORT),
        (render.cancelled_order(order), CANCELLED),
    ):
        assert {name: told[name] for name in fields} == fields
        assert told.keys() == {*usual, *fields}


def test_a_pegged_order_tells_the_price_that_it_was_sent_with() -> None:
    """``price`` is zero where none was sent (``pegged_orders.md``)."""
    assert render.order_result(an_order(peg=PRIMARY))["price"] == "0.00000000"
    sent = Peg(PegPriceType.PRIMARY_PEG, price=parse_scaled("32000"))
    assert render.order_result(an_order(peg=sent))["price"] == "32000.00000000"


def test_an_order_that_waits_does_not_work() -> None:
    told = render.order_report(waiting(type=OrderType.STOP_LOSS, stop=Stop(price=SCALE)))
    assert (told["isWorking"], told["workingTime"]) == (False, -1)


@pytest.mark.parametrize("of", [waiting(), an_order(working_ms=0)])
def test_a_time_that_there_is_not_is_minus_one_in_every_unit(of: Order) -> None:
    told = answer_in_micros("order.status", render.order_report(of))
    assert isinstance(told, dict)
    assert told["workingTime"] == -1
    assert told["time"] == TIME_MS * 1_000


def test_every_time_of_an_order_and_of_a_list_is_told_in_the_unit_that_is_wanted() -> None:
    trailing = waiting(type=OrderType.STOP_LOSS, stop=TRAILING, trailing_ms=TIME_MS)
    listed = render.placed_list(a_list(), [render.order_result(trailing)])
    told = answer_in_micros("orderList.place.oco", listed)
    assert isinstance(told, dict)
    assert told["transactionTime"] == TIME_MS * 1_000
    assert told["orderReports"][0]["trailingTime"] == told["orderReports"][0]["transactTime"] == TIME_MS * 1_000


def test_an_allocation_is_told_as_a_fill_without_a_trade() -> None:
    """``faqs/sor_faq.md``, example 1."""
    order = an_order(fills=(a_fill(trade_id=-1, allocation_id=0), a_fill()), use_sor=True, working_floor="SOR")
    fills = render.order_full(order)["fills"]
    assert fills == [
        {
            "matchType": "ONE_PARTY_TRADE_REPORT",
            "price": "30000.00000000",
            "qty": "0.50000000",
            "commission": "0.00050000",
            "commissionAsset": "BTC",
            "tradeId": -1,
            "allocId": 0,
        },
        {
            "price": "30000.00000000",
            "qty": "0.50000000",
            "commission": "0.00050000",
            "commissionAsset": "BTC",
            "tradeId": 56,
        },
    ]
    row = render.allocation(a_fill(trade_id=-1, allocation_id=7), 5)
    assert list(row) == [
        "symbol", "allocationId", "allocationType", "orderId", "orderListId", "price", "qty", "quoteQty",
        "commission", "commissionAsset", "time", "isBuyer", "isMaker", "isAllocator",
    ]  # fmt: skip
    assert (row["allocationId"], row["allocationType"], row["orderListId"]) == (7, "SOR", 5)


def test_prevented_matches_show_what_the_mode_took_away() -> None:
    """``faqs/stp_faq.md``: each side's quantity only where that side lost something."""
    both = a_match(mode="EXPIRE_BOTH", maker_prevented_qty=SCALE // 5)
    order = an_order(status=OrderStatus.EXPIRED_IN_MATCH, prevented_qty=SCALE, prevented_matches=(a_match(), both))
    told = render.order_full(order)
    taker = {"preventedMatchId": 3, "makerSymbol": "BTCUSDT", "makerOrderId": 10, "price": "30500.00000000"}
    taker["takerPreventedQuantity"] = "1.00000000"
    assert told["preventedMatches"] == [taker, taker | {"makerPreventedQuantity": "0.20000000"}]
    assert (told["status"], told["preventedQuantity"]) == ("EXPIRED_IN_MATCH", "1.00000000")
    assert "expiryReason" not in told
    assert render.prevented_match(a_match()) == {
        "symbol": "BTCUSDT",
        "preventedMatchId": 3,
        "takerOrderId": 28,
        "makerSymbol": "BTCUSDT",
        "makerOrderId": 10,
        "tradeGroupId": -1,
        "selfTradePreventionMode": "EXPIRE_TAKER",
        "price": "30500.00000000",
        "takerPreventedQuantity": "1.00000000",
        "transactTime": TIME_MS,
    }


HEAD = {
    "orderListId": 1929,
    "contingencyType": "OCO",
    "listStatusType": "EXEC_STARTED",
    "listOrderStatus": "EXECUTING",
    "listClientOrderId": "the-list",
    "transactionTime": TIME_MS,
    "symbol": "BTCUSDT",
    "orders": [
        {"symbol": "BTCUSDT", "orderId": 20, "clientOrderId": "above"},
        {"symbol": "BTCUSDT", "orderId": 21, "clientOrderId": "below"},
    ],
}


@pytest.mark.parametrize(("kind", "contingency"), [(kind, "OCO" if kind == "OCO" else "OTO") for kind in ListKind])
def test_a_list_tells_its_orders_and_what_ties_them(kind: ListKind, contingency: str) -> None:
    assert render.order_list(a_list(kind=kind)) == HEAD | {"contingencyType": contingency}


def test_a_list_that_was_cancelled_tells_how_each_of_its_orders_ended() -> None:
    """``DELETE /api/v3/orderList``: ``transactionTime`` is that of the cancellation."""
    done = a_list(status_type=ListStatusType.ALL_DONE, order_status=ListOrderStatus.ALL_DONE)
    legs = [
        an_order(
            order_id=number,
            status=OrderStatus.CANCELED,
            order_list_id=1929,
            orig_client_order_id=name,
            client_order_id="the-cancel",
            update_ms=TIME_MS + 5,
        )
        for number, name in ((20, "above"), (21, "below"))
    ]
    told = render.cancelled_list(done, legs)
    reports = told.pop("orderReports")
    assert told == HEAD | {
        "listStatusType": "ALL_DONE",
        "listOrderStatus": "ALL_DONE",
        "transactionTime": TIME_MS + 5,
    }
    assert isinstance(reports, list)
    assert [(row["origClientOrderId"], row["clientOrderId"], row["orderListId"]) for row in reports] == [
        ("above", "the-cancel", 1929),
        ("below", "the-cancel", 1929),
    ]


AMENDMENT = Amendment(
    account="a",
    symbol="BTCUSDT",
    order_id=28,
    execution_id=75,
    orig_client_order_id="before",
    new_client_order_id="after",
    orig_qty=2 * SCALE,
    new_qty=SCALE,
    time_ms=TIME_MS,
)


def test_an_amendment_is_answered_with_names_of_its_own() -> None:
    """``PUT /api/v3/order/amend/keepPriority``: ``qty``, ``preventedQty``, ``cumulativeQuoteQty``."""
    assert render.amended(AMENDMENT, an_order(client_order_id="after"), None) == {
        "transactTime": TIME_MS,
        "executionId": 75,
        "amendedOrder": {
            "symbol": "BTCUSDT",
            "orderId": 28,
            "orderListId": -1,
            "origClientOrderId": "before",
            "clientOrderId": "after",
            "price": "31000.00000000",
            "qty": "1.00000000",
            "executedQty": "0.00000000",
            "preventedQty": "0.00000000",
            "quoteOrderQty": "0.00000000",
            "cumulativeQuoteQty": "0.00000000",
            "status": "NEW",
            "timeInForce": "GTC",
            "type": "LIMIT",
            "side": "BUY",
            "workingTime": TIME_MS,
            "selfTradePreventionMode": "NONE",
        },
    }


def test_an_amendment_of_a_pending_order_tells_the_list_and_no_working_time() -> None:
    pending = waiting(status=OrderStatus.PENDING_NEW, order_list_id=1929)
    told = render.amended(AMENDMENT, pending, a_list(kind=ListKind.OTO))
    assert isinstance(told["amendedOrder"], dict)
    assert "workingTime" not in told["amendedOrder"]
    short = {name: HEAD[name] for name in HEAD if name not in ("listStatusType", "transactionTime")}
    assert told["listStatus"] == short | {"contingencyType": "OTO"}


def test_a_past_amendment_is_a_row_of_its_own() -> None:
    assert render.past_amendment(AMENDMENT) == {
        "symbol": "BTCUSDT",
        "orderId": 28,
        "executionId": 75,
        "origClientOrderId": "before",
        "newClientOrderId": "after",
        "origQty": "2.00000000",
        "newQty": "1.00000000",
        "time": TIME_MS,
    }


def test_a_trade_of_a_list_names_the_list() -> None:
    assert render.account_trade(a_fill())["orderListId"] == -1
    assert render.account_trade(a_fill(), 1929)["orderListId"] == 1929
