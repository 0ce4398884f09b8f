"""The public trades of one symbol, each once, without a hole."""

from __future__ import annotations

from collections import deque

import msgspec

from cryptotrader.bus import Topic
from cryptotrader.core.events import LinkState, Trade
from cryptotrader.feeds.base import Feed, FeedContext
from cryptotrader.market.trades import Arrival, TradeTape
from cryptotrader.services.binance.normalise import trade, trades_of
from cryptotrader.services.binance.websocketAPI.market_data_requests import historical_trades, recent_trades

MAX_WAITING = 5_000
"""Live trades held while a hole is filled. Unit: trades. Overflow: the oldest goes, and is fetched as part of the hole
that it leaves."""

FETCH_LIMIT = 1_000
"""Trades per request, the most that Binance gives."""


class TradeFeed(Feed):
    """Seeds its tape from REST, follows the stream, and fills what the stream missed."""

    def __init__(self, symbol: str, context: FeedContext) -> None:
        super().__init__(symbol, f"{symbol.lower()}@trade", context)
        self.tape = TradeTape(symbol)
        self.topic: Topic[Trade] = Topic(f"trades {symbol}")
        self._waiting: deque[Trade] = deque(maxlen=MAX_WAITING)
        self._is_seeded = False
        self._is_silent = True

    @property
    def is_fresh(self) -> bool:
        """Whether the tape holds the newest trades without a hole."""
        return self._is_seeded and self.is_present and not self.is_filling

    def on_event(self, payload: msgspec.Raw) -> None:
        """``trade``."""
        event = trade(payload)
        last = self.tape.last
        if not self._is_seeded or self._waiting or (last is not None and event.trade_id > last.trade_id + 1):
            self._waiting.append(event)
            if not self.is_filling:
                self.fill()
            return
        self._append(event)

    def on_link(self, state: LinkState) -> None:
        """Without a connection trades are missed; they are fetched once there is one again."""
        if state is LinkState.DISCONNECTED:
            self._is_seeded = False
            self._waiting.clear()
        super().on_link(state)

    async def _fill_once(self) -> None:
        await self._until_active()
        last, rest = self.tape.last, self.context.rest
        if not self._is_seeded:
            params = recent_trades.RecentTradesParams(symbol=self.symbol, limit=FETCH_LIMIT)
            answer = await rest.call(recent_trades.SPEC, params)
            rows = trades_of(self.symbol, answer)
            if last is not None and rows and rows[-1].trade_id < last.trade_id and rows[-1].time_ms > last.time_ms:
                # The venue's ids went back: it has started anew.
                self.tape.clear()
                self._is_silent = True
            if last is not None and rows and last.trade_id + 1 < rows[0].trade_id <= last.trade_id + 10 * FETCH_LIMIT:
                await self._fetch_from(last.trade_id + 1, below=rows[0].trade_id)
            for row in rows:
                self._append(row)
            self._is_seeded = self.is_active
            self._is_silent = self._is_silent and not self._is_seeded
        await self._drain()

    async def _drain(self) -> None:
        """Put the waiting trades on the tape, fetching what is missing in front of them."""
        while self._waiting and self._is_seeded:
            event = self._waiting[0]
            last = self.tape.last
            if last is not None and event.trade_id > last.trade_id + 1:
                await self._fetch_from(last.trade_id + 1, below=event.trade_id)
                if not self._waiting or self._waiting[0] is not event:
                    continue
            self._waiting.popleft()
            self._append(event)

    async def _fetch_from(self, first_id: int, *, below: int) -> None:
        """Fetch the trades of ``[first_id, below)``; the newest thousand where there are more."""
        first_id = max(first_id, below - FETCH_LIMIT)
        params = historical_trades.HistoricalTradesParams(symbol=self.symbol, from_id=first_id, limit=FETCH_LIMIT)
        answer = await self.context.rest.call(historical_trades.SPEC, params)
        for row in trades_of(self.symbol, answer):
            if row.trade_id < below:
                self._append(row)

    async def _until_active(self) -> None:
        while not self.is_active:
            await self.context.clock.sleep(self.context.policy.poll_s)

    def _append(self, event: Trade) -> None:
        # What was traded before anyone listened is history, not news.
        if self.tape.append(event) is not Arrival.OLD and not self._is_silent:
            self.topic.publish(event)
