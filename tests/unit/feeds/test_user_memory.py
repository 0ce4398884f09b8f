from __future__ import annotations

from typing import Any

import msgspec

from cryptotrader.feeds.reports import account_position, missed_reports
from cryptotrader.feeds.user_memory import MAX_ORDERS, KnownOrder, Recent, UserMemory, differing
from cryptotrader.services.binance.models.account import AccountTrade
from cryptotrader.services.binance.models.orders import OrderReport


def report(kind: str, status: str = "NEW", *, trade_id: int = -1, execution_id: int = -1) -> dict[str, Any]:
    return {
        "e": "executionReport", "s": "BTCUSDT", "i": 7, "x": kind, "X": status, "t": trade_id, "I": execution_id,
        "z": "1", "Z": "10",
    }  # fmt: skip


def is_news(memory: UserMemory, event: dict[str, Any]) -> bool:
    return memory.is_news(event, msgspec.json.encode(event))


def order(status: str, executed: str = "0", **changes: Any) -> OrderReport:
    fields: dict[str, Any] = {
        "symbol": "BTCUSDT", "order_id": 7, "client_order_id": "c7", "price": "10", "orig_qty": "3",
        "executed_qty": executed, "cummulative_quote_qty": "0", "status": status, "time_in_force": "GTC",
        "type": "LIMIT", "side": "BUY", "time": 100, "update_time": 300,
    }  # fmt: skip
    return OrderReport(**(fields | changes))


def fill(trade_id: int, qty: str = "1") -> AccountTrade:
    return AccountTrade(
        symbol="BTCUSDT", id=trade_id, order_id=7, price="10", qty=qty, quote_qty="10", commission="0.01",
        commission_asset="BNB", time=200 + trade_id, is_buyer=True, is_maker=False,
    )  # fmt: skip


def test_a_recent_set_forgets_the_oldest_first() -> None:
    recent = Recent(2)
    assert recent.add("a")
    assert recent.add("b")
    assert not recent.add("a")
    assert recent.add("c")
    assert "b" not in recent
    assert len(recent) == 2


def test_each_fill_is_news_once_whether_live_or_recovered() -> None:
    memory = UserMemory()
    assert is_news(memory, report("TRADE", "PARTIALLY_FILLED", trade_id=5))
    assert not is_news(memory, report("TRADE", "PARTIALLY_FILLED", trade_id=5, execution_id=99))
    assert is_news(memory, report("TRADE", "FILLED", trade_id=6, execution_id=100))
    assert memory.open_orders == []


def test_a_venue_that_was_wiped_gives_ids_anew_and_its_orders_are_news() -> None:
    """S0-46, S0-48: ids went back, so order 7, its fill 5 and its execution ids come again; the order's creation time
    (``O``) tells it apart. The same order is still told once, also where REST names its time a little differently."""
    memory = UserMemory()
    first, second = 1_000_000, 9_000_000
    for created_ms in (first, second):
        told = [
            report("NEW", execution_id=1) | {"O": created_ms},
            report("TRADE", "FILLED", trade_id=5, execution_id=2) | {"O": created_ms},
        ]
        assert [is_news(memory, event) for event in told] == [True, True]
        recovered = report("TRADE", "FILLED", trade_id=5) | {"O": created_ms + 1}
        assert [is_news(memory, event) for event in [*told, recovered]] == [False, False, False]
    known = memory.order("BTCUSDT", 7, second)
    assert memory.was_told(known, 5)
    assert not memory.was_told(memory.order("BTCUSDT", 7, second + 9_000), 5)


def test_a_trade_with_oneself_is_two_fills() -> None:
    memory = UserMemory()
    assert is_news(memory, report("TRADE", trade_id=5) | {"i": 1})
    assert is_news(memory, report("TRADE", trade_id=5) | {"i": 2})


def test_new_and_the_end_are_news_once() -> None:
    memory = UserMemory()
    assert is_news(memory, report("NEW", execution_id=1))
    assert not is_news(memory, report("NEW"))
    assert is_news(memory, report("CANCELED", "CANCELED"))
    assert not is_news(memory, report("CANCELED", "CANCELED", execution_id=2))


def test_an_unknown_execution_type_passes_once_per_execution_id() -> None:
    memory = UserMemory()
    assert is_news(memory, report("SOMETHING", execution_id=1))
    assert not is_news(memory, report("SOMETHING", execution_id=1))
    assert is_news(memory, report("SOMETHING", execution_id=2))


def test_other_events_are_known_by_their_content_and_balances_are_kept() -> None:
    memory = UserMemory()
    position = account_position({"BTC": ("1", "0")}, update_ms=1, now_ms=2)
    assert is_news(memory, position)
    assert not is_news(memory, position)
    assert memory.balances == {"BTC": ("1", "0")}
    assert is_news(memory, {"e": "balanceUpdate", "a": "BTC", "d": "1"})


def test_the_memory_is_bounded() -> None:
    memory = UserMemory()
    for number in range(MAX_ORDERS + 50):
        memory.order("BTCUSDT", number)
    assert len(memory.open_orders) == MAX_ORDERS


def test_balances_are_compared_as_numbers() -> None:
    old = {"BTC": ("1.0", "0.0"), "ETH": ("2", "0")}
    assert differing(old, {"BTC": ("1.00000000", "0"), "ETH": ("1", "1"), "XRP": ("0", "0")}) == {"ETH": ("1", "1")}


def test_a_missed_order_is_told_from_its_beginning_to_its_end() -> None:
    known = KnownOrder("BTCUSDT", 7)
    events = missed_reports(order("CANCELED", "2"), [fill(1), fill(2)], known=known, is_new=True, now_ms=900)
    assert [(e["x"], e["X"], e["z"], e["t"], e["T"]) for e in events] == [
        ("NEW", "NEW", "0.00000000", -1, 100),
        ("TRADE", "PARTIALLY_FILLED", "1.00000000", 1, 201),
        ("TRADE", "PARTIALLY_FILLED", "2.00000000", 2, 202),
        ("CANCELED", "CANCELED", "2", -1, 300),
    ]
    assert {e["recovered"] for e in events} == {True}
    assert {e["E"] for e in events} == {900}


def test_the_end_is_left_to_the_stream_where_fills_are_still_to_come() -> None:
    known = KnownOrder("BTCUSDT", 7, was_announced=True)
    events = missed_reports(order("CANCELED", "2"), [fill(1)], known=known, is_new=False, now_ms=900)
    assert [event["x"] for event in events] == ["TRADE"]


def test_an_expired_order_keeps_its_reason_and_an_unknown_status_is_left_alone() -> None:
    known = KnownOrder("BTCUSDT", 7, was_announced=True)
    expired = order("EXPIRED", expiry_reason="UNFILLED_IOC_QUANTITY_EXPIRED")
    [event] = missed_reports(expired, [], known=known, is_new=False, now_ms=1)
    assert (event["x"], event["eR"]) == ("EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED")
    assert missed_reports(order("A_NEW_STATUS"), [], known=known, is_new=False, now_ms=1) == []


def test_a_synthetic_report_has_every_documented_field() -> None:
    """``user-data-stream.md``, "Order Update": the unconditional fields (S0-46)."""
    [event] = missed_reports(order("NEW"), [], known=KnownOrder("BTCUSDT", 7), is_new=True, now_ms=1)
    names = set("EsSofqpPFgCcxXrilzLnNTtIwmMOZYQV") | {"e"}
    assert names <= set(event)


def test_allocations_have_no_trade_id_and_are_told_each_once() -> None:
    """Smart order routing may fill one order from several books (``user-data-stream.md``, ``t`` -1 and ``a``)."""
    memory = UserMemory()

    def allocation(number: int, execution_id: int) -> bool:
        return is_news(memory, report("TRADE", execution_id=execution_id) | {"a": number})

    assert [allocation(1, 10), allocation(2, 11), allocation(2, 11), allocation(2, -1)] == [True, True, False, False]
