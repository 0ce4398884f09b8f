"""Source 0's market streams as bytes."""

from __future__ import annotations

import json

import pytest

from cryptotrader.core.errors import SequenceGap
from cryptotrader.core.events import DepthDiff, Level
from cryptotrader.core.scaled import SCALE
from cryptotrader.dialects.gateway_streams import (
    DepthMerger,
    best_first,
    encode_depth,
    encode_error,
    encode_snapshot,
    encode_ticker,
)
from tests.support.streams import ticker


def level(price: int, quantity: int) -> Level:
    return (price * SCALE, quantity * SCALE)


def diff(first_id: int, last_id: int, *, bids: list[Level], asks: list[Level]) -> DepthDiff:
    return DepthDiff("BTCUSDT", first_id, last_id, tuple(bids), tuple(asks), event_ms=last_id)


def test_a_ticker_has_the_thirteen_documented_keys_with_the_venues_exact_text() -> None:
    """S0-40."""
    message = json.loads(encode_ticker(ticker()))
    documented = {
        "e": "24hrTicker",
        "E": 1609459200000,
        "s": "BTCUSDT",
        "p": "1000.00000000",
        "P": "2.270",
        "w": "44500.00000000",
        "c": "45000.00000000",
        "Q": "0.01000000",
        "o": "44000.10000000",
        "h": "45500.00000000",
        "l": "43500.00000000",
        "v": "1000.50000000",
        "q": "44500000.00000000",
    }
    assert {key: message[key] for key in documented} == documented
    assert b"\n" not in encode_ticker(ticker())


def test_a_depth_message_states_the_best_levels_first_and_deletions_last() -> None:
    """S0-41, S0-42: the best bid did not change and is stated all the same; the best ask did."""
    change = diff(157, 160, bids=[level(90, 0), level(89, 2), level(88, 1)], asks=[level(101, 0), level(100, 3)])
    message = json.loads(encode_depth(change, level(91, 5), level(100, 3)))
    assert message == {
        "e": "depthUpdate",
        "E": 160,
        "s": "BTCUSDT",
        "U": 157,
        "u": 160,
        "b": [
            ["91.00000000", "5.00000000"],
            ["89.00000000", "2.00000000"],
            ["88.00000000", "1.00000000"],
            ["90.00000000", "0.00000000"],
        ],
        "a": [["100.00000000", "3.00000000"], ["101.00000000", "0.00000000"]],
    }
    assert list(message) == ["e", "E", "s", "U", "u", "b", "a"]


def test_a_change_of_one_side_still_shows_both_best_levels() -> None:
    """S0-42: ``.b[0][0] + " / " + .a[0][0]`` prints for every message."""
    message = json.loads(encode_depth(diff(1, 1, bids=[level(9, 1)], asks=[]), level(10, 1), level(11, 2)))
    assert message["a"] == [["11.00000000", "2.00000000"]]
    assert message["b"][0] == ["10.00000000", "1.00000000"]


def test_an_empty_side_shows_only_what_went() -> None:
    """S0-42."""
    assert best_first([level(10, 0)], None, is_bid=True) == [level(10, 0)]


def test_numbers_keep_eight_places_at_any_size() -> None:
    """C-14."""
    change = diff(1, 1, bids=[(1, 123_456_789_012_345_678)], asks=[(100_000_001, 1)])
    message = json.loads(encode_depth(change, change.bids[0], change.asks[0]))
    assert message["b"] == [["0.00000001", "1234567890.12345678"]]
    assert message["a"] == [["1.00000001", "0.00000001"]]


def test_a_snapshot_is_one_message_that_says_so() -> None:
    """S0-44."""
    payload = encode_snapshot("BTCUSDT", last_id=9, bids=[level(2, 1)], asks=[level(3, 1)], event_ms=5)
    message = json.loads(payload)
    assert (message["U"], message["u"], message["snapshot"]) == (9, 9, True)
    assert message["b"] == [["2.00000000", "1.00000000"]]


def test_merged_changes_do_what_the_single_ones_do() -> None:
    """C-22: U of the first, u of the last, later quantities win, deletions are kept."""
    merger = DepthMerger()
    merger.add(diff(1, 3, bids=[level(10, 1), level(9, 1)], asks=[level(11, 1)]))
    merger.add(diff(4, 4, bids=[level(10, 0)], asks=[]))
    merger.add(diff(5, 8, bids=[level(9, 4)], asks=[level(12, 2)]))
    merged = merger.take()
    assert (merged.first_id, merged.last_id, merged.event_ms) == (1, 8, 8)
    assert merged.bids == (level(10, 0), level(9, 4))
    assert merged.asks == (level(11, 1), level(12, 2))
    assert merger.count == 0


def test_a_merger_refuses_a_hole() -> None:
    """S0-43."""
    merger = DepthMerger()
    with pytest.raises(ValueError):
        merger.take()
    merger.add(diff(1, 3, bids=[], asks=[]))
    with pytest.raises(SequenceGap):
        merger.add(diff(5, 6, bids=[], asks=[]))


def test_errors_have_exactly_two_keys() -> None:
    """S0-56."""
    assert json.loads(encode_error("Invalid symbol", 400)) == {"error": "Invalid symbol", "status": 400}
