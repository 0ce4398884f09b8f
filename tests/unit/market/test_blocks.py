"""Block trades: kept, told, and made by a synthetic market at moments that only the seed knows."""

from __future__ import annotations

import pytest

from cryptotrader.market.blocks import FIRST_MS, KEPT, BlockSchedule, BlockTrade, BlockTrades

HOUR_MS = 3_600_000
NOW_MS = FIRST_MS + 1_000 * HOUR_MS


def test_ids_grow_and_follow_the_time_across_restarts() -> None:
    blocks = BlockTrades(["BTCUSDT"])
    told: list[BlockTrade] = []
    blocks.printed.subscribe(told.append)
    made = [blocks.add("BTCUSDT", 5, 7, buyer_is_maker=True, now_ms=NOW_MS) for _ in range(2)]
    later = BlockTrades(["BTCUSDT"]).add("BTCUSDT", 5, 7, buyer_is_maker=True, now_ms=NOW_MS + 5_000)
    assert [made[0].trade_id, made[1].trade_id] == [3_600_000, 3_600_001]
    assert later.trade_id > made[1].trade_id
    assert told == made
    assert blocks.since("BTCUSDT", made[1].trade_id, 10) == made[1:]
    with pytest.raises(KeyError):
        blocks.add("NOSUCH", 5, 7, buyer_is_maker=True, now_ms=NOW_MS)


def test_what_is_kept_is_bounded() -> None:
    blocks = BlockTrades(["BTCUSDT"])
    for _ in range(KEPT + 5):
        blocks.add("BTCUSDT", 5, 7, buyer_is_maker=False, now_ms=NOW_MS)
    assert len(blocks.since("BTCUSDT", 0, 2 * KEPT)) == KEPT


def test_a_synthetic_market_makes_one_an_hour_and_symbol() -> None:
    at_ms, seen = NOW_MS, []
    for _ in range(20):
        due = BlockSchedule(["BTCUSDT", "ETHUSDT"]).next(at_ms)
        assert due is not None
        at_ms = due[0]
        seen.append((due[1], at_ms // HOUR_MS))
    assert len(set(seen)) == 20
    assert {symbol for symbol, _ in seen} == {"BTCUSDT", "ETHUSDT"}
    assert at_ms - NOW_MS <= 12 * HOUR_MS
    assert BlockSchedule([]).next(NOW_MS) is None


def test_how_a_block_trade_looks_depends_on_the_seed_alone() -> None:
    one, same, other = (BlockSchedule(["BTCUSDT"], seed).draw("BTCUSDT", NOW_MS) for seed in (1, 1, 2))
    assert one == same != other
    assert 0 <= one[0] < 1
    assert -1 <= one[1] < 1
