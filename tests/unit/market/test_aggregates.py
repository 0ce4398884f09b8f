"""Aggregate trades: what one taker order did at one price at one time."""

from __future__ import annotations

import pytest

from cryptotrader.core.events import Trade
from cryptotrader.market.aggregates import AggregateTape


def trade(number: int, price: int = 100, qty: int = 1, at_ms: int = 5, sold: bool = False) -> Trade:
    return Trade("BTCUSDT", number, price, qty, at_ms, sold, at_ms)


def spans(tape: AggregateTape) -> list[tuple[int, int, int, int]]:
    return [(each.agg_id, each.first_id, each.last_id, each.qty) for each in tape.latest()]


def test_trades_of_one_order_at_one_price_are_one_aggregate() -> None:
    """``rest-api.md``, "Compressed/Aggregate trades list"."""
    tape = AggregateTape("BTCUSDT")
    tape.load(trade(7))
    for number, price in ((8, 100), (9, 100), (10, 101), (11, 101)):
        tape.add(trade(number, price), taker=1)
    assert spans(tape) == [(7, 7, 7, 1), (8, 8, 9, 2), (9, 10, 11, 2)]


@pytest.mark.parametrize("second", [trade(2, at_ms=6), trade(2, price=101), trade(2, sold=True), trade(3)], ids=str)
def test_another_time_price_or_side_or_a_hole_begins_another_aggregate(second: Trade) -> None:
    tape = AggregateTape("BTCUSDT")
    tape.add(trade(1), taker=0)
    tape.add(second, taker=0)
    assert len(tape.latest()) == 2


def test_two_orders_of_one_moment_stay_apart() -> None:
    tape = AggregateTape("BTCUSDT")
    tape.add(trade(1), taker=1)
    tape.add(trade(2), taker=2)
    assert len(tape.latest()) == 2


def test_what_was_told_never_changes() -> None:
    tape = AggregateTape("BTCUSDT")
    tape.add(trade(1), taker=0)
    (told,) = tape.latest()
    tape.add(trade(2), taker=0)
    assert tape.latest()[0] == told
    assert [each.agg_id for each in tape.since(told.agg_id)] == [told.agg_id + 1]
    assert tape.since(tape.last_id) == []


def test_the_tape_is_bounded() -> None:
    tape = AggregateTape("BTCUSDT", capacity=2)
    for number in range(1, 9, 2):
        tape.add(trade(number), taker=0)
    assert [each.first_id for each in tape.latest()] == [5, 7]
    assert [each.first_id for each in tape.latest(1)] == [7]
    with pytest.raises(ValueError):
        AggregateTape("BTCUSDT", 0)
