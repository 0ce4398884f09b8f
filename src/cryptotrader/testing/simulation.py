"""Virtual time: an event loop that never waits, so that a simulated minute takes milliseconds and is always the same.

``FakeClock`` suits a test that turns the time itself. Here time turns by itself: whenever every task waits for time,
the loop jumps to the next timer. ``asyncio.timeout``, ``asyncio.sleep`` and ``loop.call_later`` all follow it.

Below it stands what a simulated venue is told to do with a request, and what it remembers.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.testing.clock import START_NS

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.orders import Order

MAX_TURNS = 5_000_000
"""Turns of the loop in one simulation. Reason: a program that spins without waiting must fail, not hang."""

T = TypeVar("T")


class SimulationStuckError(Exception):
    """Every task waits for something that can never happen, or the program spins without waiting."""


class _VirtualSelector(selectors.SelectSelector):
    """Looks at the sockets without waiting and moves the time on instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; where nothing is, the time is ``timeout`` seconds later afterwards."""
        self._turns += 1
        if self._turns > MAX_TURNS:
            # The clean-up has a budget of its own.
            self._turns = 0
            raise SimulationStuckError("the program spins")
        if timeout is None:
            raise SimulationStuckError("every task waits for something that cannot happen")
        if timeout > 0:
            self.now_ns += math.ceil(timeout * NS_PER_S)
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time. It serves no sockets, threads or signals."""

    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._virtual.now_ns / NS_PER_S

    @property
    def now_ns(self) -> int:
        """Virtual nanoseconds since the loop was made."""
        return self._virtual.now_ns


class SimulatedClock:
    """``net.clock.WaitingClock`` on the time of the running ``SimulatedLoop``, with a wall clock that can be set wrong.

    Args:
        offset_s: How far the wall clock is ahead of the true time at first. Unit: seconds.
    """

    def __init__(self, *, offset_s: float = 0.0) -> None:
        self._start_ns = START_NS + int(offset_s * NS_PER_S)

    def now_ns(self) -> int:
        """Wall-clock time in nanoseconds."""
        return self._start_ns + self.monotonic_ns()

    def now_ms(self) -> int:
        """Wall-clock time in milliseconds."""
        return self.now_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        """Nanoseconds since the loop was made."""
        return int(asyncio.get_running_loop().time() * NS_PER_S)

    async def sleep(self, delay_s: float) -> None:
        """Wait on virtual time."""
        await asyncio.sleep(max(0.0, delay_s))

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back; waiting is not affected."""
        self._start_ns += int(seconds * NS_PER_S)


def run_simulated(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a program on virtual time from beginning to end.

    Raises:
        SimulationStuckError: It can never end.
    """
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(main())


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
