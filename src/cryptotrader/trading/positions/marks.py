"""The prices that positions are valued with: followed where somebody looks, asked for where somebody asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from cryptotrader.bus import Subscription
from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, Clock
from cryptotrader.core.errors import SubscriptionLimit, VenueError
from cryptotrader.core.events import Ticker24h
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.services.binance.websocketAPI.market_data_requests import symbol_price_ticker
from cryptotrader.trading.positions.ports import TICKER, Lease, Market, Venue

log = get_logger(__name__)

MARK_S = 1.0
"""Least time between two changes of a position by its mark. Unit: seconds. Reason: the ticker's own pace."""

SAME_AGAIN_MS = 10_000
"""How much older than the newest a price may be and still count as known before. Unit: milliseconds. What is older
still comes from a venue whose clock was set back."""

MAX_ASKED = 100
"""Symbols of one request for prices. Reason: it costs 4 weight however many they are; a URL must not be too long."""


class Mark(msgspec.Struct, frozen=True):
    """A price and when it was one."""

    price: int
    time_ms: int


class Marks:
    """The newest known price of each symbol.

    Args:
        market: Live tickers.
        venue: Prices where the ticker is not live.
        clock: Time.
        on_mark: Called with a symbol that is watched when its price changed, at most once a second.
    """

    def __init__(self, market: Market, venue: Venue, *, clock: Clock, on_mark: Callable[[str], None]) -> None:
        self._market = market
        self._venue = venue
        self._clock = clock
        self._on_mark = on_mark
        self._marks: dict[str, Mark] = {}
        self._wanted: Counter[str] = Counter()
        self._held: dict[str, tuple[Lease, Subscription]] = {}
        self._told_ns: dict[str, int] = {}

    def known(self, symbol: str) -> Mark | None:
        """The newest price, however old."""
        return self._marks.get(symbol)

    def watch(self, symbol: str) -> None:
        """Follow a symbol; calls are counted."""
        self._wanted[symbol] += 1
        if symbol in self._held:
            return
        try:
            lease = self._market.lease(symbol, TICKER)
            subscription = self._market.ticker(symbol).topic.subscribe(self._on_ticker)
        except SubscriptionLimit as error:
            log.warning(f"the price of {symbol} cannot be followed: {error.message}")
            return
        self._held[symbol] = (lease, subscription)

    def unwatch(self, symbol: str) -> None:
        """The opposite of one ``watch``."""
        self._wanted[symbol] -= 1
        if self._wanted[symbol] > 0:
            return
        del self._wanted[symbol]
        if (held := self._held.pop(symbol, None)) is not None:
            for each in held:
                each.close()

    def close(self) -> None:
        """Watch nothing any more."""
        for held in self._held.values():
            for each in held:
                each.close()
        self._held.clear()
        self._wanted.clear()

    def note(self, symbol: str, price: int, time_ms: int) -> None:
        """A price from elsewhere; the newest stays."""
        known = self._marks.get(symbol)
        if known is None or not 0 < known.time_ms - time_ms < SAME_AGAIN_MS:
            self._marks[symbol] = Mark(price, time_ms)

    async def fetch(self, symbols: Iterable[str]) -> None:
        """Have a present price of each symbol; one that is live costs nothing.

        Raises:
            VenueError: There is none, and the venue did not answer. An old price is better than none.
        """
        asked = [symbol for symbol in symbols if not self._take_live(symbol)]
        for first in range(0, len(asked), MAX_ASKED):
            some = asked[first : first + MAX_ASKED]
            try:
                await self._ask(some)
            except VenueError:
                if not self._marks.keys() >= set(some):
                    raise

    async def fetch_one(self, symbol: str) -> Mark:
        """The present price of a symbol.

        Raises:
            VenueError: The venue did not answer.
        """
        if not self._take_live(symbol):
            await self._ask([symbol])
        return self._marks[symbol]

    def _take_live(self, symbol: str) -> bool:
        """Whether the live ticker tells the present price; it is wanted for a while from now on."""
        try:
            ticker = self._market.ticker(symbol)
        except SubscriptionLimit:
            return False
        if not ticker.is_fresh or ticker.latest is None:
            return False
        self._take(ticker.latest)
        return True

    async def _ask(self, symbols: list[str]) -> None:
        kind = symbol_price_ticker.PriceTickerParams
        params = kind(symbol=symbols[0]) if len(symbols) == 1 else kind(symbols=symbols)
        answer = await self._venue.call(symbol_price_ticker.SPEC, params)
        now_ms = self._venue.venue_now_ms()
        for row in answer if isinstance(answer, list) else [answer]:
            self.note(row.symbol, parse_scaled(row.price), now_ms)

    def _take(self, ticker: Ticker24h) -> None:
        self.note(ticker.symbol, parse_scaled(ticker.last_price), ticker.event_ms)

    def _on_ticker(self, ticker: Ticker24h) -> None:
        self._take(ticker)
        now_ns = self._clock.monotonic_ns()
        told_ns = self._told_ns.get(ticker.symbol)
        if told_ns is None or now_ns - told_ns >= MARK_S * NS_PER_S:
            self._told_ns[ticker.symbol] = now_ns
            self._on_mark(ticker.symbol)
