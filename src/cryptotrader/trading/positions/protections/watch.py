"""Shows a watcher every price of a symbol: the missed ones first, then each as it comes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from cryptotrader.config import get_logger
from cryptotrader.core.errors import CryptotraderError, SubscriptionLimit
from cryptotrader.core.events import Trade
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.websocketAPI.market_data_requests import symbol_price_ticker
from cryptotrader.trading.positions.ports import TRADES, Market, TradeStream, Venue
from cryptotrader.trading.positions.protections.look_back import LookBack, Watcher

log = get_logger(__name__)

MAX_QUEUED = 10_000
"""Trades that wait to be shown. Unit: trades. Overflow: they are dropped and looked up again."""

TAPE = 1_000
"""Trades of the tape that are looked at after a gap. Unit: trades. Reason: all that it holds."""

QUIET_S = 5.0
"""After this long without a trade of a stream that does not work, the price is asked for. Unit: seconds."""

FRESH_S = 10.0
"""How long the live trades are waited for before the price is asked for. Unit: seconds."""

POLL_S = 0.05
"""How often that wait looks. Unit: seconds."""

RETRY_S = 1.0
"""Pause after the venue could not tell what was missed. Unit: seconds."""

CLOCK_BACK_MS = 1_000
"""A trade with a known id but so much younger is one of a venue that was wiped and counts anew. Unit: milliseconds."""


class Prices:
    """The prices of one symbol for one watcher.

    Args:
        symbol: ``BTCUSDT``.
        market: Live trades.
        venue: What was missed.
        clock: Waiting.
    """

    def __init__(self, symbol: str, market: Market, venue: Venue, *, clock: WaitingClock) -> None:
        self._symbol = symbol
        self._market = market
        self._venue = venue
        self._clock = clock
        self._look_back = LookBack(venue)
        self._queue: deque[Trade] = deque()
        self._wake = asyncio.Event()
        self._is_gap = True
        self._last: tuple[int, int] = (-1, 0)
        """Id and time of the last trade shown."""

    async def show(self, watcher: Watcher) -> None:
        """Return when the watcher waits no more."""
        try:
            lease = self._market.lease(self._symbol, TRADES)
        except SubscriptionLimit as error:
            log.error(f"{self._symbol}: its trades cannot be followed: {error.message}")
            await self._ask(watcher)
            await self._clock.sleep(RETRY_S)
            return
        feed = self._market.trades(self._symbol)
        subscription = feed.topic.subscribe(self._on_trade)
        self._is_gap = True
        try:
            while watcher.is_armed:
                if self._is_gap:
                    await self._catch_up(feed, watcher)
                elif self._queue:
                    self._drain(watcher)
                elif not await self._woken() and not feed.is_fresh:
                    await self._ask(watcher)
        finally:
            subscription.close()
            lease.close()
            self._queue.clear()

    def nudge(self) -> None:
        """The watcher has changed: look at it again."""
        self._wake.set()

    def _on_trade(self, trade: Trade) -> None:
        if len(self._queue) >= MAX_QUEUED:
            self._queue.clear()
            self._is_gap = True
        self._queue.append(trade)
        self._wake.set()

    async def _woken(self) -> bool:
        """Wait for a trade; False where none came for a while."""
        self._wake.clear()
        try:
            async with asyncio.timeout(QUIET_S):
                await self._wake.wait()
        except TimeoutError:
            return False
        return True

    def _drain(self, watcher: Watcher) -> None:
        while self._queue and watcher.is_armed:
            trade = self._queue[0]
            last_id, last_ms = self._last
            if trade.trade_id > last_id + 1 or (trade.trade_id <= last_id and trade.time_ms > last_ms + CLOCK_BACK_MS):
                self._is_gap = True
                return
            self._queue.popleft()
            if trade.trade_id > last_id:
                self._show(watcher, trade)

    def _show(self, watcher: Watcher, trade: Trade) -> None:
        self._last = (trade.trade_id, trade.time_ms)
        watcher.see(trade.price, time_ms=trade.time_ms, trade_id=trade.trade_id)

    async def _catch_up(self, feed: TradeStream, watcher: Watcher) -> None:
        """Show what was missed, or at least the present; the gap stays one until all of it was shown."""
        for _ in range(int(FRESH_S / POLL_S)):
            if feed.is_fresh or not watcher.is_armed:
                break
            await self._clock.sleep(POLL_S)
        else:
            await self._ask(watcher)
            return
        rows = _unbroken(feed.tape.latest(TAPE))
        try:
            if not rows or rows[0].time_ms > watcher.seen_ms:
                until_ms = rows[0].time_ms if rows else self._venue.venue_now_ms()
                await self._look_back.show(self._symbol, watcher, until_ms=until_ms)
        except CryptotraderError as error:
            log.warning(f"{self._symbol}: missed prices cannot be had: {type(error).__name__}")
            if rows:
                self._only_if_it_fires(watcher, rows[-1].price, rows[-1].time_ms)
            await self._clock.sleep(max(RETRY_S, error.retry_after_s or 0.0))
            return
        self._is_gap = False
        for trade in rows:
            if watcher.is_armed:
                self._show(watcher, trade)

    async def _ask(self, watcher: Watcher) -> None:
        """The present price, where the stream does not tell it. Only what fires counts: the rest is shown in order."""
        try:
            params = symbol_price_ticker.PriceTickerParams(symbol=self._symbol)
            row = await self._venue.call(symbol_price_ticker.SPEC, params)
        except CryptotraderError as error:
            log.warning(f"{self._symbol}: its price cannot be had: {type(error).__name__}")
            await self._clock.sleep(max(RETRY_S, error.retry_after_s or 0.0))
            return
        if not isinstance(row, list):
            self._only_if_it_fires(watcher, parse_scaled(row.price), self._venue.venue_now_ms())

    def _only_if_it_fires(self, watcher: Watcher, price: int, time_ms: int) -> None:
        if watcher.is_armed and watcher.can_fire(price, price):
            watcher.see(price, time_ms=time_ms)


def _unbroken(rows: Sequence[Trade]) -> Sequence[Trade]:
    """The newest of these trades, as far back as none is missing."""
    first = len(rows) - 1
    while first > 0 and rows[first - 1].trade_id == rows[first].trade_id - 1:
        first -= 1
    return rows[max(first, 0) :]
