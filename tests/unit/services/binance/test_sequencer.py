"""Each step of Binance's recipe ("How to manage a local order book correctly") by itself."""

from __future__ import annotations

from cryptotrader.core.events import BookSnapshot, DepthDiff
from cryptotrader.services.binance.sequencer import BookSequencer, Verdict


def diff(first: int, last: int) -> DepthDiff:
    return DepthDiff("BTCUSDT", first, last, ((1, last),), (), 0)


def snapshot(last: int) -> BookSnapshot:
    return BookSnapshot("BTCUSDT", last, (), ())


def live(last: int) -> BookSequencer:
    sequencer = BookSequencer()
    assert sequencer.on_snapshot(snapshot(last)) == []
    return sequencer


def test_events_are_held_until_a_snapshot_comes() -> None:
    sequencer = BookSequencer()
    assert sequencer.needs_snapshot
    assert sequencer.on_diff(diff(5, 7)) is Verdict.HELD
    assert sequencer.on_diff(diff(8, 9)) is Verdict.HELD
    assert not sequencer.is_live
    assert sequencer.on_snapshot(snapshot(6)) == [diff(5, 7), diff(8, 9)]
    assert sequencer.last_id == 9


def test_a_snapshot_older_than_the_first_event_is_fetched_again() -> None:
    sequencer = BookSequencer()
    sequencer.on_diff(diff(5, 7))
    assert sequencer.on_snapshot(snapshot(3)) is None
    assert not sequencer.is_live
    assert sequencer.on_snapshot(snapshot(4)) == [diff(5, 7)]


def test_held_events_that_the_snapshot_contains_are_dropped() -> None:
    sequencer = BookSequencer()
    for event in (diff(1, 3), diff(4, 6), diff(7, 9)):
        sequencer.on_diff(event)
    assert sequencer.on_snapshot(snapshot(6)) == [diff(7, 9)]


def test_a_snapshot_newer_than_everything_held_stands_alone() -> None:
    sequencer = BookSequencer()
    sequencer.on_diff(diff(1, 3))
    assert sequencer.on_snapshot(snapshot(10)) == []
    assert sequencer.last_id == 10
    assert sequencer.on_diff(diff(9, 12)) is Verdict.APPLY


def test_a_gap_ends_the_book_and_keeps_the_event_for_the_next_one() -> None:
    sequencer = live(10)
    assert sequencer.on_diff(diff(11, 12)) is Verdict.APPLY
    assert sequencer.on_diff(diff(14, 15)) is Verdict.GAP
    assert sequencer.last_id is None
    assert sequencer.on_snapshot(snapshot(14)) == [diff(14, 15)]


def test_late_duplicates_are_old_news() -> None:
    sequencer = live(10)
    assert sequencer.on_diff(diff(8, 10)) is Verdict.OLD
    sequencer.on_diff(diff(11, 12))
    assert sequencer.on_diff(diff(11, 12)) is Verdict.OLD
    assert sequencer.last_id == 12


def test_an_event_that_overlaps_the_book_continues_it() -> None:
    assert live(10).on_diff(diff(9, 13)) is Verdict.APPLY


def test_a_hole_among_the_held_events_starts_the_buffer_anew() -> None:
    sequencer = BookSequencer()
    sequencer.on_diff(diff(1, 2))
    sequencer.on_diff(diff(5, 6))
    assert sequencer.buffered == 1
    assert sequencer.on_snapshot(snapshot(2)) is None
    assert sequencer.on_snapshot(snapshot(4)) == [diff(5, 6)]


def test_duplicates_among_the_held_events_are_dropped() -> None:
    sequencer = BookSequencer()
    sequencer.on_diff(diff(3, 4))
    assert sequencer.on_diff(diff(1, 2)) is Verdict.OLD
    assert sequencer.on_diff(diff(3, 4)) is Verdict.OLD
    assert sequencer.buffered == 1


def test_the_buffer_is_bounded_and_then_asks_for_a_newer_snapshot() -> None:
    sequencer = BookSequencer(max_buffered=3)
    for number in range(1, 6):
        sequencer.on_diff(diff(number, number))
    assert sequencer.buffered == 3
    assert sequencer.on_snapshot(snapshot(1)) is None
    assert sequencer.on_snapshot(snapshot(2)) == [diff(3, 3), diff(4, 4), diff(5, 5)]


def test_a_reconnect_that_missed_nothing_needs_no_snapshot() -> None:
    sequencer = live(10)
    sequencer.suspend()
    assert not sequencer.is_live
    assert not sequencer.needs_snapshot
    assert sequencer.on_diff(diff(11, 11)) is Verdict.APPLY
    assert sequencer.is_live


def test_a_reconnect_that_missed_events_needs_a_snapshot() -> None:
    sequencer = live(10)
    sequencer.suspend()
    sequencer.suspend()
    assert sequencer.on_diff(diff(12, 13)) is Verdict.GAP
    assert sequencer.needs_snapshot


def test_ids_that_went_back_over_a_reconnect_need_a_snapshot() -> None:
    sequencer = live(1_000)
    sequencer.suspend()
    assert sequencer.on_diff(diff(5, 6)) is Verdict.GAP
    assert sequencer.on_snapshot(snapshot(5)) == [diff(5, 6)]
    assert sequencer.last_id == 6


def test_events_held_from_a_broken_connection_are_forgotten() -> None:
    sequencer = BookSequencer()
    sequencer.on_diff(diff(1, 2))
    sequencer.suspend()
    assert sequencer.buffered == 0


def test_a_crossed_book_starts_again() -> None:
    sequencer = live(10)
    sequencer.restart()
    assert sequencer.needs_snapshot
