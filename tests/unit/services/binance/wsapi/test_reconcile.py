"""The wait rule: when "no such order" is the truth."""

from __future__ import annotations

import pytest

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import InvalidParams, UnknownOutcome
from cryptotrader.services.binance.wsapi.reconcile import (
    LostRequest,
    final_after_ms,
    final_after_ns,
    is_settled,
    questions,
)
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy

POLICY = ConnectionPolicy()


def lost(method: str = "order.place", **params: object) -> LostRequest:
    given = {"symbol": "BTCUSDT", "newClientOrderId": "ct1", **params}
    return LostRequest(method, given, timestamp_ms=1_000_000, recv_window_ms=5_000.0)


def test_no_such_order_is_final_only_after_the_window_and_the_venues_own_timeout() -> None:
    final_ms = final_after_ms(lost(), POLICY, now_ms=1_000_100)
    assert final_ms == 1_000_000 + 5_000 + 10_000 + 1
    assert not is_settled(lost(), None, now_ms=final_ms - 1, final_ms=final_ms)
    assert is_settled(lost(), None, now_ms=final_ms, final_ms=final_ms)


def test_no_such_order_is_final_only_after_as_much_time_has_really_passed() -> None:
    """The venue's clock may be set forward while it works on the order."""
    outcome = lost()
    outcome.sent_ns = 7 * NS_PER_S
    assert final_after_ns(outcome, POLICY, now_ns=9 * NS_PER_S) >= 22 * NS_PER_S
    assert final_after_ns(lost(), POLICY, now_ns=9 * NS_PER_S) >= 24 * NS_PER_S


def test_an_outcome_without_a_timestamp_counts_from_now() -> None:
    outcome = UnknownOutcome("?", symbol="BTCUSDT", client_order_id="x")
    assert final_after_ms(outcome, POLICY, now_ms=50_000) == 65_001


def test_an_order_that_is_there_is_there() -> None:
    assert is_settled(lost(), "NEW", now_ms=0, final_ms=10)


@pytest.mark.parametrize(("status", "settled"), [("CANCELED", True), ("FILLED", True), ("NEW", False), (None, False)])
def test_an_open_order_may_still_be_cancelled_by_a_cancellation_on_its_way(status: str | None, settled: bool) -> None:
    assert is_settled(lost("order.cancel"), status, now_ms=0, final_ms=10) is settled
    assert is_settled(lost("order.cancel"), status, now_ms=10, final_ms=10)


def test_a_placement_is_asked_for_by_its_name() -> None:
    assert questions(lost()) == [{"symbol": "BTCUSDT", "origClientOrderId": "ct1"}]


def test_a_cancellation_is_asked_for_by_number_or_by_both_names() -> None:
    """The cancellation's own name replaces the order's (``web-socket-api.md``, "Cancel order")."""
    assert questions(lost("order.cancel", orderId=7)) == [{"symbol": "BTCUSDT", "orderId": 7}]
    asked = questions(lost("order.cancel", origClientOrderId="mine"))
    assert [question["origClientOrderId"] for question in asked] == ["ct1", "mine"]


def test_a_list_is_asked_for_by_one_of_its_orders() -> None:
    """All orders of a list land together."""
    outcome = lost("orderList.place.oco", aboveClientOrderId="a", listClientOrderId="l", belowClientOrderId="b")
    assert outcome.client_order_id == "a"
    assert questions(outcome) == [{"symbol": "BTCUSDT", "origClientOrderId": "a"}]


def test_what_names_no_order_says_what_to_ask_instead() -> None:
    outcome = LostRequest("openOrders.cancelAll", {"symbol": "BTCUSDT"}, timestamp_ms=0, recv_window_ms=0)
    with pytest.raises(InvalidParams, match=r"openOrders\.status"):
        questions(outcome)
