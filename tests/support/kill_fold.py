"""An independent reading of the paper exchange's journal: from the bytes of all segments to the state they lead to.

It shares no code with ``cryptotrader.ledger``, and it looks at the journal only, never at the store.
"""

from __future__ import annotations

import struct
import zlib
from collections import defaultdict
from pathlib import Path
from typing import cast

import msgspec

from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.orders import Fill, Order
from cryptotrader.exchange.records import Records
from cryptotrader.exchange.store import Store
from tests.support.paper import BTC

RULES = (BTC,)
HEAD_BYTES = 28


class Fold:
    """Every record as the journal's entries up to some number leave it."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.commands: dict[str, int] = defaultdict(int)
        self.last = 0
        self._crc: int | None = None

    def read_all(self, archive: Path, last: int) -> None:
        """Go on to entry ``last`` in the segments of a folder.

        Raises:
            AssertionError: An entry is missing, there twice, or not as it was written.
        """
        for path in sorted(archive.iterdir()):
            data = path.read_bytes()
            offset = 0
            while offset < len(data):
                offset = self._read_frame(data, offset, last)
        assert self.last == last, f"the journal ends at entry {self.last}, the exchange says {last}"

    def _read_frame(self, data: bytes, offset: int, last: int) -> int:
        numbers: tuple[int, int, int, int, int] = struct.unpack_from("<xxxxIIQII", data, offset)
        crc, length, first, count, previous = numbers
        end = offset + HEAD_BYTES + length
        if first <= self.last or first > last:
            return end  # Read before; or newer, and perhaps just being written.
        assert zlib.crc32(data[offset + 8 : end]) == crc, f"entry {first} is damaged"
        assert first == self.last + 1, f"entries {self.last + 1} to {first - 1} are missing"
        assert self._crc in (None, previous) or not previous, f"entry {first} does not follow the one before"
        at = offset + HEAD_BYTES
        for _ in range(count):
            size = int.from_bytes(data[at : at + 4], "little")
            self._apply(data[at + 4 : at + 4 + size])
            at += 4 + size
        assert at == end
        self.last, self._crc = first + count - 1, crc
        return end

    def _apply(self, payload: bytes) -> None:
        at = 9 + payload[8]
        self.commands[payload[9:at].decode()] += 1
        while at < len(payload):
            head_size = int.from_bytes(payload[at : at + 2], "little")
            size = int.from_bytes(payload[at + 2 : at + 6], "little")
            kind, key, rest = payload[at + 6 : at + 6 + head_size].split(b"\0")
            assert not rest
            at += 6 + head_size + size
            self.kinds[kind.decode()][key.decode()] = payload[at - size : at]

    # What a store is asked, so that the records' own reader makes the state of it.

    @property
    def path(self) -> Path:
        """For a message."""
        return Path("journal")

    def read(self, kind: str) -> list[tuple[str, bytes]]:
        """As ``Store.read``."""
        return sorted(self.kinds[kind].items())

    def each(self, kind: str) -> list[bytes]:
        """As ``Store.each``."""
        return [data for _, data in self.read(kind)]

    def engine(self) -> Engine:
        """An engine in the state that the journal leads to."""
        engine = Engine(RULES)
        engine.restore(Records(cast(Store, self)).load().state)
        return engine

    def orders(self) -> list[Order]:
        """All orders."""
        return [msgspec.json.decode(data, type=Order) for _, data in self.read("order")]

    def fills(self) -> list[Fill]:
        """All fills."""
        return [msgspec.json.decode(data, type=Fill) for _, data in self.read("fill")]
