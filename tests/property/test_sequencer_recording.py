"""The sequencer on the real recording, whole and damaged: a wrong book is never served."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryptotrader.core.events import BookSnapshot, DepthDiff
from cryptotrader.services.binance.sequencer import BookSequencer, Verdict
from tests.support.depth_recording import NaiveBook, depth_recording

SLICE = 150
"""Diffs per example; enough for several gaps and recoveries."""


def test_the_whole_recording_equals_the_book_ticker_at_all_1059_equal_ids() -> None:
    diffs, snapshot, tickers = depth_recording()
    sequencer, book, equal = BookSequencer(), NaiveBook(), 0
    for diff in diffs:
        if sequencer.on_diff(diff) is Verdict.APPLY:
            book.apply(diff)
        elif sequencer.needs_snapshot and diff.last_id >= snapshot.last_id:
            held = sequencer.on_snapshot(snapshot)
            assert held is not None
            book.load(snapshot)
            for waiting in held:
                book.apply(waiting)
        ticker = tickers.get(book.last_id)
        if sequencer.is_live and ticker is not None:
            assert book.top() == (ticker.bid, ticker.bid_qty, ticker.ask, ticker.ask_qty)
            equal += 1
    assert sequencer.is_live
    # The README counts those whose ticker arrived first; a few more arrive after the event of the same id.
    assert equal >= 1059


def damage(events: list[DepthDiff], commands: list[tuple[str, int]]) -> list[DepthDiff]:
    """Drop, repeat or move events as the commands say."""
    damaged = list(events)
    for what, where in commands:
        if not damaged:
            break
        index = where % len(damaged)
        match what:
            case "drop":
                damaged.pop(index)
            case "repeat":
                damaged.insert(min(len(damaged), index + 1 + where % 5), damaged[index])
            case _:
                damaged.insert((index + 1 + where % 7) % len(damaged), damaged.pop(index))
    return damaged


COMMANDS = st.lists(st.tuples(st.sampled_from(["drop", "repeat", "move"]), st.integers(0, 10_000)), max_size=12)
LAGS = st.lists(st.integers(-4, 12), max_size=40)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(start=st.integers(10, 6_000), commands=COMMANDS, lags=LAGS)
def test_dropped_repeated_and_reordered_events_never_yield_a_wrong_book(
    start: int, commands: list[tuple[str, int]], lags: list[int]
) -> None:
    diffs, _, _ = depth_recording()
    # Only the levels that these events name matter, so a book that starts empty is as good as any other.
    events = list(diffs[start : start + SLICE])
    truth = NaiveBook()
    truth.last_id = events[0].first_id - 1
    states: dict[int, tuple[dict[int, int], dict[int, int]]] = {}
    snapshots: list[BookSnapshot] = [truth.snapshot()]
    for event in events:
        truth.apply(event)
        states[event.last_id] = (dict(truth.bids), dict(truth.asks))
        snapshots.append(truth.snapshot())
    states[snapshots[0].last_id] = ({}, {})

    sequencer, book = BookSequencer(), NaiveBook()
    wanted = iter(lags)
    for position, event in enumerate(damage(events, commands)):
        if sequencer.on_diff(event) is Verdict.APPLY:
            book.apply(event)
        if sequencer.needs_snapshot:
            # The venue's snapshots may be older or newer than what the stream has shown.
            index = min(max(position + next(wanted, 0), 0), len(snapshots) - 1)
            held = sequencer.on_snapshot(snapshots[index])
            if held is not None:
                book.load(snapshots[index])
                for diff in held:
                    book.apply(diff)
        if sequencer.is_live:
            assert sequencer.last_id == book.last_id
            assert (book.bids, book.asks) == states[book.last_id]
