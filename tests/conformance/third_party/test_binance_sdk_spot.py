"""binance-sdk-spot, Binance's own client of today: it parses answers into strict models and warns of differences."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_driver

CONDITIONAL = {
    # Orders: "Conditional fields in Order Responses" of Binance's rest-api.md.
    "icebergQty", "pegOffsetType", "pegOffsetValue", "pegPriceType", "peggedPrice", "preventedMatchId",
    "preventedQuantity", "stopPrice", "strategyId", "strategyType", "trailingDelta", "trailingTime", "usedSor",
    "workingFloor", "expiryReason",
    # The model of a cancelled order is that of a cancelled order list as well.
    "contingencyType", "listClientOrderId", "listOrderStatus", "listStatusType", "orderReports", "orders",
    "transactionTime",
    # exchangeInfo: smart order routing where there is some; counts of the WebSocket API; exponents of SBE.
    "sors", "count", "multiplierExponent", "priceExponent", "qtyExponent",
}  # fmt: skip
"""Declared fields that come under conditions only."""

EXECUTION = {
    ".A", ".B", ".Cs", ".D", ".J", ".N", ".U", ".a", ".b", ".d", ".eR", ".gOT", ".gOV", ".gP", ".gp", ".j", ".k",
    ".pL", ".pY", ".pl", ".u", ".uS", ".v",
}  # fmt: skip
"""Fields of an execution report that come under conditions only, and ``N``, which is null without a fill."""

NOT_LOGGED_ON = {".result.apiKey", ".result.authorizedSince"}
"""What ``session.status`` leaves empty."""

DAY_MS = 86_400_000

SHORT = ("ack", "maker", "result", "mini", "order/test", "order.test")
"""Steps that ask for a short form."""

REFUSED = {
    "rest.refused.symbol": (-1121, "Invalid symbol."),
    "rest.refused.funds": (-2010, "Account has insufficient balance for requested action."),
    "rest.refused.lot": (-1111, "Parameter 'quantity' has too much precision."),
    "rest.refused.cancel": (-2011, "Unknown order sent."),
    "rest.refused.get": (-2013, "Order does not exist."),
}


@pytest.fixture(scope="module")
def report(exchange: str) -> dict[str, Any]:
    return run_driver("binance-sdk-spot", exchange)


def data(report: dict[str, Any], step: str) -> Any:
    """The parsed answer of a step."""
    return report["steps"][step]["data"]


def test_every_answer_and_event_has_the_declared_types(report: dict[str, Any]) -> None:
    """C-23: REST, WebSocket API, market streams and user data; the client warns where a type or a name differs."""
    assert not report["warnings"]
    assert set(report["failures"]) == set(REFUSED)
    counts = Counter(step.partition(".")[0] for step in report["steps"])
    assert counts["rest"] >= 55
    assert counts["ws"] >= 36
    assert counts["stream"] >= 16
    assert counts["user"] == 7


def test_every_declared_field_comes_and_no_other(report: dict[str, Any]) -> None:
    differing: dict[str, list[str]] = {}
    for step, value in report["steps"].items():
        if "missing" not in value or step.startswith("ws.exchangeInfo") or step.endswith(SHORT):
            continue
        expected = EXECUTION if step.startswith("user.") else NOT_LOGGED_ON
        names = {path: path.rpartition(".")[2] for path in value["missing"] + value["unknown"]}
        missing = [path for path in value["missing"] if names[path] not in CONDITIONAL and path not in expected]
        strange = [path for path in value["unknown"] if names[path] not in CONDITIONAL | {"rateLimits"}]
        if missing or strange:
            differing[step] = missing + strange
    assert not differing


def test_refusals_reach_the_client_with_number_and_text(report: dict[str, Any]) -> None:
    """Binance's errors.md; the client reads a body only where its type is application/json."""
    failures = report["failures"]
    for step, answer in REFUSED.items():
        assert failures[step] == f"BadRequestError: {answer}"


def test_limits_are_told_in_headers_and_answers(report: dict[str, Any]) -> None:
    """The client reads ``X-MBX-USED-WEIGHT-1M``, ``X-MBX-ORDER-COUNT-*`` and ``rateLimits``."""
    steps = report["steps"]
    assert steps["rest.time"]["rate_limits"] == ["REQUEST_WEIGHT 1 MINUTE"]
    orders = {"REQUEST_WEIGHT 1 MINUTE", "ORDERS 10 SECOND", "ORDERS 1 DAY"}
    assert set(steps["rest.order"]["rate_limits"]) == set(steps["ws.order.place"]["rate_limits"]) == orders


def test_orders_of_every_kind_end_as_they_should(report: dict[str, Any]) -> None:
    """LIMIT, LIMIT_MAKER and MARKET; GTC, IOC and FOK; by quantity and by amount of the quote asset."""
    for step, state in (("", "NEW"), (".market", "FILLED"), (".quote", "FILLED"), (".cancel", "CANCELED")):
        assert data(report, f"rest.order{step}")["status"] == state
    for step, reason in (("ioc", "UNFILLED_IOC_QUANTITY_EXPIRED"), ("fok", "UNFILLED_FOK_ORDER_EXPIRED")):
        order = data(report, f"rest.order.{step}")
        assert (order["status"], order["expiryReason"]) == ("EXPIRED", reason)
    assert data(report, "rest.order.get_named")["strategyId"] == 7
    assert "sdk-named" in {order["clientOrderId"] for order in data(report, "rest.openOrders")}
    assert data(report, "rest.openOrders") == data(report, "rest.openOrders.all")
    assert len(data(report, "rest.openOrders.cancel")) == 3
    assert data(report, "rest.order.market")["orderId"] in {row["orderId"] for row in data(report, "rest.myTrades")}


def test_candles_begin_at_midnight_of_the_zone_that_was_asked_for(report: dict[str, Any]) -> None:
    """``timeZone=8``: days begin at 16:00 UTC."""
    opens = [row[0] for row in data(report, "rest.klines.zone")]
    assert {open_ms % DAY_MS for open_ms in opens} == {16 * DAY_MS // 24}


def test_numbers_are_signed_as_they_were_written(report: dict[str, Any]) -> None:
    """The client sends JSON numbers such as ``55558.8`` and ``0.0001``; the signature covers exactly that text."""
    assert data(report, "ws.order.place.market")["result"]["executedQty"] == "0.00010000"
    assert data(report, "ws.order.place")["result"]["status"] == "NEW"


def test_user_data_comes_over_the_websocket_api(report: dict[str, Any]) -> None:
    """C-23: ``userDataStream.subscribe.signature`` and the events of orders placed on the same connection."""
    placed = data(report, "ws.order.place")["result"]["orderId"]
    assert data(report, "user.NEW")["i"] == data(report, "user.CANCELED")["i"] == placed
    assert data(report, "user.TRADE")["i"] == data(report, "ws.order.place.market")["result"]["orderId"]
    assert {row["a"] for row in data(report, "user.position")["B"]} <= {"BTC", "USDT", "BNB"}
    deposited = data(report, "user.balance")
    assert (deposited["a"], deposited["d"]) == ("BNB", "1.50000000")
    assert data(report, "ws.session.subscriptions")["result"] == [{"subscriptionId": 0}]


def test_streams_can_be_listed_and_given_up(report: dict[str, Any]) -> None:
    before, after = (report["steps"][step]["result"] for step in ("stream.list", "stream.list_after"))
    assert set(before) - set(after) == {"btcusdt@trade", "btcusdt@aggTrade"}
    assert set(after) < set(before)
