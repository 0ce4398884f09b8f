"""Questions about order lists (``rest-api.md``, "Query Order list"), and what waits across a restart."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.exchange.engine.accounts import Period
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.order_lists import CancelList, ListKind
from tests.support.contingent_kit import (
    buy_oco,
    contingent,
    engine_at,
    oto,
    passes,
    resting_buy,
    sell_oco,
    told,
    triggered,
)
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, levels, limit, locked, maker, p, snapshot, trade


def restarted(engine: Engine) -> Engine:
    """An engine that goes on from what another one kept, with the source's book."""
    fresh = Engine([RULES])
    fresh.restore(engine.state())
    fresh.on_snapshot(
        snapshot(levels(("99", "1"), ("98", "2")), levels(("101", "1"), ("102", "2")), last_id=100), NOW_MS
    )
    return fresh


def test_lists_are_found_by_either_id_and_both_must_fit() -> None:
    engine = engine_at()
    one, _, _ = engine.submit_list("alice", sell_oco("0.1"), NOW_MS)
    two, _, _ = engine.submit_list("alice", sell_oco("0.1"), NOW_MS + 1)
    assert engine.order_list("alice", list_id=one.list_id) == one
    assert engine.order_list("alice", client_list_id=two.client_list_id) == two
    for wrong in (
        {"list_id": one.list_id, "client_list_id": two.client_list_id},
        {"list_id": 99},
        {"client_list_id": "?"},
        {},
    ):
        with pytest.raises(Refusal) as refused:
            engine.order_list("alice", **wrong)
        assert refused.value.code == -2013
    with pytest.raises(Refusal):
        engine.order_list("bob", list_id=one.list_id)


def test_lists_of_others_and_on_other_symbols_cannot_be_cancelled() -> None:
    engine = engine_at()
    one, _, _ = engine.submit_list("alice", sell_oco("0.1"), NOW_MS)
    for account, which in (
        ("bob", CancelList(symbol=SYMBOL, list_id=one.list_id)),
        ("alice", CancelList(symbol=SYMBOL, list_id=one.list_id, client_list_id="?")),
        ("alice", CancelList(symbol=SYMBOL)),
    ):
        with pytest.raises(Refusal) as refused:
            engine.cancel_list(account, which, NOW_MS)
        assert refused.value.code == -2011


def test_all_lists_come_newest_first_unless_a_beginning_is_named() -> None:
    """``CHANGELOG.md``, 2023-12-04: ascending when ``startTime`` or ``fromId`` is given; else as in the example."""
    engine = engine_at()
    for step in range(3):
        engine.submit_list("alice", sell_oco("0.1"), NOW_MS + step)

    def ids(**wanted: object) -> list[int]:
        return [each.list_id for each in engine.order_lists("alice", **wanted)]  # type: ignore[arg-type]

    assert ids() == [3, 2, 1]
    assert ids(limit=2) == [3, 2]
    assert ids(from_id=2) == [2, 3]
    assert ids(period=Period(start_ms=NOW_MS + 1)) == [2, 3]
    assert ids(period=Period(end_ms=NOW_MS + 1)) == [2, 1]
    assert [each.list_id for each in engine.open_order_lists("alice")] == [1, 2, 3]
    engine.cancel_list("alice", CancelList(symbol=SYMBOL, list_id=2), NOW_MS)
    assert [each.list_id for each in engine.open_order_lists("alice")] == [1, 3]


def test_what_waits_goes_on_waiting_after_a_restart() -> None:
    engine = engine_at()
    engine.submit_list("alice", sell_oco("0.5"), NOW_MS)
    engine.submit_list("alice", oto(resting_buy(), contingent("SELL", "STOP_LOSS", "90")), NOW_MS)
    engine.submit("bob", contingent("SELL", "STOP_LOSS_LIMIT", price="150", delta=500), NOW_MS)
    passes(engine, 2, "108", "107")
    fresh = restarted(engine)
    assert fresh.state_hash() == engine.state_hash()
    assert locked(fresh, "alice", "BTC") == p("1.5")
    for each in (engine, fresh):
        said = told(passes(each, 10, "102.61", "102.6", "96"))
        assert said[0] == ("5", "NEW", "NEW", "works", "")
        said = told(each.on_trade(trade(20, "94", "5", sells=True), NOW_MS))
        assert ("4", "NEW", "NEW", "", "") in said
        assert ("2", "EXPIRED", "EXPIRED", "works", "OCO_TRIGGER") in said
    assert fresh.state_hash() == engine.state_hash()


def test_ids_of_lists_go_on_after_a_restart() -> None:
    engine = engine_at()
    engine.submit_list("alice", sell_oco("0.5"), NOW_MS)
    fresh = restarted(engine)
    order_list, _, _ = fresh.submit_list("alice", buy_oco("0.5"), NOW_MS)
    assert order_list.list_id == 2
    with pytest.raises(Refusal):
        fresh.submit_list("alice", triggered(ListKind.OTO, resting_buy(), limit("SELL", "120", "20")), NOW_MS)


def test_the_fingerprint_changes_with_what_must_not_be_lost_and_with_nothing_else() -> None:
    engine = engine_at()
    seen = [engine.state_hash()]
    passes(engine, 2, "100.5", "99")
    engine.on_snapshot(snapshot(levels(("90", "1")), levels(("120", "1")), last_id=150), NOW_MS)
    assert engine.state_hash() == seen[0], "the source's market alone"
    engine.submit("alice", maker("SELL", "130", "1"), NOW_MS)
    seen.append(engine.state_hash())
    engine.submit_list("alice", sell_oco("0.5"), NOW_MS)
    seen.append(engine.state_hash())
    engine.submit("bob", contingent("SELL", "STOP_LOSS_LIMIT", price="150", delta=500), NOW_MS)
    seen.append(engine.state_hash())
    passes(engine, 8, "109")
    seen.append(engine.state_hash())
    engine.adjust("bob", "USDT", 1, NOW_MS)
    seen.append(engine.state_hash())
    assert len(set(seen)) == len(seen)
    twin = engine_at()
    assert twin.state_hash() == seen[0]


def test_records_from_before_orders_said_what_they_hold_are_taken() -> None:
    engine = engine_at()
    engine.submit("alice", limit("BUY", "90", "2"), NOW_MS)
    state = engine.state()
    old = msgspec.structs.replace(state, orders=tuple(msgspec.structs.replace(each, held=0) for each in state.orders))
    fresh = Engine([RULES])
    fresh.restore(old)
    assert fresh.state_hash() == engine.state_hash()
