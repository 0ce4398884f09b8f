"""A protocol on ``/ws`` as a value. Adding one touches neither the router nor the transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec

from cryptotrader.transport.types import Connection


class DialectSession(Protocol):
    """One connection that speaks one protocol. Callbacks are synchronous and short."""

    @property
    def key_id(self) -> str | None:
        """Public id of the key that the client proved to hold; None before."""
        ...

    def on_message(self, data: str | bytes) -> None:
        """A whole message of the client."""
        ...

    def on_close(self) -> None:
        """The connection is gone."""
        ...

    def end(self, code: int, reason: str) -> None:
        """Close the connection from this side, with the words that the protocol has for it."""
        ...


@dataclass(frozen=True)
class Dialect:
    """A protocol that can be spoken on ``/ws``.

    Attributes:
        name: As ``Sec-WebSocket-Protocol`` and ``?dialect=`` spell it.
        claims: Whether a client's first JSON object is of this protocol; the values of its fields are not read.
        open: Begins a session on an open connection; the second argument is the client's address.
    """

    name: str
    claims: Callable[[Mapping[str, msgspec.Raw]], bool]
    open: Callable[[Connection, str], DialectSession]


def has_field(name: str) -> Callable[[Mapping[str, msgspec.Raw]], bool]:
    """The usual test: the first object has this field."""
    return lambda fields: name in fields
