"""Makes a compact ``.tape`` of a recording, or of its beginning.

::

    python -m cryptotrader.exchange.market.convert OUT.tape SECONDS PROVENANCE RECORDING...
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from pathlib import Path

from cryptotrader.exchange.market.recordings import compact
from cryptotrader.exchange.market.recordings.columns import DEPTH, TOP, TRADE, Recording
from cryptotrader.exchange.market.recordings.raw import read_raw

US_PER_S = 1_000_000


def beginning(recording: Recording, seconds: float) -> Recording:
    """The events received in the first ``seconds`` of a recording."""
    cut = bisect_right(recording.columns["offset_us"], int(seconds * US_PER_S))
    kinds = recording.columns["kind"][:cut]
    counts = {"depth": kinds.count(DEPTH), "trade": kinds.count(TRADE), "top": kinds.count(TOP)}
    depth = counts["depth"]
    counts["level"] = sum(recording.columns["depth_bid_count"][:depth]) + sum(
        recording.columns["depth_ask_count"][:depth]
    )
    part = Recording(recording.symbol, recording.opening, recording.provenance)
    for name, values in recording.columns.items():
        part.columns[name] = array("q", values[: counts.get(name.partition("_")[0], cut)])
    return part


def convert(sources: list[Path], target: Path, *, seconds: float, provenance: str) -> int:
    """Write a compact tape; returns its size in bytes.

    Raises:
        ConfigError: A source cannot be read.
    """
    recording = beginning(read_raw(sources), seconds)
    recording.provenance = provenance
    return target.write_bytes(compact.dump(recording))


if __name__ == "__main__":
    out, length, origin, *files = sys.argv[1:]
    convert([Path(name) for name in files], Path(out), seconds=float(length), provenance=origin)
