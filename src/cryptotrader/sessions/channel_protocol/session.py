"""One client of the channel protocol: does what ``dialects.channels.protocol`` says, on a real connection."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from cryptotrader.config import get_logger
from cryptotrader.core.clock import to_ms
from cryptotrader.core.errors import (
    CryptotraderError,
    Forbidden,
    NotAuthenticated,
    NotConnected,
    SubscriptionLimit,
    UnknownSymbol,
    VenueError,
)
from cryptotrader.dialects.actions import CLOSE_INTERNAL, CLOSE_POLICY, Close, Send
from cryptotrader.dialects.channels.messages import Authenticate
from cryptotrader.dialects.channels.protocol import (
    TOO_MANY_MESSAGES,
    Action,
    ChannelProtocol,
    LookUp,
    Pair,
    Request,
    Start,
    Stop,
    Verify,
)
from cryptotrader.sessions.channel_protocol.topics import ChannelTopic, topics_of
from cryptotrader.sessions.exchanges import ExchangeFeeds
from cryptotrader.sessions.ports import WhoIs
from cryptotrader.telemetry.metrics import WS_CONFLATED, WS_SENT
from cryptotrader.transport.fanout import Published
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.types import Connection

if TYPE_CHECKING:
    from cryptotrader.sessions.channel_protocol.hub import ChannelHub

log = get_logger(__name__)

MAX_WAITING = 64
"""Messages of a client that wait for a look-up. Reason: six seconds of the ten messages a second that it may send."""

LOOK_UP_S = 10.0
"""How long looking symbols up may take. Unit: seconds. Reason: what a request to a venue gets (S0-55)."""

MAY_NOT_READ = "API key does not allow reading"
NO_ACCOUNT = "No exchange credentials for this account"
NOT_REACHABLE = "Exchange not reachable"
INTERNAL_ERROR = "Internal server error"
TOO_MANY_CONNECTIONS = "Too many connections"

_SENT = WS_SENT.labels(kind="channels")
_CONFLATED = WS_CONFLATED.labels(kind="channels")


class _Waiting(NamedTuple):
    """A message that came while symbols were looked up."""

    data: str | bytes
    at_ns: int


class ChannelSession:
    """``sessions.ws.DialectSession`` and ``transport.fanout.Member`` of one connection.

    Args:
        hub: What all sessions share.
        connection: Open.
        address: The client's.
    """

    def __init__(self, hub: ChannelHub, connection: Connection, address: str) -> None:
        self.connection = connection
        self._hub = hub
        self._address = address
        self._who: WhoIs | None = None
        self._protocol = ChannelProtocol(hub.clock.monotonic_ns(), hub.exchanges, hub.settings.policy)
        self._topics: dict[ChannelTopic, Pair] = {}
        self._names: tuple[str, ...] = ()
        self._is_stale = False
        """Whether ``_topics`` may not be what the protocol wants."""
        self._waiting: deque[_Waiting] = deque()
        self._is_looking = False
        self._is_closed = False
        self._sent_ns = 0
        self._due_ns: int | None = None
        self._arming = 0
        self._arm()

    @property
    def key_id(self) -> str | None:
        """Public id of the key that the client proved to hold."""
        return self._who.key_id if self._who is not None else None

    @property
    def pairs(self) -> dict[Pair, int]:
        """What is subscribed to, with the depth."""
        return self._protocol.pairs

    # sessions.ws.DialectSession

    def on_message(self, data: str | bytes) -> None:
        """A message; while symbols are looked up it waits, so that the order of messages holds."""
        if self._is_closed:
            return
        now_ns = self._hub.clock.monotonic_ns()
        if not self._is_looking:
            self._receive(data, now_ns)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting.append(_Waiting(data, now_ns))
        else:
            self.end(CLOSE_POLICY, TOO_MANY_MESSAGES)

    def on_close(self) -> None:
        """The connection is gone."""
        self._protocol.pairs.clear()
        self._finish()

    def end(self, code: int, reason: str) -> None:
        """Say so and close (S1-18)."""
        self._obey(self._protocol.close(code, reason, now_ms=self._now_ms()))

    # transport.fanout.Member

    def on_missed(self, batch: Sequence[Published[str | None]]) -> None:
        """The client is behind: what has a key waits as the newest of its key, all else in order.

        Where that does not fit, the connection closes itself with 1008.
        """
        for published in batch:
            if published.item is not None:
                _CONFLATED.inc()
            self.connection.send(published.frame, key=published.item)

    def on_caught_up(self) -> None:
        """What waited has been sent."""

    # The protocol

    def _receive(self, data: str | bytes, now_ns: int) -> None:
        self._obey(self._protocol.receive(data, now_ns=now_ns, now_ms=self._now_ms()))
        self._arm()

    def _obey(self, actions: Iterable[Action]) -> None:
        """Do what the protocol says, in its order."""
        for action in actions:
            match action:
                case Send(data):
                    # Whoever is told that something has begun or ended finds it so.
                    self._settle()
                    self._send(Frame.text(data))
                case Start() | Stop():
                    self._is_stale = True
                case Verify(message):
                    self._obey(self._verify(message))
                case LookUp(request):
                    self._look_up(request)
                case Close(code, reason):
                    self._finish()
                    self.connection.close(code, reason)
        self._settle()

    def _send(self, frame: Frame) -> None:
        self._sent_ns = self._hub.clock.monotonic_ns()
        self.connection.send(frame)
        _SENT.inc()

    def _settle(self) -> None:
        """Subscribe to exactly what the protocol wants; new topics tell at once what is known."""
        if not self._is_stale or self._is_closed:
            return
        self._is_stale = False
        account = self._who.account if self._who is not None else ""
        wanted = topics_of(self._protocol.pairs.items(), account)
        before, self._topics = self._topics, wanted
        now_ms = self._now_ms()
        for topic in [topic for topic in wanted if topic not in before]:
            for frame in self._hub.registry.take(topic).first(topic, now_ms):
                self._send(frame)
        self._names = tuple(topic.name for topic in wanted)
        if wanted:
            self._hub.broadcaster.join(self, self._names)
        else:
            self._hub.broadcaster.leave(self)
        for topic in before.keys() - wanted.keys():
            self._hub.registry.give_back(topic)

    def _finish(self) -> None:
        """Let go of everything; the connection may still have to be closed."""
        if self._is_closed:
            return
        self._is_stale = True
        self._settle()
        self._is_closed = True
        self._waiting.clear()
        self._hub.forget(self, self.key_id)

    # Who it is

    def _verify(self, message: Authenticate) -> list[Action]:
        now_ms = self._now_ms()
        try:
            who = self._hub.authenticator.login(
                message.api_key, message.timestamp, message.signature, now_ms=now_ms, client=self._address
            )
        except NotAuthenticated:
            return self._protocol.rejected(now_ms=now_ms)
        if who.key_id != self.key_id:
            if not self._hub.slots.enter(who.key_id, who.limits.connections):
                problem = self._protocol.error(TOO_MANY_CONNECTIONS, 429, now_ms=now_ms)
                return [problem, *self._protocol.close(CLOSE_POLICY, TOO_MANY_CONNECTIONS, now_ms=now_ms)]
            if self.key_id is not None:
                self._hub.slots.leave(self.key_id)
                # Another key may be another account's, or allow less: what the old one began ends with it.
                self._protocol.pairs.clear()
                self._is_stale = True
                self._settle()
        self._who = who
        log.info(f"channel client {self.connection.id} is key {who.key_id}")
        return self._protocol.accepted(now_ms=now_ms)

    # Symbols

    def _look_up(self, request: Request) -> None:
        refusal = self._refusal(request)
        if refusal is not None:
            self._obey([refusal])
            return
        exchange = self._hub.exchanges.get(request.exchange)
        if exchange is None or all(exchange.catalogue.known(symbol) is not None for symbol in request.symbols):
            self._obey(self._found(request, request.symbols))
            return
        self._is_looking = True
        self._hub.jobs.start("look up symbols", lambda: self._search(request, exchange))

    def _refusal(self, request: Request) -> Send | None:
        who, now_ms = self._who, self._now_ms()
        if who is None or "read" not in who.scopes:
            return self._protocol.error(MAY_NOT_READ, 403, now_ms=now_ms)
        if any(channel.is_private for channel in request.channels):
            account = self._hub.exchanges[request.exchange].accounts(who.account)
            if account is None:
                return self._protocol.error(NO_ACCOUNT, 403, now_ms=now_ms)
        return None

    async def _search(self, request: Request, exchange: ExchangeFeeds) -> None:
        """Ask the exchange's catalogue; then go on with what the client has sent meanwhile."""
        actions: list[Action] | None = None
        try:
            async with asyncio.timeout(LOOK_UP_S):
                known = [symbol for symbol in request.symbols if await _exists(exchange, symbol)]
            actions = self._found(request, known)
        except (VenueError, NotConnected, TimeoutError):
            actions = [self._protocol.error(NOT_REACHABLE, 500, now_ms=self._now_ms())]
        finally:
            self._is_looking = False
            self._go_on(actions)

    def _go_on(self, actions: Sequence[Action] | None) -> None:
        if self._is_closed:
            return
        if actions is None:
            # The look-up failed in a way that nobody foresaw; the client would wait for its answer for ever.
            self.end(CLOSE_INTERNAL, INTERNAL_ERROR)
            return
        self._obey(actions)
        while self._waiting and not self._is_looking:
            self._receive(*self._waiting.popleft())
        self._arm()

    def _found(self, request: Request, known: Sequence[str]) -> list[Action]:
        """Begin only what can be had whole."""
        if self._who is None or self._is_closed:
            return []
        now_ms = self._now_ms()
        limits = [self._hub.settings.policy.max_subscriptions, self._who.limits.subscriptions]
        limit = min(number for number in limits if number is not None)
        pairs = self._protocol.pairs_of(request, known)
        if len(self._protocol.pairs.keys() | set(pairs)) > limit:
            return self._protocol.found(request, known, now_ms=now_ms, max_pairs=limit)
        held: list[ChannelTopic] = []
        try:
            for topic in topics_of([(pair, request.depth) for pair in pairs], self._who.account):
                self._hub.registry.take(topic)
                held.append(topic)
            actions = self._protocol.found(request, known, now_ms=now_ms, max_pairs=limit)
            self._obey(actions)
            return []
        except SubscriptionLimit as error:
            return [self._protocol.error(error.message, 429, now_ms=now_ms)]
        except Forbidden as error:
            return [self._protocol.error(error.message, 403, now_ms=now_ms)]
        except CryptotraderError as error:
            log.error(f"cannot open a channel: {error.message}")
            return [self._protocol.error(INTERNAL_ERROR, 500, now_ms=now_ms)]
        finally:
            for topic in held:
                self._hub.registry.give_back(topic)

    # Time

    def _arm(self) -> None:
        """See to it that somebody looks when the protocol's next deadline comes."""
        if self._is_closed:
            return
        due_ns = self._protocol.deadline_ns(self._last_sent_ns())
        if self._due_ns is None or due_ns < self._due_ns:
            self._due_ns = due_ns
            self._arming += 1
            # The wheel must not keep a session that is long gone.
            me, arming = weakref.ref(self), self._arming

            def fire() -> None:
                session = me()
                if session is not None:
                    session._on_due(arming)

            self._hub.timer.at(due_ns, fire)

    def _on_due(self, arming: int) -> None:
        if arming != self._arming or self._is_closed:
            return
        self._due_ns = None
        if not self._is_looking:
            # An answer to a ping may be among the messages that wait for a look-up.
            now_ns = self._hub.clock.monotonic_ns()
            self._obey(self._protocol.tick(self._last_sent_ns(), now_ns=now_ns, now_ms=self._now_ms()))
        self._arm()

    def _last_sent_ns(self) -> int:
        outlet = self._hub.outlet
        return max(self._sent_ns, max(map(outlet.last_ns, self._names), default=0))

    def _now_ms(self) -> int:
        return to_ms(self._hub.clock.now_ns())


async def _exists(exchange: ExchangeFeeds, symbol: str) -> bool:
    try:
        await exchange.catalogue.require(symbol)
    except UnknownSymbol:
        return False
    return True
