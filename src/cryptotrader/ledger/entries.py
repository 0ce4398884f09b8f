"""What one journal entry holds: which command it was, when, and the records that it left changed."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEAD = struct.Struct("<qB")
_LENGTH = struct.Struct("<I")


@dataclass(frozen=True)
class Entry:
    """The outcome of one command.

    Attributes:
        command: What was done, for whoever reads the journal; nothing depends on it.
        time_ms: When. Unit: epoch milliseconds.
        records: The changed records, each whole, in an encoding of their owner.
    """

    command: str
    time_ms: int
    records: Sequence[bytes]


def pack_entry(command: str, time_ms: int, records: Iterable[bytes]) -> bytes:
    """The payload of an entry."""
    name = command.encode()
    parts = [_HEAD.pack(time_ms, len(name)), name]
    for record in records:
        parts.append(_LENGTH.pack(len(record)))
        parts.append(record)
    return b"".join(parts)


def unpack_entry(payload: bytes) -> Entry:
    """The entry again.

    Raises:
        ValueError: This is no entry.
    """
    records: list[bytes] = []
    try:
        time_ms, length = _HEAD.unpack_from(payload)
        offset = _HEAD.size + length
        name = payload[_HEAD.size : offset].decode()
        while offset < len(payload):
            start = offset + _LENGTH.size
            offset = start + _LENGTH.unpack_from(payload, offset)[0]
            records.append(payload[start:offset])
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"not a journal entry: {error}") from None
    if offset != len(payload):
        raise ValueError("not a journal entry: a record is cut")
    return Entry(name, time_ms, records)
