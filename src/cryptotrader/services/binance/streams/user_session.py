"""One connection that brings the account's own events, by signature or by listen key."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec

from cryptotrader.config import REDACTOR, get_logger
from cryptotrader.core.errors import NotConnected, VenueAuthError, VenueError, VenueRejected, VenueTimeout
from cryptotrader.net.ws import Connector, Wire
from cryptotrader.services.binance.request import Params, RequestSpec
from cryptotrader.services.binance.restAPI.errors import error_of
from cryptotrader.services.binance.signing import Credentials, signing_payload_ws
from cryptotrader.services.binance.streams.policy import SilenceWatch
from cryptotrader.services.binance.websocketAPI.session_requests import session_subscriptions
from cryptotrader.services.binance.websocketAPI.user_data_stream_requests import (
    ping_user_data_stream,
    start_user_data_stream,
    stop_user_data_stream,
    subscribe_by_signature,
    unsubscribe_user_data_stream,
)

log = get_logger(__name__)

REPLY_TIMEOUT_S = 10.0
"""Longest wait for an answer on the WebSocket API. Unit: seconds. Source: S0-55."""

RELEASE_TIMEOUT_S = 1.5
"""Longest wait while giving a subscription back. Unit: seconds. Reason: a shutdown must be over within ten."""

MAX_HELD = 5_000
"""Events held until this connection takes over. Unit: events. Overflow: it takes over at once."""

REPLACE_EVENTS = frozenset({"serverShutdown", "eventStreamTerminated", "listenKeyExpired"})
"""Events about the stream, not about the account: they make us connect anew and are not handed on."""

P = TypeVar("P", bound=Params)
R = TypeVar("R")


class KeyRest(Protocol):
    """REST, for listen keys."""

    async def call(self, spec: RequestSpec[P, R], params: P) -> R:
        """Send a request; raises VenueError."""
        ...

    async def sync_clock(self) -> int:
        """Learn the venue's time; raises VenueError."""
        ...


class _Reply(msgspec.Struct, gc=False):
    """Everything that comes: an answer, a wrapped event, a bare event, an enveloped event."""

    id: int | str | None = None
    status: int = 0
    result: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")
    event: msgspec.Raw = msgspec.Raw(b"")
    data: msgspec.Raw = msgspec.Raw(b"")
    e: str = ""


class _Kind(msgspec.Struct, gc=False):
    e: str = ""


_decode = msgspec.json.Decoder(_Reply).decode
_kind = msgspec.json.Decoder(_Kind).decode


class UserSession(ABC):
    """From the handshake to the end. Events are held until ``release``.

    Args:
        wire: The open connection.
        deliver: Called with each bare event once released.
    """

    def __init__(self, wire: Wire, deliver: Callable[[bytes], None]) -> None:
        self._wire = wire
        self._deliver = deliver
        self._held: deque[bytes] | None = deque()
        self._pending: dict[int, asyncio.Future[_Reply]] = {}
        self._next_id = 1
        self.on_full: Callable[[], None] = self.release
        self.on_change: Callable[[], None] = _nothing
        """Called when the session ended or asked to be replaced."""
        self.ended = False
        self.end_reason = ""
        self.replace_because = ""
        """Why a successor is needed, though this one may still be open."""

    @abstractmethod
    async def subscribe(self) -> None:
        """Make events flow; raises VenueError or NotConnected."""

    @abstractmethod
    async def keep_alive(self) -> None:
        """Renew or verify the subscription (S0-45, C-23); raises VenueError or NotConnected."""

    @abstractmethod
    async def give_back(self, *, is_last: bool) -> None:
        """Release what the venue holds for us; ``is_last`` where no other session takes over."""

    def release(self) -> None:
        """Hand over what was held, then every event as it comes."""
        held, self._held = self._held, None
        for payload in held or ():
            self._deliver(payload)

    def mute(self) -> None:
        """Deliver nothing any more, and ask for nothing."""
        self._held = None
        self._deliver = _ignore
        self.on_change = _nothing

    async def run(self) -> None:
        """Read until the connection ends."""
        try:
            while True:
                self._on_message(await self._wire.recv())
        except NotConnected as error:
            self._end(error.message)
        finally:
            self._end("closed")
            for waiter in self._pending.values():
                if not waiter.done():
                    waiter.cancel()
            await self._wire.close()

    async def close(self) -> None:
        """End the connection; ``run`` returns soon after."""
        await self._wire.close()

    async def check(self, watch: SilenceWatch, now_ns: int) -> None:
        """Look after a connection on which nothing may happen for hours."""
        try:
            match watch.judge(self._wire.silent_s(), now_ns):
                case "dead":
                    self._end("silent")
                    await self._wire.close()
                case "ping":
                    await self._wire.ping()
                case "fine":
                    pass
        except NotConnected as error:
            self._end(error.message)

    async def _ask(self, method: str, params: dict[str, Any], *, timeout_s: float = REPLY_TIMEOUT_S) -> msgspec.Raw:
        """One request on the WebSocket API and its result."""
        number, self._next_id = self._next_id, self._next_id + 1
        waiter: asyncio.Future[_Reply] = asyncio.get_running_loop().create_future()
        self._pending[number] = waiter
        try:
            await self._wire.send(msgspec.json.encode({"id": number, "method": method, "params": params}))
            async with asyncio.timeout(timeout_s):
                reply = await waiter
        except TimeoutError:
            raise VenueTimeout(f"no answer to {method}") from None
        except asyncio.CancelledError:
            if self.ended and waiter.cancelled():
                raise NotConnected(self.end_reason) from None
            raise
        finally:
            del self._pending[number]
        if reply.status != 200:
            raise error_of(reply.status, bytes(reply.error), {}, now_ms=0)
        return reply.result

    def _on_message(self, data: bytes) -> None:
        try:
            message = _decode(data)
            payload = bytes(message.event) or bytes(message.data) or (data if message.e else b"")
            kind = message.e or (_kind(payload).e if payload else "")
        except (msgspec.DecodeError, UnicodeDecodeError):
            log.warning("a user data message is no JSON object and is ignored")
            return
        if payload:
            self._on_event(kind, payload)
        elif isinstance(message.id, int) and message.id in self._pending and not self._pending[message.id].done():
            self._pending[message.id].set_result(message)

    def _on_event(self, kind: str, payload: bytes) -> None:
        if kind in REPLACE_EVENTS:
            self.ask_replacement(kind)
        elif self._held is None:
            self._deliver(payload)
        else:
            self._held.append(payload)
            if len(self._held) >= MAX_HELD:
                self.on_full()

    def ask_replacement(self, reason: str) -> None:
        """A successor is needed."""
        self.replace_because = self.replace_because or reason
        self.on_change()

    def _end(self, reason: str) -> None:
        if not self.ended:
            self.ended = True
            self.end_reason = reason
            self.on_change()


class SignatureSession(UserSession):
    """``userDataStream.subscribe.signature`` on the WebSocket API: any kind of key, no logon.

    Binance: ``web-socket-api.md``, "Subscribe to User Data Stream through signature subscription".
    """

    def __init__(
        self, wire: Wire, deliver: Callable[[bytes], None], *, credentials: Credentials, now_ms: Callable[[], int]
    ) -> None:
        super().__init__(wire, deliver)
        self._credentials = credentials
        self._now_ms = now_ms
        self._subscription_id: int | None = None

    async def subscribe(self) -> None:
        """Sign and subscribe."""
        params: dict[str, Any] = {"apiKey": self._credentials.api_key, "timestamp": self._now_ms()}
        payload = signing_payload_ws({name: str(value) for name, value in params.items()})
        params["signature"] = self._credentials.signer.sign(payload)
        result = await self._ask(subscribe_by_signature.SPEC.method, params)
        self._subscription_id = msgspec.json.decode(result, type=subscribe_by_signature.SPEC.result).subscription_id

    async def keep_alive(self) -> None:
        """See that the venue still lists the subscription."""
        result = await self._ask(session_subscriptions.SPEC.method, {})
        listed = msgspec.json.decode(result, type=session_subscriptions.SPEC.result)
        if self._subscription_id not in [row.subscription_id for row in listed]:
            raise VenueRejected("the subscription is gone", venue_code=0)

    async def give_back(self, *, is_last: bool) -> None:
        """Unsubscribe; the connection is ours alone."""
        params = {} if self._subscription_id is None else {"subscriptionId": self._subscription_id}
        await self._ask(unsubscribe_user_data_stream.SPEC.method, params, timeout_s=RELEASE_TIMEOUT_S)


class ListenKeySession(UserSession):
    """``/ws/<listenKey>``, for venues that still have it (S0-45)."""

    def __init__(self, wire: Wire, deliver: Callable[[bytes], None], *, rest: KeyRest, listen_key: str) -> None:
        super().__init__(wire, deliver)
        self._rest = rest
        self._listen_key = listen_key

    def __repr__(self) -> str:
        return "ListenKeySession(***)"

    async def subscribe(self) -> None:
        """Nothing to do: the address is the subscription."""

    async def keep_alive(self) -> None:
        """Renew the key for another hour."""
        params = ping_user_data_stream.PingStreamParams(listen_key=self._listen_key)
        await self._rest.call(ping_user_data_stream.SPEC, params)

    async def give_back(self, *, is_last: bool) -> None:
        """Delete the key, unless a successor uses it: the venue gives an account one key at a time."""
        if is_last:
            params = stop_user_data_stream.StopStreamParams(listen_key=self._listen_key)
            async with asyncio.timeout(RELEASE_TIMEOUT_S):
                await self._rest.call(stop_user_data_stream.SPEC, params)


class SessionMaker:
    """Opens sessions by the one way or the other.

    Args:
        ws_api_url: Whole address of the WebSocket API.
        stream_url: In front of ``/ws/<listenKey>``.
        connect: Opens a connection.
        rest: For listen keys.
        credentials: None means that nothing can be opened.
        now_ms: The venue's time, for signatures.
    """

    def __init__(
        self,
        *,
        ws_api_url: str,
        stream_url: str,
        connect: Connector,
        rest: KeyRest,
        credentials: Credentials | None,
        now_ms: Callable[[], int],
    ) -> None:
        self._ws_api_url = ws_api_url
        self._stream_url = stream_url
        self._connect = connect
        self._rest = rest
        self._credentials = credentials
        self._now_ms = now_ms

    async def open(self, way: str, deliver: Callable[[bytes], None]) -> UserSession:
        """A connected session, not subscribed yet; raises VenueError.

        Args:
            way: ``signature`` or ``listenkey``.
            deliver: Where its events go.
        """
        if self._credentials is None:
            raise VenueAuthError("Invalid API key")
        if way == "signature":
            wire = await self._connect(self._ws_api_url)
            return SignatureSession(wire, deliver, credentials=self._credentials, now_ms=self._now_ms)
        answer = await self._rest.call(start_user_data_stream.SPEC, start_user_data_stream.StartStreamParams())
        REDACTOR.learn(answer.listen_key)
        wire = await self._connect(f"{self._stream_url}/ws/{answer.listen_key}")
        return ListenKeySession(wire, deliver, rest=self._rest, listen_key=answer.listen_key)

    async def sync_clock(self) -> None:
        """The venue refused a timestamp: learn its time; raises VenueError."""
        await self._rest.sync_clock()


def is_not_offered(error: VenueError) -> bool:
    """Whether the venue says that it does not have this way at all, so that the other one should be tried.

    404 and 410 are what a retired path answers; -1020 is ``UNSUPPORTED_OPERATION`` (``errors.md``); a method that the
    WebSocket API does not know is named in the text.
    """
    if not isinstance(error, VenueRejected):
        return False
    return error.http_status in (404, 405, 410, 501) or error.venue_code == -1020 or "method" in error.message.lower()


def _ignore(payload: bytes) -> None:
    """Events of a connection that has been replaced."""


def _nothing() -> None:
    """Nobody wants to know."""
