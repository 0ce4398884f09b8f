"""A small made-up recording."""

from __future__ import annotations

from cryptotrader.core.events import BookSnapshot
from cryptotrader.exchange.market.recordings.columns import DEPTH, TOP, TRADE, Recording


def small_recording() -> Recording:
    """Three diffs (the first older than the snapshot), two trades and two tops within half a second."""
    recording = Recording("BTCUSDT", BookSnapshot("BTCUSDT", 12, ((100, 5), (99, 6)), ((101, 7), (102, 8))), "made up")
    recording.add(DEPTH, 0)
    recording.add_depth((9, 10), 50_000, [(98, 1)], [])
    recording.add(TOP, 10_000, update_id=10, bid=100, bid_qty=5, ask=101, ask_qty=7)
    recording.add(TRADE, 100_000, id=70, price=101, qty=2, time_ms=50_099, event_ms=50_100, buyer_is_maker=0)
    recording.add(DEPTH, 200_000)
    recording.add_depth((11, 14), 50_200, [(100, 0)], [(101, 5)])
    recording.add(TOP, 250_000, update_id=14, bid=99, bid_qty=6, ask=101, ask_qty=5)
    recording.add(TRADE, 400_000, id=71, price=99, qty=1, time_ms=50_398, event_ms=50_399, buyer_is_maker=1)
    recording.add(DEPTH, 500_000)
    recording.add_depth((15, 20), 50_500, [(100, 3)], [(103, 1)])
    return recording
