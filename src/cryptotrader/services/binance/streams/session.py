"""One connection to the market streams: reads, subscribes, checks acknowledgements. Its owner decides its fate."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Set

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import NotConnected
from cryptotrader.net.clock import WaitingClock
from cryptotrader.net.wire import PlentyWire, Wire
from cryptotrader.services.binance.streams.policy import Control, SilenceWatch, StreamPolicy, next_control

log = get_logger(__name__)

_NOTHING = msgspec.Raw(b"")


class WireEvent(msgspec.Struct, frozen=True, gc=False):
    """One event of a market stream, not decoded yet."""

    stream: str
    """``btcusdt@depth@100ms``."""
    payload: msgspec.Raw
    """The bare event: ``{"e":"depthUpdate",...}``."""
    received_ns: int
    """Monotonic time of arrival."""


class _Frame(msgspec.Struct, gc=False):
    """Everything that comes: ``{"stream":..,"data":..}``, ``{"result":null,"id":1}``, errors, a raw shutdown notice."""

    stream: str = ""
    data: msgspec.Raw = _NOTHING
    id: int | str | None = None
    e: str = ""
    code: int | None = None
    msg: str = ""
    error: msgspec.Raw = _NOTHING


_decode = msgspec.json.Decoder(_Frame).decode
_encode = msgspec.json.Encoder().encode


class StreamSession:
    """One connection from its handshake to its end.

    Events are held until ``release``, so that the owner decides when this connection takes over from an older one.

    Args:
        wire: The open connection.
        wanted: Streams that should be on; looked at again after ``poke``.
        deliver: Called with each event once released.
        clock: Time and waiting.
        policy: Limits.
    """

    def __init__(
        self,
        wire: Wire,
        wanted: Set[str],
        deliver: Callable[[WireEvent], None],
        *,
        clock: WaitingClock,
        policy: StreamPolicy,
    ) -> None:
        self._wire = wire
        self._wanted = wanted
        self._deliver = deliver
        self._clock = clock
        self._policy = policy
        self._held: deque[WireEvent] | None = deque()
        self._asked: set[str] = set()
        self._active: set[str] = set()
        self._pending: dict[int, tuple[Control, int]] = {}
        self._next_id = 1
        self._frame_limit = policy.streams_per_frame
        self._silence = SilenceWatch(policy)
        self._poked = asyncio.Event()
        self.on_change: Callable[[], None] = _nothing
        """Called when the session became ready, ended, or was told that the server shuts down."""
        self.on_full: Callable[[], None] = self.release
        """Called when as many events are held as may be; must call ``release``."""
        self.opened_ns = clock.monotonic_ns()
        self.lifetime_s = policy.replace_after_s
        """Age in seconds at which it should be replaced."""
        self.ended = False
        self.end_reason = ""
        self.is_shutting_down = False
        """The server said ``serverShutdown``."""

    @property
    def is_ready(self) -> bool:
        """Whether every wanted stream has been acknowledged."""
        return not self.ended and self._wanted <= self._active

    @property
    def active(self) -> Set[str]:
        """Streams that the venue has acknowledged."""
        return self._active

    @property
    def silent_s(self) -> float:
        """Seconds since anything came in."""
        return self._wire.silent_s()

    def poke(self) -> None:
        """What is wanted has changed."""
        self._poked.set()

    def release(self) -> None:
        """Hand over what was held, then every event as it comes."""
        held, self._held = self._held, None
        for event in held or ():
            self._deliver(event)

    def mute(self) -> None:
        """Deliver nothing any more."""
        self._deliver = _ignore
        self._held = None

    async def run(self) -> None:
        """Read until the connection ends."""
        try:
            async with asyncio.TaskGroup() as group:
                control = group.create_task(self._control(), name="control")
                await self._read()
                control.cancel()
        except* NotConnected as errors:
            self._end(str(errors.exceptions[0]))
        finally:
            self._end("closed")
            await self._wire.close()

    async def close(self) -> None:
        """End it; ``run`` returns soon after."""
        await self._wire.close()

    async def check(self, now_ns: int, *, mean_s: float | None = None) -> None:
        """Look after the connection; to be called every ``tick_s``.

        Args:
            now_ns: Monotonic time.
            mean_s: Usual interval of its busiest stream in seconds.
        """
        overdue = any(now_ns > deadline for _, deadline in self._pending.values())
        verdict = self._silence.judge(self._wire.silent_s(), now_ns, mean_s=mean_s)
        if verdict == "dead" or overdue:
            self._end("not acknowledged" if overdue else "silent")
            await self._wire.close()
        elif verdict == "ping":
            try:
                await self._wire.ping()
            except NotConnected as error:
                self._end(error.message)

    async def _read(self) -> None:
        wire, monotonic_ns = self._wire, self._clock.monotonic_ns
        receive = wire.recv_all if isinstance(wire, PlentyWire) else self._one
        while True:
            for data in await receive():
                try:
                    frame = _decode(data)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    log.warning("a stream message is no JSON object and is ignored")
                    continue
                if frame.stream and frame.stream[0] != "!":
                    event = WireEvent(frame.stream, frame.data, monotonic_ns())
                    if self._held is None:
                        self._deliver(event)
                    else:
                        self._held.append(event)
                        if len(self._held) >= self._policy.overlap_events:
                            self.on_full()
                elif frame.stream == "!serverShutdown" or frame.e == "serverShutdown":
                    self.is_shutting_down = True
                    self.on_change()
                elif frame.id is not None or frame.code is not None:
                    self._on_answer(frame)

    async def _one(self) -> list[bytes]:
        return [await self._wire.recv()]

    def _on_answer(self, frame: _Frame) -> None:
        control, _ = self._pending.pop(frame.id, (None, 0)) if isinstance(frame.id, int) else (None, 0)
        if frame.code is not None or bytes(frame.error) not in (b"", b"null"):
            self._on_refusal(
                control, f"{frame.code} {frame.msg}" if frame.code is not None else bytes(frame.error).decode()
            )
            return
        if control is None:
            return
        if control.method == "SUBSCRIBE":
            self._active.update(control.streams)
        else:
            self._active.difference_update(control.streams)
        if self.is_ready:
            self.on_change()

    def _on_refusal(self, control: Control | None, text: str) -> None:
        log.warning(f"the venue refused a control frame: {text[:200]}")
        if control is None:
            self._end("control frame refused")
            raise NotConnected("control frame refused")
        is_subscription = control.method == "SUBSCRIBE"
        if len(control.streams) > 1:
            # One bad name must not take the others along: ask for each by itself from now on.
            self._frame_limit = 1
            (self._asked.difference_update if is_subscription else self._asked.update)(control.streams)
        elif is_subscription:
            # Asking again would not help; the rest of the connection works.
            self._active.update(control.streams)
        self.poke()
        if self.is_ready:
            self.on_change()

    async def _control(self) -> None:
        policy = self._policy
        while True:
            control = next_control(self._wanted, self._asked, limit=self._frame_limit)
            if control is None:
                self._poked.clear()
                self.on_change()
                await self._poked.wait()
                continue
            number, self._next_id = self._next_id, self._next_id + 1
            deadline_ns = self._clock.monotonic_ns() + int(policy.ack_timeout_s * NS_PER_S)
            self._pending[number] = (control, deadline_ns)
            if control.method == "SUBSCRIBE":
                self._asked.update(control.streams)
            else:
                self._asked.difference_update(control.streams)
            await self._wire.send(_encode({"method": control.method, "params": control.streams, "id": number}))
            await self._clock.sleep(policy.control_interval_s)

    def _end(self, reason: str) -> None:
        if not self.ended:
            self.ended = True
            self.end_reason = reason
            self.on_change()


def _nothing() -> None:
    """Nobody wants to know."""


def _ignore(event: WireEvent) -> None:
    """Events of a connection that has been replaced."""
