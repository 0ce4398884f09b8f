"""The product's own recording format, ``.tape``: about 3 kB per second of a busy market.

Layout: ``MAGIC``, the header's length (4 bytes, little-endian), the header (JSON), then every column compressed on its
own with zlib. A column is stored as multiples of its unit (a greatest common divisor), as differences to the value
before where that is shorter, and byte plane by byte plane: all lowest bytes, then all second bytes and so on, which
puts the zeros of small numbers side by side and needs no loop to read. The same recording always gives the same bytes.
"""

from __future__ import annotations

import math
import sys
import zlib
from array import array
from itertools import accumulate, pairwise
from pathlib import Path

import msgspec

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookSnapshot
from cryptotrader.exchange.market.recordings.columns import COLUMNS, Recording

MAGIC = b"CTTAPE\x01\n"
"""Names the format and its version."""

MAX_HEADER_BYTES = 1_000_000
"""Longest header accepted. Reason: it holds two thousand levels at most, about 60 kB."""

MAX_COLUMN_ROWS = 50_000_000
"""Longest column accepted. Reason: bounds what a damaged file can make us allocate (400 MB)."""

_WORD_BYTES = 8
_LEVEL = 9


class _Column(msgspec.Struct):
    name: str
    rows: int
    unit: int
    is_delta: bool
    stored_bytes: int


class _Header(msgspec.Struct):
    symbol: str
    provenance: str
    last_id: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    columns: list[_Column]


def is_compact(path: Path) -> bool:
    """Whether the file begins like a ``.tape``.

    Raises:
        ConfigError: It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError as problem:
        raise ConfigError(f"tape {path}: {problem}") from None


def dump(recording: Recording) -> bytes:
    """A recording as the bytes of a ``.tape`` file."""
    stored: list[bytes] = []
    columns: list[_Column] = []
    for name in COLUMNS:
        values = recording.columns[name]
        body, unit, is_delta = _shortest(values)
        stored.append(body)
        columns.append(_Column(name, len(values), unit, is_delta, len(body)))
    opening = recording.opening
    header = msgspec.json.encode(
        _Header(
            symbol=recording.symbol,
            provenance=recording.provenance,
            last_id=opening.last_id,
            bids=list(opening.bids),
            asks=list(opening.asks),
            columns=columns,
        )
    )
    return b"".join((MAGIC, len(header).to_bytes(4, "little"), header, *stored))


def load(path: Path) -> Recording:
    """Read a ``.tape`` file.

    Raises:
        ConfigError: It cannot be read, is damaged or of another version.
    """
    try:
        data = path.read_bytes()
        return _parse(data)
    except (OSError, ValueError, zlib.error, OverflowError) as problem:
        raise ConfigError(f"tape {path}: {problem}") from None


def _parse(data: bytes) -> Recording:
    if not data.startswith(MAGIC):
        raise ValueError("not a tape of this version")
    at = len(MAGIC) + 4
    header_bytes = int.from_bytes(data[at - 4 : at], "little")
    if header_bytes > MAX_HEADER_BYTES:
        raise ValueError("header too long")
    header = msgspec.json.decode(data[at : at + header_bytes], type=_Header)
    at += header_bytes
    opening = BookSnapshot(header.symbol, header.last_id, tuple(header.bids), tuple(header.asks))
    recording = Recording(header.symbol, opening, header.provenance)
    if [column.name for column in header.columns] != list(COLUMNS):
        raise ValueError("unexpected columns")
    for column in header.columns:
        recording.columns[column.name] = _restore(data[at : at + column.stored_bytes], column)
        at += column.stored_bytes
    _check(recording)
    return recording


def _check(recording: Recording) -> None:
    """Rows must agree between columns, or playing would fail in the middle."""
    columns = recording.columns
    kinds = [columns["kind"].count(kind) for kind in range(3)]
    if sum(kinds) != len(columns["offset_us"]) or not len(recording):
        raise ValueError("damaged: event counts disagree")
    for name, values in columns.items():
        wanted = {"depth": kinds[0], "trade": kinds[1], "top": kinds[2]}.get(name.partition("_")[0], len(values))
        if len(values) != wanted:
            raise ValueError(f"damaged: column {name} has {len(values)} rows instead of {wanted}")
    levels = sum(columns["depth_bid_count"]) + sum(columns["depth_ask_count"])
    if {len(columns["level_price"]), len(columns["level_qty"])} != {levels}:
        raise ValueError("damaged: level counts disagree")


def _shortest(values: array[int]) -> tuple[bytes, int, bool]:
    unit = math.gcd(*values) or 1
    whole = array("q", (value // unit for value in values))
    delta = array("q", whole[:1])
    delta.extend(after - before for before, after in pairwise(whole))
    plain_body, delta_body = _pack(whole), _pack(delta)
    if len(delta_body) < len(plain_body):
        return delta_body, unit, True
    return plain_body, unit, False


def _pack(values: array[int]) -> bytes:
    # Zigzag: small negative numbers become small positive ones, so that their high bytes are zero as well.
    words = array("Q", ((value << 1) ^ (value >> 63) for value in values))
    if sys.byteorder == "big":
        words.byteswap()
    raw = words.tobytes()
    return zlib.compress(b"".join(raw[plane::_WORD_BYTES] for plane in range(_WORD_BYTES)), _LEVEL)


def _restore(body: bytes, column: _Column) -> array[int]:
    if not 0 <= column.rows <= MAX_COLUMN_ROWS:
        raise ValueError(f"damaged: column {column.name} claims {column.rows} rows")
    size = column.rows * _WORD_BYTES
    unpacker = zlib.decompressobj()
    planes = unpacker.decompress(body, size) if size else b""
    if len(planes) != size:
        raise ValueError(f"damaged: column {column.name} is cut off")
    raw = bytearray(size)
    for plane in range(_WORD_BYTES):
        raw[plane::_WORD_BYTES] = planes[plane * column.rows : (plane + 1) * column.rows]
    words = array("Q")
    words.frombytes(bytes(raw))
    if sys.byteorder == "big":
        words.byteswap()
    values = ((word >> 1) ^ -(word & 1) for word in words)
    if column.is_delta:
        values = accumulate(values)  # type: ignore[assignment]  # both are iterators of int
    return array("q", (value * column.unit for value in values))
