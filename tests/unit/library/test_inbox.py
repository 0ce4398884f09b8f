"""What waits for one reader of a book is bounded, and what is merged does the same as what it stands for."""

from __future__ import annotations

import random

import pytest

from cryptotrader.core.errors import SequenceGap
from cryptotrader.core.events import BookSnapshot, DepthDiff
from cryptotrader.library.inbox import MAX_MERGED_PRICES, ChangeInbox
from cryptotrader.market.book import OrderBook


def diff(number: int, *bids: tuple[int, int]) -> DepthDiff:
    return DepthDiff("BTCUSDT", number, number, bids, (), number)


def started(capacity: int) -> ChangeInbox:
    inbox = ChangeInbox(capacity)
    assert inbox.snapshot_taken() == 0
    return inbox


def test_a_reader_begins_with_the_whole_book_and_changes_before_it_are_part_of_it() -> None:
    inbox = ChangeInbox(4)
    inbox.put(diff(1), "diff")
    inbox.put(diff(2), "diff")
    assert inbox.needs_snapshot
    assert inbox.take() is None
    assert inbox.snapshot_taken() == 2
    inbox.put(diff(3), "diff")
    waiting = inbox.take()
    assert waiting is not None
    assert (waiting.first_id, waiting.last_id, waiting.count) == (3, 3, 1)


def test_one_change_too_many_merges_all_that_wait_and_says_how_many() -> None:
    inbox = started(2)
    inbox.put(diff(1, (100, 1)), "diff")
    inbox.put(diff(2, (100, 2), (101, 5)), "resync")
    inbox.put(diff(3, (101, 0)), "diff")
    assert len(inbox) == 1
    waiting = inbox.take()
    assert waiting is not None
    assert (waiting.first_id, waiting.last_id, waiting.count, waiting.kind) == (1, 3, 3, "resync")
    assert waiting.bids == {100: 2, 101: 0}


def test_a_restart_makes_what_waited_worthless_and_asks_for_the_whole_book() -> None:
    inbox = started(4)
    inbox.put(diff(8), "diff")
    inbox.put(diff(1), "restart")
    inbox.put(diff(2), "diff")
    assert inbox.take() is None
    assert inbox.needs_snapshot
    assert inbox.snapshot_taken() == 3


def test_a_merged_change_longer_than_a_book_is_given_up_for_the_book() -> None:
    inbox = started(1)
    inbox.put(diff(1, *((price, 1) for price in range(MAX_MERGED_PRICES))), "diff")
    inbox.put(diff(2, (MAX_MERGED_PRICES, 1)), "diff")
    assert len(inbox) == 0
    assert inbox.needs_snapshot
    assert inbox.snapshot_taken() == 2


def test_changes_that_do_not_follow_each_other_are_never_merged_in_silence() -> None:
    inbox = started(1)
    inbox.put(diff(1), "diff")
    with pytest.raises(SequenceGap):
        inbox.put(diff(3), "diff")


@pytest.mark.parametrize("seed", range(20))
def test_a_slow_reader_ends_with_the_same_book_whatever_was_merged(seed: int) -> None:
    draw = random.Random(seed)
    source, copy = OrderBook("BTCUSDT"), OrderBook("BTCUSDT")
    inbox = started(draw.randint(1, 6))
    for number in range(1, 200):
        change = diff(number, *((draw.randint(1, 30), draw.randint(0, 3)) for _ in range(draw.randint(1, 5))))
        source.apply(change.bids, change.asks, change.last_id)
        inbox.put(change, "diff")
        assert len(inbox) <= 6
        if draw.random() < 0.3 and (waiting := inbox.take()) is not None:
            assert waiting.first_id == copy.last_id + 1
            copy.apply(waiting.bids.items(), waiting.asks.items(), waiting.last_id)
    while (waiting := inbox.take()) is not None:
        copy.apply(waiting.bids.items(), waiting.asks.items(), waiting.last_id)
    assert copy == source
    assert copy.snapshot() == BookSnapshot("BTCUSDT", 199, tuple(source.bids()), ())
