"""Which symbols the venue has."""

from __future__ import annotations

import asyncio
from collections.abc import Set

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import UnknownSymbol, VenueError
from cryptotrader.core.instruments import Instrument, compact_symbol
from cryptotrader.feeds.base import VenueRest
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.models.exchange_info import ExchangeInfo, SymbolInfo
from cryptotrader.services.binance.websocketAPI.general_requests import exchange_information

log = get_logger(__name__)

REFRESH_S = 3_600.0
"""Age at which the list is fetched anew. Unit: seconds. Reason: listings are announced days ahead; weight 20."""

RETRY_S = 10.0
"""Pause after a refresh that failed while an older list is at hand. Unit: seconds."""

UNKNOWN_REFRESH_S = 60.0
"""Least age at which an unknown symbol leads to a refresh, so that a new listing is found soon and a client that asks
for nonsense costs at most one request a minute. Unit: seconds."""


class SymbolCatalogue:
    """The venue's symbols, fetched when first needed and now and then.

    Args:
        rest: Requests to the venue.
        clock: Time.
    """

    def __init__(self, rest: VenueRest, clock: WaitingClock) -> None:
        self._rest = rest
        self._clock = clock
        self._by_symbol: dict[str, SymbolInfo] = {}
        self._info: ExchangeInfo | None = None
        self._fetched_ns = 0
        self._failed_ns: int | None = None
        self._lock = asyncio.Lock()

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol known now; empty before the first ``load``."""
        return tuple(self._by_symbol)

    def known(self, symbol: str) -> SymbolInfo | None:
        """What is known now of a symbol in Binance's spelling, without asking the venue."""
        return self._by_symbol.get(symbol)

    def trading(self, assets: Set[str]) -> list[str]:
        """Symbols known now whose base and quote are both among ``assets``."""
        return [
            info.symbol for info in self._by_symbol.values() if info.base_asset in assets and info.quote_asset in assets
        ]

    async def load(self) -> ExchangeInfo:
        """The list, fetched where it is missing or old.

        Raises:
            VenueError: It is missing and cannot be had. An old list is better than none and raises nothing.
        """
        return await self._load(REFRESH_S)

    async def require(self, symbol_text: str) -> str:
        """Any of the four spellings (C-12) to Binance's: ``btc/usdt`` to ``BTCUSDT``.

        Raises:
            UnknownSymbol: "Invalid symbol" (S0-18).
            VenueError: The list cannot be had.
        """
        return (await self.info(symbol_text)).symbol

    async def info(self, symbol_text: str) -> SymbolInfo:
        """The rules of a symbol in any spelling; raises as ``require`` does."""
        symbol = compact_symbol(symbol_text)
        await self._load(REFRESH_S)
        info = self._by_symbol.get(symbol)
        if info is None:
            await self._load(UNKNOWN_REFRESH_S)
            info = self._by_symbol.get(symbol)
        if info is None:
            raise UnknownSymbol("Invalid symbol", param="symbol", problem="unknown")
        return info

    async def instrument(self, symbol_text: str) -> Instrument:
        """Base and quote of a symbol in any spelling; raises as ``require`` does."""
        info = await self.info(symbol_text)
        return Instrument(info.base_asset, info.quote_asset)

    async def _load(self, max_age_s: float) -> ExchangeInfo:
        if self._info is not None and not self._is_due(max_age_s):
            return self._info
        async with self._lock:
            if self._info is not None and not self._is_due(max_age_s):
                return self._info
            try:
                info = await self._rest.call(exchange_information.SPEC, exchange_information.ExchangeInfoParams())
            except VenueError as error:
                self._failed_ns = self._clock.monotonic_ns()
                if self._info is None:
                    raise
                log.warning(f"the list of symbols could not be refreshed: {type(error).__name__}")
                return self._info
            self._info = info
            self._by_symbol = {row.symbol: row for row in info.symbols}
            self._fetched_ns, self._failed_ns = self._clock.monotonic_ns(), None
            return info

    def _is_due(self, max_age_s: float) -> bool:
        now_ns = self._clock.monotonic_ns()
        if self._failed_ns is not None and now_ns - self._failed_ns < RETRY_S * NS_PER_S:
            return False
        return now_ns - self._fetched_ns >= max_age_s * NS_PER_S
