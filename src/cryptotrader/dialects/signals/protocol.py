"""One connection of the signal protocol: frames and time in, actions out (S3-1 to S3-10, C-8 to C-11, C-30, C-31)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.limits import TokenBucket
from cryptotrader.dialects.actions import CLOSE_NORMAL, CLOSE_POLICY, Close, Send
from cryptotrader.dialects.problems import shortened, words_of
from cryptotrader.dialects.signals.messages import (
    DEFAULT_CHANNELS,
    Channel,
    ClientMessage,
    Ping,
    Pong,
    Subscribe,
    Subscribed,
    Unsubscribe,
)

INACTIVE = "inactive"
TOO_MANY_MESSAGES = "Too many messages"
TOO_MANY_SUBSCRIPTIONS = "Too many subscriptions"

_encode = msgspec.json.Encoder().encode
_decode_message: Callable[[str | bytes], ClientMessage] = msgspec.json.Decoder(ClientMessage).decode


@dataclass(frozen=True)
class SignalProtocolPolicy:
    """Limits of one connection (S3-10)."""

    max_symbols: int = 100
    messages_per_s: int = 10
    """Client messages per second, and as many at once (C-11)."""
    max_refused: int = 100
    """Messages refused in a row before the connection is closed. Reason: ten seconds of twice the rate (C-11)."""
    idle_s: float = 300.0
    """Silence of the client after which the connection is closed; prices do not keep it alive (C-8)."""


class LookUp(NamedTuple):
    """Find out which symbols exist, and answer with ``found`` before the next frame."""

    symbols: tuple[str, ...]
    """As the client spelled them, each once."""
    channels: tuple[Channel, ...]


class Start(NamedTuple):
    """Begin to deliver a channel of a symbol."""

    channel: Channel
    symbol: str


class Stop(NamedTuple):
    """Deliver it no more."""

    channel: Channel
    symbol: str


Action = Send | Close | LookUp | Start | Stop


def error(code: str, message: str) -> bytes:
    """An error in this protocol's shape (S3-8)."""
    return _encode({"type": "error", "code": code, "message": message})


class SignalProtocol:
    """State of one connection.

    Args:
        now_ns: Monotonic time of the connection's beginning.
        policy: Limits.
    """

    def __init__(self, now_ns: int, policy: SignalProtocolPolicy | None = None) -> None:
        self._policy = policy or SignalProtocolPolicy()
        self._heard_ns = now_ns
        self._refused = 0
        self._is_closed = False
        self._bucket = TokenBucket(self._policy.messages_per_s, self._policy.messages_per_s)
        self._spellings: dict[str, str] = {}
        self.symbols: dict[str, frozenset[Channel]] = {}
        """What is subscribed to, in this protocol's spelling (``btc``), with the channels."""

    # Frames

    def receive(self, text: str | bytes, *, now_ns: int, now_ms: int) -> list[Action]:
        """A message of the client."""
        if self._is_closed:
            return []
        self._heard_ns = now_ns
        if not self._bucket.allow(now_ns):
            return self._refuse()
        self._refused = 0
        try:
            message = _decode_message(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
            return [Send(error("invalid_message", words_of(problem)))]
        match message:
            case Ping():
                return [Send(_encode(Pong(now_ms)))]
            case Subscribe():
                return self._subscribe(message)
            case Unsubscribe():
                return self._unsubscribe(message)

    def heard(self, now_ns: int) -> None:
        """The client sent a ping or pong of the WebSocket protocol: it is alive (S3-10, C-8)."""
        self._heard_ns = now_ns

    def found(self, look_up: LookUp, known: Mapping[str, str]) -> list[Action]:
        """Which symbols exist: the client's spelling to the protocol's. Known ones are subscribed to (C-10)."""
        if self._is_closed:
            return []
        wanted = list(dict.fromkeys(known[text] for text in look_up.symbols if text in known))
        if len(self.symbols.keys() | set(wanted)) > self._policy.max_symbols:
            return [Send(error("subscription_limit", TOO_MANY_SUBSCRIPTIONS))]
        actions: list[Action] = []
        if wanted:
            actions.append(Send(_encode(Subscribed("subscribed", wanted, list(look_up.channels)))))
        for text, symbol in known.items():
            if len(self._spellings) < MAX_SPELLINGS:
                self._spellings[text.lower()] = symbol
        for symbol in wanted:
            before = self.symbols.get(symbol, frozenset())
            self.symbols[symbol] = before | frozenset(look_up.channels)
            actions.extend(Start(channel, symbol) for channel in look_up.channels if channel not in before)
        unknown = [text for text in look_up.symbols if text not in known]
        if unknown:
            names = ", ".join(f"'{shortened(text)}'" for text in unknown)
            plural = "s" if len(unknown) > 1 else ""
            actions.append(Send(error("invalid_symbol", f"Symbol{plural} {names} not found")))
        return actions

    # Time

    def deadline_ns(self) -> int:
        """When ``tick`` must be called at the latest."""
        return self._heard_ns + int(self._policy.idle_s * NS_PER_S)

    def tick(self, *, now_ns: int) -> list[Action]:
        """Time has passed: give up a client that said nothing for long."""
        if now_ns < self.deadline_ns():
            return []
        return self.close(CLOSE_NORMAL, INACTIVE)

    def close(self, code: int, reason: str) -> list[Action]:
        """End it from this side."""
        if self._is_closed:
            return []
        self._is_closed = True
        stops = [Stop(channel, symbol) for symbol, channels in self.symbols.items() for channel in sorted(channels)]
        self.symbols.clear()
        return [*stops, Close(code, reason)]

    # Requests

    def _refuse(self) -> list[Action]:
        self._refused += 1
        refusal = Send(error("rate_limited", TOO_MANY_MESSAGES))
        if self._refused >= self._policy.max_refused:
            return [refusal, *self.close(CLOSE_POLICY, TOO_MANY_MESSAGES)]
        return [refusal]

    def _subscribe(self, message: Subscribe) -> list[Action]:
        named = _named(message)
        if not named:
            return [Send(error("invalid_message", "symbols: at least one symbol is needed"))]
        channels = _channels(message) or DEFAULT_CHANNELS
        return [LookUp(tuple(dict.fromkeys(named)), tuple(dict.fromkeys(channels)))]

    def _unsubscribe(self, message: Unsubscribe) -> list[Action]:
        named = _named(message)
        if not named:
            return [Send(error("invalid_message", "symbols: at least one symbol is needed"))]
        symbols = list(dict.fromkeys(self._spellings.get(text.lower(), text.lower()) for text in named))
        chosen = frozenset(_channels(message) or Channel)
        actions: list[Action] = []
        for symbol in symbols:
            before = self.symbols.get(symbol)
            if before is None:
                continue
            actions.extend(Stop(channel, symbol) for channel in sorted(before & chosen))
            left = before - chosen
            if left:
                self.symbols[symbol] = left
            else:
                del self.symbols[symbol]
        channels = list(dict.fromkeys(_channels(message) or tuple(Channel)))
        return [*actions, Send(_encode(Subscribed("unsubscribed", symbols, channels)))]


def _named(message: Subscribe | Unsubscribe) -> list[str]:
    return [*(message.symbols or ()), *(message.assets or ())]


def _channels(message: Subscribe | Unsubscribe) -> tuple[Channel, ...]:
    return (*(message.channels or ()), *((message.channel,) if message.channel is not None else ()))


MAX_SPELLINGS = 1_000
"""Names of symbols remembered for unsubscribing. Reason: a client with a hundred symbols needs few."""
