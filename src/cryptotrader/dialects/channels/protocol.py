"""One connection of the channel protocol: frames and time in, actions out (S1-1 to S1-8, S1-16 to S1-18, C-4, C-5).

It knows who is subscribed to what and when something is due. It neither checks signatures nor looks symbols up: it asks
for that with an action and is told the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

import msgspec

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import UnknownSymbol
from cryptotrader.core.instruments import compact_symbol
from cryptotrader.core.limits import TokenBucket
from cryptotrader.dialects.actions import CLOSE_NORMAL, CLOSE_POLICY, Close, Send
from cryptotrader.dialects.channels.messages import (
    Authenticate,
    Authenticated,
    ChannelName,
    ClientMessage,
    CloseMessage,
    ErrorMessage,
    Ping,
    Pong,
    Subscribe,
    Subscribed,
    SubscriptionParams,
    Unsubscribe,
)
from cryptotrader.dialects.channels.problems import problem_of
from cryptotrader.dialects.problems import shortened, words_of

AUTHENTICATION_FAILED = "Authentication failed"
NOT_AUTHENTICATED = "Not authenticated"
BAD_SYMBOL = "Invalid symbol format"
SESSION_TIMEOUT = "Session timeout"
TOO_MANY_SUBSCRIPTIONS = "Too many subscriptions"
TOO_MANY_MESSAGES = "Too many requests"

_encode = msgspec.json.Encoder().encode
# Numbers may be written as text (C-14).
_decode_message: Callable[[str | bytes], ClientMessage] = msgspec.json.Decoder(ClientMessage, strict=False).decode
_decode_params = msgspec.json.Decoder(SubscriptionParams, strict=False).decode


@dataclass(frozen=True)
class ChannelPolicy:
    """Limits of one connection."""

    idle_s: float = 30.0
    """Silence in both directions before the server asks (S1-17)."""
    pong_s: float = 10.0
    """How long the answer may take (S1-17)."""
    authenticate_s: float = 10.0
    """How long a connection may stay without authentication (C-5)."""
    max_attempts: int = 3
    """Failed authentications before the connection is closed (C-5)."""
    max_subscriptions: int = 100
    """Pairs of channel and symbol. Reason: the limit of the other protocol on this path (C-10)."""
    messages_per_s: int = 10
    """Client messages per second, and as many at once (C-11)."""
    max_refused: int = 100
    """Messages refused in a row before the connection is closed. Reason: ten seconds of twice the rate (C-11)."""


class Pair(NamedTuple):
    """One thing that is subscribed to."""

    channel: ChannelName
    exchange: str
    """Empty for system events of every exchange."""
    symbol: str
    """Compact (``BTCUSDT``); empty for all of an account's, and for system events."""


class Verify(NamedTuple):
    """Check a signature, and answer with ``accepted`` or ``rejected`` before the next frame."""

    message: Authenticate


class LookUp(NamedTuple):
    """Look symbols up, and answer with ``found`` before the next frame."""

    request: Request


class Start(NamedTuple):
    """Begin to deliver."""

    pair: Pair
    depth: int
    """Levels per side, for ``orderbook``."""


class Stop(NamedTuple):
    """Deliver no more."""

    pair: Pair


Action = Send | Close | Verify | LookUp | Start | Stop


class Request(NamedTuple):
    """A subscription whose symbols must be looked up."""

    channels: tuple[ChannelName, ...]
    exchange: str
    symbols: tuple[str, ...]
    depth: int
    echo_channels: list[str]
    echo_params: bytes


class _State(Enum):
    WAITS = auto()
    READY = auto()
    CLOSED = auto()


class _BadRequest(Exception):
    def __init__(self, message: str, code: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class ChannelProtocol:
    """State of one connection.

    Args:
        now_ns: Monotonic time of the connection's beginning.
        exchanges: Names of the exchanges that can be asked for.
        policy: Limits.
    """

    def __init__(self, now_ns: int, exchanges: Iterable[str], policy: ChannelPolicy | None = None) -> None:
        self._policy = policy or ChannelPolicy()
        self._exchanges = frozenset(exchanges)
        self._state = _State.WAITS
        self._opened_ns = now_ns
        self._heard_ns = now_ns
        self._pinged_ns: int | None = None
        self._attempts = 0
        self._refused = 0
        self._bucket = TokenBucket(self._policy.messages_per_s, self._policy.messages_per_s)
        self.pairs: dict[Pair, int] = {}
        """What is subscribed to, with the depth."""

    @property
    def is_ready(self) -> bool:
        """Whether the client is authenticated."""
        return self._state is _State.READY

    # Frames

    def receive(self, text: str | bytes, *, now_ns: int, now_ms: int) -> list[Action]:
        """A message of the client."""
        if self._state is _State.CLOSED:
            return []
        self._heard_ns = now_ns
        if not self._bucket.allow(now_ns):
            return self._refuse(now_ms)
        self._refused = 0
        try:
            match self._parse(text):
                case Authenticate() as message:
                    return [Verify(message)]
                case Pong():
                    self._pinged_ns = None
                    return []
                case Subscribe() as message:
                    self._require_ready()
                    return self._subscribe(message)
                case Unsubscribe() as message:
                    self._require_ready()
                    return self._unsubscribe(message, now_ms)
        except _BadRequest as problem:
            return [self.error(problem.message, problem.code, now_ms=now_ms)]

    def accepted(self, *, now_ms: int) -> list[Action]:
        """The signature is right."""
        self._state = _State.READY
        self._attempts = 0
        return [Send(_encode(Authenticated(now_ms)))]

    def rejected(self, *, now_ms: int) -> list[Action]:
        """It is not."""
        self._attempts += 1
        failure = self.error(AUTHENTICATION_FAILED, 401, now_ms=now_ms)
        if self._attempts >= self._policy.max_attempts and not self.is_ready:
            return [failure, *self.close(CLOSE_POLICY, AUTHENTICATION_FAILED, now_ms=now_ms)]
        return [failure]

    def found(
        self, request: Request, known: Iterable[str], *, now_ms: int, max_pairs: int | None = None
    ) -> list[Action]:
        """The symbols of a request that the exchange has. They are subscribed to; one error names the others (C-10).

        Args:
            request: What was asked for.
            known: Those of its symbols that exist.
            now_ms: The time.
            max_pairs: What this client may have, where that is less than the policy says.
        """
        if self._state is not _State.READY:
            return []
        wanted = set(known)
        pairs = self.pairs_of(request, wanted)
        actions: list[Action] = []
        limit = self._policy.max_subscriptions if max_pairs is None else min(max_pairs, self._policy.max_subscriptions)
        if len(self.pairs.keys() | set(pairs)) > limit:
            return [self.error(TOO_MANY_SUBSCRIPTIONS, 429, now_ms=now_ms)]
        if pairs:
            echo = Subscribed(request.echo_channels, msgspec.Raw(request.echo_params), now_ms)
            actions.append(Send(_encode(echo)))
        for pair in pairs:
            if self.pairs.get(pair) != request.depth:
                if pair in self.pairs:
                    actions.append(Stop(pair))
                self.pairs[pair] = request.depth
                actions.append(Start(pair, request.depth))
        unknown = [symbol for symbol in request.symbols if symbol not in wanted]
        if unknown:
            actions.append(self.error(f"Unknown symbol: {', '.join(unknown)}", 404, now_ms=now_ms))
        return actions

    # Time

    def deadline_ns(self, last_sent_ns: int) -> int:
        """When ``tick`` must be called at the latest. ``last_sent_ns``: when something was last written."""
        policy = self._policy
        if self._state is _State.WAITS:
            return self._opened_ns + int(policy.authenticate_s * NS_PER_S)
        if self._pinged_ns is not None:
            return self._pinged_ns + int(policy.pong_s * NS_PER_S)
        return max(self._heard_ns, last_sent_ns) + int(policy.idle_s * NS_PER_S)

    def tick(self, last_sent_ns: int, *, now_ns: int, now_ms: int) -> list[Action]:
        """Time has passed: ask a silent client for a sign of life, or give it up."""
        if self._state is _State.CLOSED or now_ns < self.deadline_ns(last_sent_ns):
            return []
        if self._state is _State.WAITS:
            return self.close(CLOSE_POLICY, NOT_AUTHENTICATED, now_ms=now_ms)
        if self._pinged_ns is not None:
            return self.close(CLOSE_NORMAL, SESSION_TIMEOUT, now_ms=now_ms)
        self._pinged_ns = now_ns
        return [Send(_encode(Ping(now_ms)))]

    def close(self, code: int, reason: str, *, now_ms: int) -> list[Action]:
        """End it from this side: the documented message, then the close (S1-18)."""
        if self._state is _State.CLOSED:
            return []
        self._state = _State.CLOSED
        stops: list[Action] = [Stop(pair) for pair in self.pairs]
        self.pairs.clear()
        return [*stops, Send(_encode(CloseMessage(reason, code, now_ms))), Close(code, reason)]

    def error(self, message: str, code: int, *, now_ms: int) -> Send:
        """An error in this protocol's shape (S1-16)."""
        return Send(_encode(ErrorMessage(message, code, now_ms)))

    # Requests

    def _refuse(self, now_ms: int) -> list[Action]:
        self._refused += 1
        if self._refused >= self._policy.max_refused:
            return self.close(CLOSE_POLICY, TOO_MANY_MESSAGES, now_ms=now_ms)
        return [self.error(TOO_MANY_MESSAGES, 429, now_ms=now_ms)]

    def _require_ready(self) -> None:
        if self._state is not _State.READY:
            raise _BadRequest(NOT_AUTHENTICATED, 401)

    @staticmethod
    def _parse(text: str | bytes) -> ClientMessage:
        try:
            return _decode_message(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise _BadRequest(problem_of(text, error)) from None

    def _subscribe(self, message: Subscribe) -> list[Action]:
        channels, params = self._wanted(message)
        symbols = _symbols(params.symbols)
        if not symbols and any(channel.needs_symbols for channel in channels):
            raise _BadRequest("params.symbols: at least one symbol is needed")
        request = Request(
            channels=channels,
            exchange=params.exchange or "",
            symbols=symbols,
            depth=params.depth,
            echo_channels=message.channels,
            echo_params=bytes(message.params),
        )
        return [LookUp(request)]

    def _unsubscribe(self, message: Unsubscribe, now_ms: int) -> list[Action]:
        channels, params = self._wanted(message)
        symbols = set(_symbols(params.symbols))
        gone = [
            pair
            for pair in self.pairs
            if pair.channel in channels
            and (not pair.exchange or pair.exchange == params.exchange)
            and (not symbols or pair.symbol in symbols or pair.channel is ChannelName.SYSTEM_EVENTS)
        ]
        for pair in gone:
            del self.pairs[pair]
        echo = Subscribed(message.channels, message.params, now_ms, event="unsubscribed")
        return [*(Stop(pair) for pair in gone), Send(_encode(echo))]

    def _wanted(self, message: Subscribe | Unsubscribe) -> tuple[tuple[ChannelName, ...], SubscriptionParams]:
        if not message.channels:
            raise _BadRequest("channels: at least one channel is needed")
        known = {channel.value for channel in ChannelName}
        for name in message.channels:
            if name not in known:
                raise _BadRequest(f"Unknown channel: {shortened(name)}")
        channels = tuple(dict.fromkeys(ChannelName(name) for name in message.channels))
        try:
            params = _decode_params(message.params)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise _BadRequest(f"params: {words_of(error)}") from None
        if any(channel is not ChannelName.SYSTEM_EVENTS for channel in channels) and params.exchange is None:
            raise _BadRequest("params.exchange is needed")
        if params.exchange is not None and params.exchange not in self._exchanges:
            raise _BadRequest(f"Unknown exchange: {shortened(params.exchange)}", 404)
        return channels, params

    @staticmethod
    def pairs_of(request: Request, known: Iterable[str]) -> list[Pair]:
        """What a request subscribes to, where the exchange has the ``known`` ones of its symbols."""
        known, pairs = set(known), []
        for channel in request.channels:
            if channel is ChannelName.SYSTEM_EVENTS:
                pairs.append(Pair(channel, "", ""))
            elif request.symbols:
                pairs.extend(Pair(channel, request.exchange, symbol) for symbol in request.symbols if symbol in known)
            else:
                pairs.append(Pair(channel, request.exchange, ""))
        return pairs


def _symbols(given: list[str] | None) -> tuple[str, ...]:
    """Compact, in the order asked for, each once."""
    found: dict[str, None] = {}
    for text in given or ():
        try:
            found[compact_symbol(text)] = None
        except UnknownSymbol:
            raise _BadRequest(BAD_SYMBOL) from None
    return tuple(found)
