"""What faults do to the messages of streams. Pure: decisions only, sending is the hub's business."""

from __future__ import annotations

import re
from typing import Final

from cryptotrader.exchange.protocol.faults.book import FaultBook
from cryptotrader.exchange.protocol.faults.model import FaultKind
from cryptotrader.exchange.protocol.stream_names import StreamKind, StreamName
from cryptotrader.exchange.protocol.streams.shared import SharedEvent

_FIRST_ID: Final = re.compile(rb'"U":(\d+)')


class Fate:
    """What becomes of one message."""

    __slots__ = ("copies", "delay_ms", "event")

    def __init__(self, event: SharedEvent, copies: int = 1, delay_ms: int = 0) -> None:
        self.event = event
        self.copies = copies
        """How many times it is sent; 0 drops it."""
        self.delay_ms = delay_ms


class StreamFaults:
    """Faults of market streams.

    Args:
        book: The faults that wait.
    """

    def __init__(self, book: FaultBook) -> None:
        self._book = book
        self._first_ids: dict[str, int] = {}

    @property
    def is_idle(self) -> bool:
        """Whether every message is sent as it is."""
        return not self._book.has_streams and not self._first_ids

    def judge(self, name: StreamName, event: SharedEvent, now_ms: int) -> Fate:
        """What becomes of a message."""
        fault = self._book.take_stream(name.kind.value, name.symbol, now_ms=now_ms)
        if fault is not None and fault.kind is FaultKind.STREAM_DROP:
            if not fault.gap and name.kind is StreamKind.DEPTH:
                self._first_ids.setdefault(name.text, _first_id(event))
            return Fate(event, copies=0)
        if name.text in self._first_ids:
            event = _joined(event, self._first_ids.pop(name.text))
        if fault is None:
            return Fate(event)
        if fault.kind is FaultKind.STREAM_DUPLICATE:
            return Fate(event, copies=1 + fault.copies)
        return Fate(event, delay_ms=fault.delay_ms)

    def forget(self, name: str) -> None:
        """Nobody listens to a stream any more."""
        self._first_ids.pop(name, None)


def _first_id(event: SharedEvent) -> int:
    found = _FIRST_ID.search(event.payload(1))
    return int(found[1]) if found is not None else 0


def _joined(event: SharedEvent, first_id: int) -> SharedEvent:
    """The same event with its ids beginning earlier."""
    return SharedEvent(lambda unit: _FIRST_ID.sub(b'"U":%d' % first_id, event.payload(unit), count=1))
