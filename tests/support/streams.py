"""Fakes for everything that the gateway's streams stand on, and a connection that remembers what it was given."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptotrader.bus import Topic
from cryptotrader.core.errors import NotAuthenticated, UnknownSymbol, VenueTimeout
from cryptotrader.core.events import DepthDiff, Ticker24h, Trade
from cryptotrader.core.instruments import compact_symbol
from cryptotrader.feeds.depth import DepthChange
from cryptotrader.feeds.user import UserEvent
from cryptotrader.market.book import OrderBook
from cryptotrader.services.binance.models.exchange_info import SymbolInfo
from cryptotrader.sessions.exchanges import AccountFeeds, AccountsOf
from cryptotrader.sessions.keys import NO_LIMITS, KeyLimits
from cryptotrader.sessions.ports import UserFeed
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.types import FlowListener

TOKEN = "test_token_123"


@dataclass(eq=False)
class FakeConnection:
    """A ``transport.types.Connection`` without a socket; ``is_behind`` is turned by the test."""

    id: str = "c1"
    deflates: bool = False
    is_behind: bool = False
    buffered_bytes: int = 0
    wire: bytearray = field(default_factory=bytearray)
    writes: int = 0
    closed: tuple[int, str] | None = None
    listener: FlowListener | None = None
    kept: list[Frame] = field(default_factory=list)

    def send(self, frame: Frame, *, key: str | None = None) -> None:
        if self.closed is None:
            self.kept.append(frame)
            if not self.is_behind:
                self.flush()

    def flush(self) -> None:
        if self.kept and not self.is_behind:
            kept, self.kept = self.kept, []
            self.writer(b"".join(frame.wire for frame in kept))

    @property
    def writer(self) -> Callable[[bytes], None]:
        return self._write

    def _write(self, data: bytes) -> None:
        assert self.closed is None, "wrote after close"
        self.writes += 1
        self.wire += data

    def watch(self, listener: FlowListener | None) -> None:
        if listener is not None and self.closed is not None:
            listener.on_gone()
        else:
            self.listener = listener

    def close(self, code: int, reason: str = "") -> None:
        if self.closed is None:
            self._gone()
            self.closed = (code, reason)

    def abort(self) -> None:
        self.close(1006)

    def freeze(self) -> None:
        self._gone()

    def _gone(self) -> None:
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.on_gone()

    def fall_behind(self) -> None:
        """The client stops reading."""
        self.is_behind = True
        if self.listener is not None:
            self.listener.on_behind()

    def catch_up(self) -> None:
        """It reads again."""
        self.is_behind = False
        self.flush()
        if self.listener is not None:
            self.listener.on_caught_up()

    def messages(self) -> list[Any]:
        """Everything written so far, parsed."""
        found, data = [], bytes(self.wire)
        while data:
            length, start = data[1], 2
            if length >= 126:
                start = 4 if length == 126 else 10
                length = int.from_bytes(data[2:start], "big")
            found.append(json.loads(data[start : start + length]))
            data = data[start + length :]
        return found


@dataclass(frozen=True)
class Who:
    """A principal."""

    key_id: str = "k1"
    scopes: frozenset[str] = frozenset({"read"})
    account: str = "default"
    limits: KeyLimits = NO_LIMITS


class FakeAuthenticator:
    """Knows one token."""

    def __init__(self, who: Who | None = None) -> None:
        self.who = who or Who()
        self.on_revoked: Topic[str] = Topic("revoked")

    def authenticate(
        self, authorization: str | None, query_token: str | None = None, *, client: str | None = None
    ) -> Who:
        if authorization is None and query_token is None:
            raise NotAuthenticated("Missing Authorization header")
        if authorization != f"Bearer {TOKEN}" and query_token != TOKEN:
            raise NotAuthenticated("Invalid or expired token")
        return self.who


class FakeCatalogue:
    """Two symbols."""

    async def require(self, symbol_text: str) -> str:
        symbol = compact_symbol(symbol_text)
        if symbol in ("BTCUSDT", "ETHUSDT"):
            return symbol
        raise UnknownSymbol("Invalid symbol")

    def known(self, symbol: str) -> SymbolInfo | None:
        if symbol not in ("BTCUSDT", "ETHUSDT"):
            return None
        return SymbolInfo(symbol=symbol, status="TRADING", base_asset=symbol[:3], quote_asset="USDT")


class FakeDepthFeed:
    """A book that the test drives."""

    def __init__(self, symbol: str = "BTCUSDT") -> None:
        self.book = OrderBook(symbol)
        self.topic: Topic[DepthChange] = Topic("depth")
        self.event_ms = 0
        self.ready = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        return self.ready.is_set()

    async def wait_ready(self, timeout_s: float) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self.ready.wait()
        except TimeoutError:
            raise VenueTimeout("no book") from None

    def apply(self, diff: DepthDiff) -> None:
        """A change from the venue."""
        self.book.apply(diff.bids, diff.asks, diff.last_id)
        self.topic.publish(DepthChange(diff, "diff", self.book))


class FakeTradeFeed:
    """Trades that the test makes."""

    def __init__(self) -> None:
        self.topic: Topic[Trade] = Topic("trades")


class FakeTickerFeed:
    """Statistics that the test drives."""

    def __init__(self) -> None:
        self.latest: Ticker24h | None = None
        self.topic: Topic[Ticker24h] = Topic("ticker")
        self.asked = 0
        self._is_active = True

    @property
    def is_active(self) -> bool:
        self.asked += 1
        return self._is_active

    @is_active.setter
    def is_active(self, is_active: bool) -> None:
        self._is_active = is_active

    def put(self, ticker: Ticker24h) -> None:
        """An update from the venue."""
        self.latest = ticker
        self.topic.publish(ticker)


@dataclass
class FakeLease:
    """Counts what is open."""

    open_leases: list[str]
    name: str

    def close(self) -> None:
        self.open_leases.remove(self.name)


class FakeLive:
    """One depth and one ticker feed for whatever symbol."""

    def __init__(self) -> None:
        self.depth_feed = FakeDepthFeed()
        self.ticker_feed = FakeTickerFeed()
        self.trade_feed = FakeTradeFeed()
        self.open_leases: list[str] = []

    def lease(self, symbol: str, kind: str) -> FakeLease:
        self.open_leases.append(f"{kind} {symbol}")
        return FakeLease(self.open_leases, f"{kind} {symbol}")

    def depth(self, symbol: str) -> FakeDepthFeed:
        return self.depth_feed

    def ticker(self, symbol: str) -> FakeTickerFeed:
        return self.ticker_feed

    def trades(self, symbol: str) -> FakeTradeFeed:
        return self.trade_feed


def FakeUserEvent(payload: bytes) -> UserEvent:  # noqa: N802
    """An event of the account with a payload and nothing else."""
    return UserEvent("executionReport", payload, {})


class FakeUserFeed:
    """The account's events, from the test."""

    def __init__(self) -> None:
        self.topic: Topic[UserEvent] = Topic("user")
        self.open_leases: list[str] = []

    def lease(self) -> FakeLease:
        self.open_leases.append("user")
        return FakeLease(self.open_leases, "user")


def accounts_of(user: UserFeed) -> AccountsOf:
    """One account, whatever it is called."""
    return lambda name: AccountFeeds(name, user)


def ticker(price: str = "45000.00000000") -> Ticker24h:
    """Statistics with every field different."""
    return Ticker24h(
        symbol="BTCUSDT",
        event_ms=1609459200000,
        price_change="1000.00000000",
        price_change_percent="2.270",
        weighted_avg_price="44500.00000000",
        prev_close_price="44000.00000000",
        last_price=price,
        last_qty="0.01000000",
        bid_price="44999.00000000",
        bid_qty="1.00000000",
        ask_price="45001.00000000",
        ask_qty="2.00000000",
        open_price="44000.10000000",
        high_price="45500.00000000",
        low_price="43500.00000000",
        volume="1000.50000000",
        quote_volume="44500000.00000000",
        open_ms=1609372800000,
        close_ms=1609459200000,
        first_trade_id=1,
        last_trade_id=50000,
        trade_count=50000,
    )
