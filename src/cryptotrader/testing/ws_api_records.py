"""What a simulated venue is told to do with a request, and what it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptotrader.exchange.engine.orders import Order


@dataclass(frozen=True)
class Fault:
    """What happens to one request. The default is: it is carried out and answered."""

    executes: bool = True
    """Whether it is carried out; where it is not, ``status`` and ``code`` are the answer."""
    is_answered: bool = True
    status: int = 200
    """Anything else than 200 is answered instead of the result."""
    code: int = 0
    text: str = ""
    retry_after_s: float | None = None
    bans: bool = False
    """Everything is refused with 418 for ``retry_after_s``, and the connection is closed."""
    work_s: float = 0.001
    """From its arrival to its execution; below the ten seconds after which the venue stops working on it."""
    reply_s: float = 0.0
    """From its execution to its answer."""
    mangles: bool = False
    """Whether the answer is ``MANGLED`` instead of the result."""
    copies: int = 1
    """How often the answer is sent."""
    stray: bytes = b""
    """Something that nobody asked for, sent before the answer."""


@dataclass(frozen=True)
class Receipt:
    """One request as it reached the venue."""

    wire: int
    id: bytes
    method: str
    params: Mapping[str, str]
    arrived_ns: int
    sent_ns: int
    """When it left the client. Unit: monotonic nanoseconds, true time."""


@dataclass(frozen=True)
class Overrun:
    """A request, or a connection, that broke a limit of the venue."""

    at_ns: int
    status: int
    method: str


@dataclass(frozen=True)
class Pause:
    """A pause that the venue asked for."""

    receipt: Receipt
    """Of the request that was refused."""
    status: int
    code: int
    said_ns: int
    until_ns: int
    """Unit of both: monotonic nanoseconds, true time."""


@dataclass(frozen=True)
class Execution:
    """Something that happened to an order."""

    at_ns: int
    """Unit: monotonic nanoseconds, true time."""
    execution_id: int
    order: Order
    """As it was from then on."""
