"""What one journal entry holds: which command it was, when, and the records that it left changed."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

_ENTRY = struct.Struct("<qB")
_RECORD = struct.Struct("<HI")

Record = tuple[bytes, bytes]
"""(name, data): the whole record as it is from now on. Both in encodings of their owner."""


@dataclass(frozen=True)
class Entry:
    """The outcome of one command.

    Attributes:
        command: What was done, for whoever reads the journal; nothing depends on it.
        time_ms: When. Unit: epoch milliseconds.
        records: The changed records, each name once.
    """

    command: str
    time_ms: int
    records: Mapping[bytes, bytes]


def pack_entry(command: str, time_ms: int, records: Mapping[bytes, bytes]) -> bytes:
    """The payload of an entry."""
    name = command.encode()
    parts = [_ENTRY.pack(time_ms, len(name)), name]
    for record, data in records.items():
        parts += (_RECORD.pack(len(record), len(data)), record, data)
    return b"".join(parts)


def unpack_entry(payload: bytes) -> Entry:
    """The entry again.

    Raises:
        ValueError: This is no entry.
    """
    try:
        time_ms, length = _ENTRY.unpack_from(payload)
        offset = _ENTRY.size + length
        name = payload[_ENTRY.size : offset].decode()
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"not a journal entry: {error}") from None
    records: dict[bytes, bytes] = {}
    apply_entry(payload, records)
    return Entry(name, time_ms, records)


def apply_entry(payload: bytes, records: dict[bytes, bytes]) -> None:
    """Put an entry's records over those of earlier entries.

    Raises:
        ValueError: This is no entry.
    """
    unpack = _RECORD.unpack_from
    size = _RECORD.size
    try:
        offset = _ENTRY.size + payload[_ENTRY.size - 1]
        while offset < len(payload):
            name_length, data_length = unpack(payload, offset)
            start = offset + size
            middle = start + name_length
            offset = middle + data_length
            records[payload[start:middle]] = payload[middle:offset]
    except (struct.error, IndexError) as error:
        raise ValueError(f"not a journal entry: {error}") from None
    if offset != len(payload):
        raise ValueError("not a journal entry: a record is cut")
