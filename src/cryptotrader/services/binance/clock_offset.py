"""How far the venue's clock is from ours. Pure: it is fed with times and asked for one.

Binance refuses a timestamp more than one second ahead of its clock or older than ``recvWindow``
(``rest-api.md``, "Timing security").
"""

from __future__ import annotations

from collections import deque

from cryptotrader.core.clock import NS_PER_MS

MAX_SAMPLES = 8
"""Answers to ``time`` that are remembered. Reason: the quickest of a few has the smallest error."""

DATE_RESOLUTION_MS = 1_000
"""A ``Date`` header is cut to whole seconds."""


class ClockOffset:
    """The difference venue minus us, in milliseconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int]] = deque(maxlen=MAX_SAMPLES)
        self.offset_ms = 0
        self.error_ms: int | None = None
        """Half the round trip of the sample in use; None while only ``Date`` headers were seen."""
        self.margin_ms = 0
        """The last that was known of ``error_ms``: it stays while the clocks are compared anew."""

    def sample(self, sent_ns: int, received_ns: int, server_ms: int) -> None:
        """The venue's own time, from ``GET /api/v3/time``; the quickest answer of the last few counts."""
        round_trip_ms = max(0, received_ns - sent_ns) // NS_PER_MS
        middle_ms = (sent_ns + received_ns) // (2 * NS_PER_MS)
        self._samples.append((round_trip_ms, server_ms - middle_ms))
        best = min(self._samples)
        self.error_ms, self.offset_ms = best[0] // 2, best[1]
        self.margin_ms = self.error_ms

    def forget(self) -> None:
        """The venue disagreed with our timestamp: what was learnt before is worth nothing."""
        self._samples.clear()
        self.error_ms = None

    def date(self, sent_ns: int, received_ns: int, date_ms: int) -> None:
        """A ``Date`` header bounds the offset to about a second; an offset outside those bounds is moved to them.

        It only bridges the time until the first ``sample``: something between us and the venue may have written it.
        """
        if self._samples:
            return
        low = date_ms - received_ns // NS_PER_MS
        high = date_ms + DATE_RESOLUTION_MS - sent_ns // NS_PER_MS
        self.offset_ms = min(max(self.offset_ms, low), high)

    def timestamp_ms(self, now_ns: int) -> int:
        """What a request signed now should say."""
        return now_ns // NS_PER_MS + self.offset_ms
