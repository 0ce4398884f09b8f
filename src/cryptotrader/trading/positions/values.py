"""What a commission in a third asset was worth when it was paid.

The price is that at which the minute of the fill opened, from the venue's candles, so that a position that is rebuilt
from the venue's history comes out as it was.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from cryptotrader.core.scaled import div_scaled, mul_scaled, parse_scaled
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.services.binance.websocketAPI.market_data_requests import klines
from cryptotrader.trading.positions.ports import Instruments, Venue

MINUTE_MS = 60_000

PAGE = 1_000
"""Candles per request, the most that Binance gives."""

MAX_PRICES = 50_000
"""Prices remembered. Unit: minutes of one symbol, about 150 bytes. Overflow: the oldest."""

BRIDGES = ("USDT", "USDC", "BTC", "BNB", "ETH")
"""Assets by way of which two others are compared where they have no market of their own, the busiest first."""


class Valuer:
    """Prices of the past, remembered.

    Args:
        venue: Its candles.
        instruments: Which markets there are.
    """

    def __init__(self, venue: Venue, instruments: Instruments) -> None:
        self._venue = venue
        self._instruments = instruments
        self._opens: OrderedDict[tuple[str, int], int] = OrderedDict()

    async def value(self, fill: FillRow, quote: str) -> int | None:
        """Worth of its commission in ``quote``, scaled and cut; None where no market tells.

        Raises:
            VenueError: The venue did not answer.
        """
        await self._instruments.load()
        for legs in self._routes(fill.commission_asset, quote):
            value: int | None = fill.commission
            for symbol, is_inverse in legs:
                price = await self._open(symbol, fill.time_ms)
                if not price or value is None:
                    value = None
                    break
                value = div_scaled(value, price) if is_inverse else mul_scaled(value, price)
            if value is not None:
                return value
        return None

    def _routes(self, asset: str, quote: str) -> Iterator[list[tuple[str, bool]]]:
        direct = self._market(asset, quote)
        if direct is not None:
            yield [direct]
        for bridge in BRIDGES:
            first, second = self._market(asset, bridge), self._market(bridge, quote)
            if first is not None and second is not None:
                yield [first, second]

    def _market(self, asset: str, other: str) -> tuple[str, bool] | None:
        """The symbol in which two assets trade, and whether its price is that of ``other`` in ``asset``."""
        if self._instruments.known(asset + other) is not None:
            return asset + other, False
        if self._instruments.known(other + asset) is not None:
            return other + asset, True
        return None

    async def _open(self, symbol: str, time_ms: int) -> int:
        """The price at which the minute opened; of an earlier minute where nothing traded in it; 0 where none did."""
        minute = time_ms - time_ms % MINUTE_MS
        if (symbol, minute) not in self._opens:
            await self._fetch(symbol, minute)
        return self._opens.get((symbol, minute), 0)

    async def _fetch(self, symbol: str, minute: int) -> None:
        age = (self._venue.venue_now_ms() - minute) // MINUTE_MS
        # A history of many fills is told oldest first, so the minutes that follow are needed next.
        limit = max(2, min(PAGE, age + 2))
        params = klines.KlinesParams(symbol=symbol, interval="1m", start_time=minute, limit=limit)
        for row in await self._venue.call(klines.SPEC, params):
            self._remember(symbol, row.open_time, parse_scaled(row.open))
        if (symbol, minute) not in self._opens:
            params = klines.KlinesParams(symbol=symbol, interval="1m", end_time=minute + MINUTE_MS - 1, limit=1)
            for row in await self._venue.call(klines.SPEC, params):
                self._remember(symbol, minute, parse_scaled(row.close))

    def _remember(self, symbol: str, minute: int, price: int) -> None:
        self._opens[symbol, minute] = price
        while len(self._opens) > MAX_PRICES:
            self._opens.popitem(last=False)
