"""One connection of the price feed: frames and time in, actions out (S2-1 to S2-16, C-5, C-7, C-8, C-10).

Who the client is was decided before; which symbols exist is asked for with an action and told afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.dialects.actions import CLOSE_NORMAL, CLOSE_POLICY, Close, Send
from cryptotrader.dialects.feed.messages import (
    ClientMessage,
    Ping,
    Pong,
    Subscribe,
    Subscribed,
    Unsubscribe,
)
from cryptotrader.dialects.problems import shortened

VALIDATION = ("VALIDATION_ERROR", "Invalid message format")
UNAUTHORIZED = ("UNAUTHORIZED", "Authentication failed")
TOO_MANY_SYMBOLS = ("SUBSCRIPTION_LIMIT", "Too many symbols")
TOO_MANY_CONNECTIONS = ("CONNECTION_LIMIT", "Too many connections")
TOO_MANY_REQUESTS = ("RATE_LIMIT_EXCEEDED", "Rate limit exceeded")
UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"

IDLE_TIMEOUT = "idle timeout"

MS_PER_S = 1_000

_encode = msgspec.json.Encoder().encode
_decode_message: Callable[[str | bytes], ClientMessage] = msgspec.json.Decoder(ClientMessage).decode


@dataclass(frozen=True)
class FeedProtocolPolicy:
    """Limits of one connection (S2-12)."""

    max_symbols: int = 10
    heartbeat_s: float = 30.0
    """How often a pong is sent without a ping (S2-9)."""
    idle_s: float = 300.0
    """Silence after which the connection is closed: neither a frame of the client's nor a price (C-8)."""


class LookUp(NamedTuple):
    """Find out which symbols exist, and answer with ``found`` before the next frame."""

    symbols: tuple[str, ...]
    """As the client spelled them, each once."""


class Start(NamedTuple):
    """Begin to deliver a symbol's prices."""

    symbol: str


class Stop(NamedTuple):
    """Deliver them no more."""

    symbol: str


Action = Send | Close | LookUp | Start | Stop


def iso_time(time_ms: int) -> str:
    """Epoch milliseconds as ``2025-10-10T14:30:00.000Z`` (C-15)."""
    seconds, ms = divmod(time_ms, MS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def error(kind: tuple[str, str], *, now_ms: int) -> bytes:
    """An error in this protocol's shape (S2-10)."""
    code, message = kind
    return _encode({"type": "error", "message": message, "code": code, "timestamp": iso_time(now_ms)})


class FeedProtocol:
    """State of one connection of an authenticated client.

    Args:
        now_ns: Monotonic time of the connection's beginning.
        spend: Counts one request of the client's key (S2-14); False where it has none left.
        policy: Limits.
    """

    def __init__(self, now_ns: int, spend: Callable[[], bool], policy: FeedProtocolPolicy | None = None) -> None:
        self._policy = policy or FeedProtocolPolicy()
        self._spend = spend
        self._heard_ns = now_ns
        self._beat_ns = now_ns
        self._is_closed = False
        self.symbols: dict[str, None] = {}
        """What is subscribed to, in this protocol's spelling, in order."""
        self._spellings: dict[str, str] = {}

    # Frames

    def receive(self, text: str | bytes, *, now_ns: int, now_ms: int) -> list[Action]:
        """A message of the client. What is wrong with it is said, and the connection stays (S2-11)."""
        if self._is_closed:
            return []
        self._heard_ns = now_ns
        try:
            message = _decode_message(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return [Send(error(VALIDATION, now_ms=now_ms))]
        if isinstance(message, Ping):
            return [Send(_encode(Pong(iso_time(now_ms))))]
        if not self._spend():
            return [Send(error(TOO_MANY_REQUESTS, now_ms=now_ms)), *self.close(CLOSE_POLICY, "rate limit exceeded")]
        match message:
            case Subscribe(symbols=symbols):
                wanted = tuple(dict.fromkeys(symbols))
                if len(wanted) > self._policy.max_symbols:
                    return [Send(error(TOO_MANY_SYMBOLS, now_ms=now_ms))]
                return [LookUp(wanted)]
            case Unsubscribe(symbols=named):
                return self._stop(list(self.symbols if named is None else map(self._spelled, named)), now_ms)

    def found(self, look_up: LookUp, known: dict[str, str], *, now_ms: int) -> list[Action]:
        """Which symbols exist: the client's spelling to the protocol's. Known ones are subscribed to (C-10)."""
        if self._is_closed:
            return []
        wanted = list(dict.fromkeys(known[text] for text in look_up.symbols if text in known))
        if len(self._spellings) > MAX_SPELLINGS:
            self._spellings.clear()
        self._spellings.update((_compact(text), symbol) for text, symbol in known.items() if text in look_up.symbols)
        if len(self.symbols.keys() | set(wanted)) > self._policy.max_symbols:
            return [Send(error(TOO_MANY_SYMBOLS, now_ms=now_ms))]
        actions: list[Action] = []
        if wanted:
            actions.append(Send(_encode(Subscribed("subscribed", wanted, iso_time(now_ms)))))
        for symbol in wanted:
            if symbol not in self.symbols:
                self.symbols[symbol] = None
                actions.append(Start(symbol))
        unknown = [text for text in look_up.symbols if text not in known]
        if unknown:
            told = f"Symbol not found: {', '.join(shortened(text) for text in unknown)}"
            actions.append(Send(error((UNKNOWN_SYMBOL, told), now_ms=now_ms)))
        return actions

    def _spelled(self, text: str) -> str:
        """What a client calls a symbol, in the protocol's spelling, as far as it was subscribed to under that name."""
        return self._spellings.get(_compact(text), text)

    def _stop(self, named: list[str], now_ms: int) -> list[Action]:
        symbols = list(dict.fromkeys(named))
        gone = [symbol for symbol in symbols if symbol in self.symbols]
        for symbol in gone:
            del self.symbols[symbol]
        return [*map(Stop, gone), Send(_encode(Subscribed("unsubscribed", symbols, iso_time(now_ms))))]

    # Time

    def deadline_ns(self, last_price_ns: int) -> int:
        """When ``tick`` must be called at the latest. ``last_price_ns``: when a price was last delivered to it."""
        return min(self._next_beat_ns(), self._idle_ns(last_price_ns))

    def tick(self, last_price_ns: int, *, now_ns: int, now_ms: int) -> list[Action]:
        """Time has passed: the heartbeat, or the end of a connection on which nothing happens."""
        if self._is_closed:
            return []
        if now_ns >= self._idle_ns(last_price_ns):
            return self.close(CLOSE_NORMAL, IDLE_TIMEOUT)
        if now_ns < self._next_beat_ns():
            return []
        self._beat_ns = now_ns
        return [Send(_encode(Pong(iso_time(now_ms))))]

    def close(self, code: int, reason: str) -> list[Action]:
        """End it from this side."""
        if self._is_closed:
            return []
        self._is_closed = True
        stops = [Stop(symbol) for symbol in self.symbols]
        self.symbols.clear()
        return [*stops, Close(code, reason)]

    def _next_beat_ns(self) -> int:
        return self._beat_ns + int(self._policy.heartbeat_s * NS_PER_S)

    def _idle_ns(self, last_price_ns: int) -> int:
        return max(self._heard_ns, last_price_ns) + int(self._policy.idle_s * NS_PER_S)


MAX_SPELLINGS = 1_000
"""Names of symbols remembered for unsubscribing. Reason: a client with ten symbols needs few; it must end somewhere."""


def _compact(text: str) -> str:
    """The same for ``BTC/USD``, ``btc-usd`` and ``BTCUSD`` (C-12)."""
    return text.replace("/", "").replace("-", "").replace("_", "").upper()
