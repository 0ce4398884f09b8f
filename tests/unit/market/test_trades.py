"""TradeTape."""

from __future__ import annotations

import pytest

from cryptotrader.core.events import Trade
from cryptotrader.market.trades import Arrival, TradeTape


def trade(trade_id: int) -> Trade:
    return Trade("BTCUSDT", trade_id, 100, 1, trade_id * 10, False, trade_id * 10)


def test_a_trade_already_seen_or_older_is_dropped() -> None:
    tape = TradeTape("BTCUSDT")
    assert [tape.append(trade(number)) for number in (5, 6, 6, 4)] == [
        Arrival.NEXT,
        Arrival.NEXT,
        Arrival.OLD,
        Arrival.OLD,
    ]
    assert [row.trade_id for row in tape.latest()] == [5, 6]


def test_a_hole_in_the_ids_is_told_and_the_trade_is_kept() -> None:
    tape = TradeTape("BTCUSDT")
    tape.append(trade(5))
    assert tape.append(trade(8)) is Arrival.AFTER_HOLE
    assert tape.last == trade(8)


def test_the_tape_keeps_the_newest_and_hands_them_out_oldest_first() -> None:
    tape = TradeTape("BTCUSDT", capacity=3)
    for number in range(1, 8):
        tape.append(trade(number))
    assert [row.trade_id for row in tape.latest()] == [5, 6, 7]
    assert [row.trade_id for row in tape.latest(2)] == [6, 7]
    assert tape.latest(0) == []
    assert len(tape) == 3


def test_a_cleared_tape_accepts_ids_from_the_start() -> None:
    tape = TradeTape("BTCUSDT")
    tape.append(trade(9))
    tape.clear()
    assert tape.last is None
    assert tape.append(trade(1)) is Arrival.NEXT


def test_a_tape_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        TradeTape("BTCUSDT", capacity=0)
