"""A topic hands each event to all who subscribed, at once and in order, in the process and thread of its one writer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Subscription:
    """What ``Topic.subscribe`` returns. Closing it twice is harmless."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel: Callable[[], None] | None = cancel

    def close(self) -> None:
        """No event arrives after this returns."""
        if self._cancel is not None:
            cancel, self._cancel = self._cancel, None
            cancel()


class Topic(Generic[T]):
    """One writer, any number of readers. Nothing is kept: who subscribes later sees later events.

    Readers are called synchronously, must be short and must not raise; a reader that needs to wait puts the event into
    a bounded mailbox of its own.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._readers: dict[int, Callable[[T], None]] = {}
        self._next = 0
        self._view: tuple[Callable[[T], None], ...] = ()

    @property
    def reader_count(self) -> int:
        """How many are subscribed now."""
        return len(self._readers)

    def subscribe(self, reader: Callable[[T], None]) -> Subscription:
        """Call ``reader`` with every event from now on."""
        token = self._next
        self._next += 1
        self._readers[token] = reader
        self._view = tuple(self._readers.values())

        def cancel() -> None:
            del self._readers[token]
            self._view = tuple(self._readers.values())

        return Subscription(cancel)

    def publish(self, event: T) -> None:
        """Hand ``event`` to everyone who is subscribed at this moment."""
        for reader in self._view:
            reader(event)
