"""Reads raw stream recordings: ``<receive time, ns> <JSON as Binance sent it>`` per line, one line a REST snapshot.

A line of such a file::

    1723161254087891268 {"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000",...}}
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookSnapshot, Level
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.exchange.market.recordings.columns import DEPTH, TOP, TRADE, Recording

_NS_PER_US = 1_000
_GZIP_MAGIC = b"\x1f\x8b"

_Texts = list[tuple[str, str]]


class _Data(msgspec.Struct):
    """The payload of any of the three streams; names as on the wire, a field absent where the stream has it not."""

    s: str
    e: str = "bookTicker"
    E: int = 0
    U: int = 0
    u: int = 0
    t: int = 0
    T: int = 0
    p: str = ""
    q: str = ""
    m: bool = False
    b: _Texts | str = ""
    a: _Texts | str = ""
    B: str = ""
    A: str = ""


class _Line(msgspec.Struct):
    """Either an envelope of a combined stream or the snapshot."""

    data: _Data | None = None
    lastUpdateId: int = 0  # noqa: N815 - Binance's name
    bids: _Texts = []
    asks: _Texts = []


def read_raw(paths: Sequence[Path]) -> Recording:
    """Read consecutive raw recordings of one symbol as one.

    Raises:
        ConfigError: A file cannot be read, is of another format, holds no snapshot, or the files are not in order.
    """
    rows: list[tuple[int, _Data]] = []
    snapshot: _Line | None = None
    for path in paths:
        for received_ns, line in _lines(path):
            if line.data is None:
                # Later snapshots of the same recording only repeat what the diffs tell.
                snapshot = snapshot or line
            elif rows and received_ns < rows[-1][0]:
                raise ConfigError(f"recording {path}: events are not in the order of their receipt")
            elif line.data.e in ("bookTicker", "depthUpdate", "trade"):
                rows.append((received_ns, line.data))
    names = ", ".join(path.name for path in paths)
    if snapshot is None or not rows:
        raise ConfigError(f"recording {names}: no order book snapshot or no events in it")
    symbols = {data.s for _, data in rows}
    if len(symbols) > 1:
        raise ConfigError(f"recording {names}: more than one symbol ({', '.join(sorted(symbols))})")
    symbol = symbols.pop()
    opening = BookSnapshot(symbol, snapshot.lastUpdateId, _levels(snapshot.bids), _levels(snapshot.asks))
    recording = Recording(symbol, opening, provenance=names)
    first_ns = rows[0][0]
    for received_ns, data in rows:
        _add(recording, (received_ns - first_ns) // _NS_PER_US, data)
    return recording


def _lines(path: Path) -> Iterator[tuple[int, _Line]]:
    decoder = msgspec.json.Decoder(_Line)
    try:
        with path.open("rb") as probe:
            is_gzip = probe.read(2) == _GZIP_MAGIC
        with gzip.open(path, "rb") if is_gzip else path.open("rb") as stream:
            for number, text in enumerate(stream, 1):
                stamp, _, body = text.partition(b" ")
                try:
                    yield int(stamp), decoder.decode(body)
                except ValueError as problem:
                    raise ConfigError(f"recording {path}, line {number}: {problem}") from None
    except (OSError, EOFError) as problem:
        raise ConfigError(f"recording {path}: {problem}") from None


def _levels(texts: _Texts | str) -> tuple[Level, ...]:
    assert not isinstance(texts, str)
    return tuple((parse_scaled(price), parse_scaled(quantity)) for price, quantity in texts)


def _add(recording: Recording, offset_us: int, data: _Data) -> None:
    if data.e == "depthUpdate":
        recording.add(DEPTH, offset_us)
        recording.add_depth((data.U, data.u), data.E, _levels(data.b), _levels(data.a))
    elif data.e == "trade":
        recording.add(
            TRADE,
            offset_us,
            id=data.t,
            price=parse_scaled(data.p),
            qty=parse_scaled(data.q),
            time_ms=data.T,
            event_ms=data.E,
            buyer_is_maker=int(data.m),
        )
    else:
        assert isinstance(data.b, str)
        assert isinstance(data.a, str)
        recording.add(
            TOP,
            offset_us,
            update_id=data.u,
            bid=parse_scaled(data.b),
            bid_qty=parse_scaled(data.B),
            ask=parse_scaled(data.a),
            ask_qty=parse_scaled(data.A),
        )
