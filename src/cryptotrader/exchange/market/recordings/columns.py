"""A recorded market in memory: plain number columns, so that 100,000 events need about ten megabytes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate

from cryptotrader.core.events import BookSnapshot, Level
from cryptotrader.market.book import OrderBook

DEPTH, TRADE, TOP = 0, 1, 2
"""Kinds of recorded events."""

COLUMNS = (
    "kind",
    "offset_us",
    "depth_first_id",
    "depth_last_id",
    "depth_event_ms",
    "depth_bid_count",
    "depth_ask_count",
    "level_price",
    "level_qty",
    "trade_id",
    "trade_price",
    "trade_qty",
    "trade_time_ms",
    "trade_event_ms",
    "trade_buyer_is_maker",
    "top_update_id",
    "top_bid",
    "top_bid_qty",
    "top_ask",
    "top_ask_qty",
)
"""Names of the columns: ``kind`` and ``offset_us`` (time of receipt after the first event) have a row per event, the
``depth_``, ``trade_`` and ``top_`` columns a row per event of that kind, the ``level_`` columns a row per level."""


class Recording:
    """One symbol's recorded events and the book they start from.

    Args:
        symbol: Upper case, ``BTCUSDT``.
        opening: The recorded REST snapshot. Diffs up to its id may be among the events; Binance's recipe drops them.
        provenance: Where the data comes from, for humans.
    """

    def __init__(self, symbol: str, opening: BookSnapshot, provenance: str = "") -> None:
        self.symbol = symbol
        self.opening = opening
        self.provenance = provenance
        self.columns: dict[str, array[int]] = {name: array("q") for name in COLUMNS}

    def add_depth(self, ids: tuple[int, int], event_ms: int, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Append one depth diff; ``ids`` is (U, u)."""
        columns = self.columns
        columns["depth_first_id"].append(ids[0])
        columns["depth_last_id"].append(ids[1])
        columns["depth_event_ms"].append(event_ms)
        for count, levels in (("depth_bid_count", bids), ("depth_ask_count", asks)):
            before = len(columns["level_price"])
            for price, quantity in levels:
                columns["level_price"].append(price)
                columns["level_qty"].append(quantity)
            columns[count].append(len(columns["level_price"]) - before)

    def add(self, kind: int, offset_us: int, **values: int) -> None:
        """Append an event's receipt, and for trades and tops its numbers by column name without the prefix."""
        self.columns["kind"].append(kind)
        self.columns["offset_us"].append(offset_us)
        prefix = "trade_" if kind == TRADE else "top_"
        for name, value in values.items():
            self.columns[prefix + name].append(value)

    def __len__(self) -> int:
        return len(self.columns["kind"])

    @property
    def length_us(self) -> int:
        """Time of receipt of the last event, in microseconds after the first."""
        return self.columns["offset_us"][-1]

    @property
    def trade_count(self) -> int:
        """How many trades are recorded."""
        return len(self.columns["trade_id"])

    @cached_property
    def rows(self) -> array[int]:
        """For each event its row in the columns of its kind."""
        counts = [0, 0, 0]
        rows = array("q")
        for kind in self.columns["kind"]:
            rows.append(counts[kind])
            counts[kind] += 1
        return rows

    @cached_property
    def _level_starts(self) -> array[int]:
        counts = map(sum, zip(self.columns["depth_bid_count"], self.columns["depth_ask_count"], strict=True))
        return array("q", accumulate(counts, initial=0))

    def levels(self, row: int) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Bids and asks of a depth diff, as recorded."""
        start = self._level_starts[row]
        middle = start + self.columns["depth_bid_count"][row]
        end = self._level_starts[row + 1]
        prices, quantities = self.columns["level_price"], self.columns["level_qty"]
        return (
            tuple(zip(prices[start:middle], quantities[start:middle], strict=True)),
            tuple(zip(prices[middle:end], quantities[middle:end], strict=True)),
        )

    @cached_property
    def first_live_row(self) -> int:
        """The first depth diff newer than the opening book (the recipe drops events with ``u <= lastUpdateId``)."""
        last_ids = self.columns["depth_last_id"]
        return next((row for row, last_id in enumerate(last_ids) if last_id > self.opening.last_id), len(last_ids))

    def book_after(self, depth_rows: int) -> OrderBook:
        """The book after the first ``depth_rows`` diffs, by Binance's recipe from the opening book."""
        book = OrderBook(self.symbol)
        book.load(self.opening)
        for row in range(self.first_live_row, depth_rows):
            bids, asks = self.levels(row)
            book.apply(bids, asks, self.columns["depth_last_id"][row])
        return book

    @cached_property
    def closing(self) -> BookSnapshot:
        """The book after the last event."""
        return self.book_after(len(self.columns["depth_last_id"])).snapshot()

    @cached_property
    def origin_ms(self) -> int:
        """The exchange's clock at receipt offset 0, chosen so that no event was received before it happened.

        Recorders' clocks are off (this one by 1.3 s), so event times and receipt times are only comparable after that.
        """
        kinds, offsets, rows = self.columns["kind"], self.columns["offset_us"], self.rows
        stamps = {DEPTH: self.columns["depth_event_ms"], TRADE: self.columns["trade_event_ms"]}
        return max(
            (
                stamps[kind][row] - offset // 1000
                for kind, offset, row in zip(kinds, offsets, rows, strict=True)
                if kind != TOP
            ),
            default=0,
        )
