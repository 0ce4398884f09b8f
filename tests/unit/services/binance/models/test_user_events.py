"""User data events as values: exact numbers, and nothing that the venue says is lost (S4-14)."""

from __future__ import annotations

from decimal import Decimal

from cryptotrader.services.binance.models.user_events import (
    AccountPosition,
    BalanceUpdate,
    ExecutionReport,
    ExternalLock,
    ListStatus,
    OtherEvent,
    StreamGap,
    read_user_event,
)

REPORT: dict[str, object] = {
    "e": "executionReport",
    "E": 1499405658658,
    "s": "ETHBTC",
    "c": "mUvoqJxFIILMdfAW5iGSOW",
    "S": "BUY",
    "o": "LIMIT",
    "f": "GTC",
    "q": "1.00000000",
    "p": "0.10264410",
    "P": "0.00000000",
    "F": "0.00000000",
    "g": -1,
    "C": "",
    "x": "TRADE",
    "X": "PARTIALLY_FILLED",
    "r": "NONE",
    "i": 4293153,
    "l": "0.10000000",
    "z": "0.30000000",
    "L": "0.10264411",
    "n": "0.00000007",
    "N": "BNB",
    "T": 1499405658657,
    "t": 17,
    "I": 8641984,
    "w": True,
    "m": False,
    "M": True,
    "O": 1499405658657,
    "Z": "0.03079323",
    "Y": "0.01026441",
    "Q": "0.00000000",
    "W": 1499405658657,
    "V": "NONE",
}


def test_an_execution_report_has_exact_decimals_and_readable_names() -> None:
    event = read_user_event(REPORT)
    assert isinstance(event, ExecutionReport)
    assert (event.kind, event.symbol, event.status) == ("executionReport", "ETHBTC", "PARTIALLY_FILLED")
    assert event.last_price == Decimal("0.10264411")
    assert str(event.price) == "0.10264410"
    assert event.average_price == Decimal("0.1026441")
    assert event.is_fill
    assert (event.commission, event.commission_asset) == (Decimal("0.00000007"), "BNB")
    assert event.expiry_reason is None


def test_fields_and_enum_values_that_nobody_knows_yet_pass_through() -> None:
    event = read_user_event(REPORT | {"x": "TELEPORTED", "o": "FANCY", "zz": {"new": 1}, "eR": "BECAUSE"})
    assert isinstance(event, ExecutionReport)
    assert (event.execution_type, event.order_type, event.expiry_reason) == ("TELEPORTED", "FANCY", "BECAUSE")
    assert event.raw["zz"] == {"new": 1}
    assert event.raw["M"] is True


def test_a_kind_that_nobody_knows_yet_is_an_event_all_the_same() -> None:
    event = read_user_event({"e": "somethingNew", "E": 7, "a": "b"})
    assert isinstance(event, OtherEvent)
    assert (event.kind, event.event_ms, event.raw["a"]) == ("somethingNew", 7, "b")


def test_a_known_kind_in_a_shape_that_changed_is_handed_on_untyped() -> None:
    event = read_user_event(REPORT | {"i": "no longer a number"})
    assert isinstance(event, OtherEvent)
    assert (event.kind, event.event_ms) == ("executionReport", 1499405658658)
    assert event.raw["i"] == "no longer a number"


def test_an_event_without_anything_is_still_an_event() -> None:
    assert read_user_event({"E": "late"}) == OtherEvent(kind="", event_ms=0, raw={"E": "late"})


def test_a_gap_in_the_stream_is_an_event_too() -> None:
    gap = read_user_event({"e": "streamGap", "reason": "overflow"})
    assert isinstance(gap, StreamGap)
    assert gap.reason == "overflow"


def test_balances_transfers_locks_and_order_lists_have_types() -> None:
    balances = [{"a": "ETH", "f": "10000.000000", "l": "0.5"}]
    position = read_user_event({"e": "outboundAccountPosition", "E": 1, "u": 2, "B": balances})
    assert isinstance(position, AccountPosition)
    assert (position.updated_ms, position.balances[0].locked) == (2, Decimal("0.5"))
    moved = read_user_event({"e": "balanceUpdate", "E": 1, "a": "BTC", "d": "-100.00000000", "T": 3})
    assert isinstance(moved, BalanceUpdate)
    assert moved.delta == Decimal(-100)
    locked = read_user_event({"e": "externalLockUpdate", "E": 1, "a": "NEO", "d": "10.0", "T": 3})
    assert isinstance(locked, ExternalLock)
    listed = read_user_event(
        {
            "e": "listStatus",
            "E": 1,
            "s": "ETHBTC",
            "g": 2,
            "c": "OCO",
            "l": "EXEC_STARTED",
            "L": "EXECUTING",
            "r": "NONE",
            "C": "F4QN4G8DlFATFlIUQ0cjdD",
            "T": 3,
            "O": [{"s": "ETHBTC", "i": 17, "c": "a"}, {"s": "ETHBTC", "i": 18, "c": "b"}],
        }
    )
    assert isinstance(listed, ListStatus)
    assert [member.order_id for member in listed.orders] == [17, 18]
