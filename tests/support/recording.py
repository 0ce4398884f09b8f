"""The real recording as an oracle: what the best bid and ask were at an update id, and the book at the end."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "binance-recording"
FILES = tuple(FOLDER / name for name in ("btcusdt_20240808.gz", "btcusdt_20240809.gz"))

MISSING = (
    "the recording is missing; put shared/data/binance-recording beside the project's folder (its files are in the "
    "repository nkaz001/hftbacktest, folder examples/spot)"
)

needs_recording = pytest.mark.skipif(not all(path.exists() for path in FILES), reason=MISSING)
"""For a test that reads the files itself."""

Top = tuple[str, str, str, str]
"""Best bid, its quantity, best ask, its quantity."""

EQUAL_IDS = 1_072
"""How many recorded book tickers bear the last update id of a recorded depth event. The recording's README counts
1,059: without the thirteen after which a newer book ticker was received before the depth event."""


def need_recording() -> tuple[Path, ...]:
    """Paths of the recording, or a skip that says what is missing."""
    if not all(path.exists() for path in FILES):
        pytest.skip(MISSING)
    return FILES


def lines() -> Iterator[dict[str, Any]]:
    """Recorded messages in order."""
    for path in need_recording():
        with gzip.open(path, "rt") as file:
            for line in file:
                yield json.loads(line.split(" ", 1)[1])


@lru_cache(maxsize=1)
def oracle() -> tuple[dict[int, Top], list[int]]:
    """Book tickers by update id, and the last update id of every depth event."""
    tops: dict[int, Top] = {}
    ends: list[int] = []
    for message in lines():
        data = message.get("data")
        if data is None:
            continue
        if message["stream"].endswith("@bookTicker"):
            tops[data["u"]] = (data["b"], data["B"], data["a"], data["A"])
        elif data["e"] == "depthUpdate":
            ends.append(data["u"])
    return tops, ends


@lru_cache(maxsize=1)
def final_book() -> tuple[int, dict[str, str], dict[str, str]]:
    """Snapshot plus differences by Binance's recipe: last update id, bids, asks."""
    bids: dict[str, str] = {}
    asks: dict[str, str] = {}
    waiting: list[dict[str, Any]] = []
    last = 0
    for message in lines():
        if "lastUpdateId" in message:
            last = message["lastUpdateId"]
            bids, asks = dict(message["bids"]), dict(message["asks"])
            for data in waiting:
                last = _apply(data, last, bids, asks)
        elif message["stream"].endswith("@depth@100ms"):
            if last:
                last = _apply(message["data"], last, bids, asks)
            else:
                waiting.append(message["data"])
    return last, bids, asks


def _apply(data: dict[str, Any], last: int, bids: dict[str, str], asks: dict[str, str]) -> int:
    if data["u"] <= last:
        return last
    for side, levels in ((bids, data["b"]), (asks, data["a"])):
        for price, qty in levels:
            if float(qty):
                side[price] = qty
            else:
                side.pop(price, None)
    return int(data["u"])


class ClientBook:
    """A book built from nothing but the messages of ``/ws/depth``; checks numbering and best levels as it goes."""

    def __init__(self) -> None:
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}
        self.last = 0
        self.messages = 0
        self.faults: list[str] = []

    def apply(self, message: dict[str, Any]) -> None:
        """Take one message in."""
        if message.get("snapshot"):
            self.bids.clear()
            self.asks.clear()
        elif message["U"] != self.last + 1:
            self.faults.append(f"U {message['U']} after u {self.last}")
        for side, levels in ((self.bids, message["b"]), (self.asks, message["a"])):
            for price, qty in levels:
                if qty == "0.00000000":
                    side.pop(price, None)
                else:
                    side[price] = qty
        self.last = message["u"]
        self.messages += 1

    def top(self) -> Top:
        """Best levels of the book as it stands."""
        bid, ask = max(self.bids, key=float), min(self.asks, key=float)
        return bid, self.bids[bid], ask, self.asks[ask]
