"""The real recording of BTCUSDT (``../shared/data/binance-recording``), as core events."""

from __future__ import annotations

import functools
import gzip

import msgspec

from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Level
from cryptotrader.core.scaled import parse_scaled
from tests.support.recording import need_recording


class _Data(msgspec.Struct):
    u: int
    s: str
    E: int = 0
    U: int = 0
    b: list[tuple[str, str]] | str = ""
    a: list[tuple[str, str]] | str = ""
    B: str = ""
    A: str = ""


class _Line(msgspec.Struct):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    last_update_id: int = msgspec.field(name="lastUpdateId", default=0)
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []


def _levels(rows: list[tuple[str, str]] | str) -> tuple[Level, ...]:
    assert not isinstance(rows, str)
    return tuple((parse_scaled(price), parse_scaled(qty)) for price, qty in rows)


@functools.cache
def depth_recording() -> tuple[tuple[DepthDiff, ...], BookSnapshot, dict[int, BookTicker]]:
    """All diffs in order, the one snapshot, and the book tickers by update id. Skips where the data is not there."""
    diffs: list[DepthDiff] = []
    tickers: dict[int, BookTicker] = {}
    snapshot: BookSnapshot | None = None
    for path in need_recording():
        with gzip.open(path, "rb") as file:
            for line in file:
                event = msgspec.json.decode(line.partition(b" ")[2], type=_Line)
                if event.stream.endswith("@trade"):
                    continue
                if not event.stream:
                    snapshot = BookSnapshot("BTCUSDT", event.last_update_id, _levels(event.bids), _levels(event.asks))
                    continue
                data = msgspec.json.decode(event.data, type=_Data)
                if event.stream.endswith("@bookTicker"):
                    assert isinstance(data.b, str)
                    assert isinstance(data.a, str)
                    numbers = map(parse_scaled, (data.b, data.B, data.a, data.A))
                    tickers[data.u] = BookTicker("BTCUSDT", data.u, *numbers)
                else:
                    diffs.append(DepthDiff("BTCUSDT", data.U, data.u, _levels(data.b), _levels(data.a), data.E))
    assert snapshot is not None
    return tuple(diffs), snapshot, tickers


class NaiveBook:
    """The obvious order book, to judge others by."""

    def __init__(self) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.last_id = 0

    def load(self, snapshot: BookSnapshot) -> None:
        self.bids, self.asks, self.last_id = dict(snapshot.bids), dict(snapshot.asks), snapshot.last_id

    def apply(self, diff: DepthDiff) -> None:
        for side, levels in ((self.bids, diff.bids), (self.asks, diff.asks)):
            for price, qty in levels:
                if qty:
                    side[price] = qty
                else:
                    side.pop(price, None)
        self.last_id = diff.last_id

    def snapshot(self, limit: int = 5_000) -> BookSnapshot:
        bids = tuple(sorted(self.bids.items(), reverse=True)[:limit])
        asks = tuple(sorted(self.asks.items())[:limit])
        return BookSnapshot("BTCUSDT", self.last_id, bids, asks)

    def top(self) -> tuple[int, int, int, int]:
        bid, ask = max(self.bids), min(self.asks)
        return bid, self.bids[bid], ask, self.asks[ask]
