"""The connection to Binance's WebSocket API: requests, callbacks, sessions and user data, across reconnects.

Binance: ``web-socket-api.md``. What decides is pure and lives in ``services.binance.wsapi``; this class wires it up.
"""

from __future__ import annotations

import random
from asyncio import get_running_loop
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from cryptotrader.config import REDACTOR, get_logger
from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.core.errors import CryptotraderError, NotConnected, UnknownOutcome, VenueError
from cryptotrader.net.clock import SystemClock, WaitingClock
from cryptotrader.net.wire import Connector, connect_when_needed
from cryptotrader.services.binance.endpoints import VENUES
from cryptotrader.services.binance.models.orders import OrderReport
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.wsapi.calls import CallMaker, unreadable
from cryptotrader.services.binance.wsapi.correlation import Sink
from cryptotrader.services.binance.wsapi.ids import MessageIds
from cryptotrader.services.binance.wsapi.limits import RateLimits, shared_limits
from cryptotrader.services.binance.wsapi.reconcile import Truth
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy
from cryptotrader.services.binance.wsapi.replies import OK, Reply, envelope_of
from cryptotrader.services.binance.wsapi.shell.dispatch import Callback, CallbackSink, Dispatcher, FutureSink
from cryptotrader.services.binance.wsapi.shell.feeds import DEFAULT_CAPACITY, UserDataSubscription
from cryptotrader.services.binance.wsapi.shell.keeper import Keeper, KeeperDeps
from cryptotrader.services.binance.wsapi.shell.link import Link
from cryptotrader.services.binance.wsapi.shell.outbox import CourierDeps, Stats
from cryptotrader.services.binance.wsapi.shell.requests import Courier

__all__ = ["BinanceWebSocketConnection", "Callback", "SecurityType"]

log = get_logger(__name__)

P = TypeVar("P", bound=Params)
R = TypeVar("R")

ErrorCallback = Callable[[CryptotraderError], Awaitable[None]]
Notice = Callable[[], Awaitable[None]]


class BinanceWebSocketConnection:
    """One client of the WebSocket API, which replaces its connections by itself.

    - Many requests may be under way at a time; each callback gets exactly the reply to its own request.
    - A request that only reads is repeated where its connection was lost. What could trade is sent once; where its
      answer is lost the caller gets ``UnknownOutcome``, or a reply with code -90001, and ``reconcile`` finds the truth.
    - Replies of our own have ``"status": 0`` and a code of ``wsapi.replies``: -90001 to -90004.

    Args:
        url: Address of the API; the paper exchange on this machine when absent.
        credentials: What signs; without them only public requests work.
        on_message: Gets every event that no ``user_data`` iterator takes, as it came.
        on_error: Gets the errors of the connection itself, such as a failed attempt to connect.
        on_reconnect: Called whenever another connection has taken over.
        on_close: Called once, after ``close``.
        return_rate_limits: Whether replies show ``rateLimits``; None leaves it to the venue, which shows them.
        policy: Limits.
        limits: The venue's rate limits; by default one object for all connections of this process to this address.
        clock: Time and waiting.
        connect: Opens a connection.
        draw: Random numbers of [0, 1).
    """

    def __init__(
        self,
        *,
        url: str | None = None,
        credentials: Credentials | None = None,
        on_message: Callback | None = None,
        on_error: ErrorCallback | None = None,
        on_reconnect: Notice | None = None,
        on_close: Notice | None = None,
        return_rate_limits: bool | None = None,
        policy: ConnectionPolicy | None = None,
        limits: RateLimits | None = None,
        clock: WaitingClock | None = None,
        connect: Connector = connect_when_needed,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.url = url or VENUES["paper"].ws_api_url
        self.policy = policy or ConnectionPolicy()
        self.limits = limits or shared_limits(self.url)
        self._on_message = on_message
        self._on_close = on_close
        self._clock = clock or SystemClock()
        self._dispatcher = Dispatcher(
            event_capacity=self.policy.event_capacity, timeout_s=self.policy.callback_timeout_s, clock=self._clock
        )
        self._keeper = Keeper(
            KeeperDeps(
                url=_with_flag(self.url, return_rate_limits),
                policy=self.policy,
                limits=self.limits,
                clock=self._clock,
                connect=connect,
                draw=draw,
                credentials=credentials,
                on_error=_tell(self._dispatcher, on_error),
                on_reconnect=self._notice(on_reconnect),
                on_tick=self._dispatcher.check,
            )
        )
        self._courier = Courier(
            CourierDeps(
                clock=self._clock,
                policy=self.policy,
                limits=self.limits,
                ids=MessageIds(draw),
                credentials=credentials,
                start=self._keeper.start_job,
                queued=self._dispatcher.queue,
                on_event=self._on_event,
            )
        )
        self._keeper.courier = self._courier
        self._calls = CallMaker(
            self.url, draw=draw, shows_limits=return_rate_limits is not False, account=_account_of(credentials)
        )
        self._closed = False
        if credentials is not None:
            REDACTOR.learn(credentials.api_key)

    def __repr__(self) -> str:
        return f"BinanceWebSocketConnection({'connected' if self.is_connected else 'not connected'})"

    @property
    def is_connected(self) -> bool:
        """Whether a request would leave at once."""
        return self._courier.link is not None

    @property
    def is_logged_on(self) -> bool:
        """Whether the present connection is logged on, so that requests go unsigned."""
        return self._courier.link is not None and self._courier.link.logged_on

    @property
    def stats(self) -> Stats:
        """What happened so far."""
        return self._courier.stats

    @property
    def unmatched_replies(self) -> int:
        """Replies that belonged to no request: unknown, repeated or too late. They are ignored."""
        return self._courier.table.unmatched

    @property
    def callback_failures(self) -> int:
        """Callbacks that raised or took too long."""
        return self._dispatcher.failures

    @property
    def dropped_events(self) -> int:
        """Events that ``on_message`` was too slow for."""
        return self._dispatcher.dropped_events

    @property
    def clock_offset_ms(self) -> int:
        """The venue's clock minus ours, in milliseconds."""
        return self._courier.venue_ms() - self._clock.now_ns() // 1_000_000

    async def connect(self) -> None:
        """Open the first connection; later ones are its own business. Idempotent.

        Raises:
            VenueError: It could not be had within ``policy.connect_timeout_s``, or was refused.
            ConfigError: The address is none.
            NotConnected: It was closed before.
        """
        if self._closed:
            raise NotConnected("closed")
        await self._keeper.connect()

    async def close(self) -> None:
        """End it. Idempotent.

        No more requests are taken. Replies to what was sent are waited for within ``policy.close_wait_s``; what is not
        answered then ends with an honest error (``UnknownOutcome`` where it could trade). Callbacks still run.
        """
        if self._closed:
            return
        self._closed = True
        await self._keeper.close()
        if self._on_close is not None:
            self._dispatcher.put(self._on_close)
        await self._dispatcher.close()

    async def __aenter__(self) -> BinanceWebSocketConnection:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # Requests

    async def send(
        self,
        *,
        method: str,
        params: Mapping[str, Any] | None = None,
        security_type: SecurityType = SecurityType.NONE,
        callback: Callback | None = None,
    ) -> str:
        """Send any request as it is, without checking its parameters (S4-8, S4-9).

        Args:
            method: Binance's name of it.
            params: Its parameters; numbers are signed as they are sent.
            security_type: What is added: nothing, the key, or key, timestamp and signature.
            callback: Gets the reply; registered before the frame is written.

        Returns:
            The id of the message.

        Raises:
            NotConnected: There is no connection, and it was not sent. A read waits for the next connection instead.
            VenueRateLimited: A limit holds it up for too long; it was not sent.
            VenueAuthError: It needs credentials and there are none.
        """
        call = self._calls.plain(method, params or {}, security_type, now_ms=self._courier.venue_ms())
        return await self._courier.submit(call, self._sink(callback))

    async def submit(self, spec: RequestSpec[P, R], given: Mapping[str, Any], callback: Callback) -> str:
        """What a module's ``process_request`` does: check the parameters and send.

        Raises:
            InvalidParams: A parameter is missing (``Missing required parameter: symbol``) or wrong.
            NotConnected: There is no connection, and it was not sent.
            VenueRateLimited: A limit holds it up for too long; it was not sent.
            MethodRetired: The venue has the method no more; the error names what replaced it.
        """
        call = self._calls.checked(spec, given, now_ms=self._courier.venue_ms())
        return await self._courier.submit(call, self._sink(callback))

    async def request(self, spec: RequestSpec[P, R], params: P, *, timeout_s: float | None = None) -> R:
        """What ``SPEC.call`` does: send and wait for the typed result.

        Args:
            spec: The request.
            params: Its parameters.
            timeout_s: Longest wait; by default that of the policy.

        Raises:
            InvalidParams: A parameter is wrong.
            NotConnected: It was not sent, or it concerned a connection that was lost.
            VenueRejected: The venue refused it.
            VenueRateLimited: It is to be sent later (``VenueBanned``: much later).
            VenueAuthError: There are no credentials, or the venue does not accept them.
            VenueTimeout: No answer to a read in time.
            UnknownOutcome: It could trade, and its outcome is not known; see ``reconcile``.
        """
        courier = self._courier
        now_ns = courier.now_ns()
        call = self._calls.typed(spec, params, now_ms=now_ns // NS_PER_MS + courier.offset.offset_ms)
        sink = FutureSink(get_running_loop().create_future(), spec.decode)
        entry = courier.begin(call, sink, now_ns, timeout_s=timeout_s)
        if not entry.sends:
            await courier.launch(entry)
        result: R | Reply = await sink.future
        if not isinstance(result, Reply):
            return result
        if result.status != OK:
            raise self._calls.error_of(call, result, now_ms=courier.venue_ms())
        raise unreadable(call, now_ms=courier.venue_ms())

    async def reconcile(self, outcome: UnknownOutcome, *, timeout_s: float | None = None) -> OrderReport | None:
        """The truth about an order whose outcome is not known.

        Asks ``order.status`` until the answer is final. "No such order" is believed only once the request can no
        longer arrive (``wsapi.reconcile``); before that, it waits and asks again. After a lost cancellation the answer
        is the state of the order that should have been cancelled.

        Args:
            outcome: What ``request`` raised.
            timeout_s: Longest search; by default that of the policy.

        Returns:
            The order as the venue has it; None where it never landed.

        Raises:
            UnknownOutcome: The same one: the truth could not be had in time.
            InvalidParams: Nothing names an order, as after ``openOrders.cancelAll``: ask ``openOrders.status``.
        """
        truth = Truth(outcome, self.policy, clock=self._clock, venue_ms=self._courier.venue_ms)
        return await truth.find(self.request, self._keeper.sync_clock, timeout_s=timeout_s)

    # Session and user data

    async def logon(self) -> None:
        """Log on with the Ed25519 key (``session.logon``); done again on every later connection.

        Raises:
            VenueAuthError: There are no credentials, or the venue refuses them.
            ConfigError: The key is not an Ed25519 key.
            NotConnected: There is no connection.
        """
        await self._keeper.log_on()

    async def logout(self) -> None:
        """Forget the key of this connection (``session.logout``); later requests are signed one by one."""
        await self._keeper.log_out()

    def user_data(
        self, *, capacity: int = DEFAULT_CAPACITY, credentials: Credentials | None = None
    ) -> UserDataSubscription:
        """Events of an account: an async iterator and context manager; see ``UserDataSubscription``.

        Args:
            capacity: Events held. Overflow: the oldest is dropped, counted, and told by a ``streamGap`` event.
            credentials: Another account's key; this connection's own when absent.
        """
        return self._keeper.user_data(capacity=capacity, credentials=credentials)

    # Inside

    def _sink(self, callback: Callback | None) -> Sink:
        return CallbackSink(callback or _ignore, self._dispatcher)

    def _on_event(self, link: Link, reply: Reply, data: bytes) -> None:
        if self._keeper.on_event(link, reply) or self._on_message is None:
            return
        callback = self._on_message

        async def run() -> None:
            await callback(envelope_of(data))

        self._dispatcher.put_event(run)

    def _notice(self, notice: Notice | None) -> Callable[[], None]:
        return (lambda: None) if notice is None else (lambda: self._dispatcher.put(notice))


async def _ignore(reply: dict[str, Any]) -> None:
    """Nobody wants to know."""


def _tell(dispatcher: Dispatcher, on_error: ErrorCallback | None) -> Callable[[VenueError | CryptotraderError], None]:
    if on_error is None:
        return lambda error: None

    def tell(error: CryptotraderError) -> None:
        async def run() -> None:
            await on_error(error)

        dispatcher.put_event(run)

    return tell


def _with_flag(url: str, return_rate_limits: bool | None) -> str:
    if return_rate_limits is None:
        return url
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}returnRateLimits={'true' if return_rate_limits else 'false'}"


def _account_of(credentials: Credentials | None) -> str:
    return credentials.api_key if credentials is not None else ""
