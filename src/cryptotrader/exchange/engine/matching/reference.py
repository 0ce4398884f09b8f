"""The reference price: a moving average of trade prices (``faqs/price_range_execution_rules.md``)."""

from __future__ import annotations

from collections import deque

from cryptotrader.exchange.engine.rules.execution_rules import ReferenceRule

COUNT_SCALE = 10_000
"""Trades are counted with four decimal places, and sums with four more than prices, as the document says."""


class ReferencePrice:
    """Counts and sums of trade prices per bucket of time; the oldest bucket counts in proportion."""

    def __init__(self, rule: ReferenceRule) -> None:
        self.rule = rule
        self._buckets: deque[list[int]] = deque()
        """[open time, count, sum of prices], the last two with four places more."""

    def add(self, price: int, time_ms: int) -> None:
        """Count one trade."""
        opened = time_ms - time_ms % self.rule.bucket_width_ms
        if not self._buckets or self._buckets[-1][0] < opened:
            self._forget(time_ms)
            self._buckets.append([opened, 0, 0])
        bucket = self._buckets[-1]
        bucket[1] += COUNT_SCALE
        bucket[2] += price * COUNT_SCALE

    def value(self, now_ms: int) -> int | None:
        """The reference price; None where nothing traded within the window."""
        cutoff = self._forget(now_ms)
        width = self.rule.bucket_width_ms
        count = total = 0
        for opened, trades, prices in self._buckets:
            expired = max(0, cutoff - opened)
            count += trades - trades * expired // width
            total += prices - prices * expired // width
        return total // count if count else None

    def _forget(self, now_ms: int) -> int:
        width = self.rule.bucket_width_ms
        cutoff = now_ms - width * self.rule.bucket_count
        while self._buckets and self._buckets[0][0] + width <= cutoff:
            self._buckets.popleft()
        return cutoff
