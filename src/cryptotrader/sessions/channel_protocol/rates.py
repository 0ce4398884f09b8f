"""What an account pays on a symbol, asked for once and now and then again (S1-13)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S, Clock
from cryptotrader.core.errors import NotConnected, VenueError
from cryptotrader.core.scaled import mul_scaled, parse_scaled
from cryptotrader.services.binance.models.commission import Commission, CommissionRates

log = get_logger(__name__)

REFRESH_S = 3_600.0
"""Age at which rates are asked for again. Unit: seconds. Reason: they change with the month's volume; weight 20."""

RETRY_S = 30.0
"""Pause after a question that failed. Unit: seconds."""

MAX_SYMBOLS = 5_000
"""Rates kept. Reason: more than a venue lists; the one asked for first goes."""

AskCommission = Callable[[str], Awaitable[Commission]]


def rate_of(commission: Commission, *, is_maker: bool, is_buyer: bool, paid_in: str | None) -> int:
    """The rate of one fill, scaled: standard, special and tax together, the standard one with its discount.

    Binance: ``faqs/commission_faq.md``.

    Args:
        commission: What the account pays.
        is_maker: Which of the two sides the order was.
        is_buyer: Likewise.
        paid_in: Asset that the commission was taken in, where that is known.
    """

    def part(rates: CommissionRates) -> int:
        side = rates.buyer if is_buyer else rates.seller
        return parse_scaled(rates.maker if is_maker else rates.taker) + parse_scaled(side)

    standard = part(commission.standard_commission)
    discount = commission.discount
    if discount.enabled_for_account and discount.enabled_for_symbol and paid_in == discount.discount_asset:
        standard = mul_scaled(standard, parse_scaled(discount.discount))
    return standard + part(commission.special_commission) + part(commission.tax_commission)


class RateBook:
    """Rates of one account by symbol.

    Args:
        ask: Asks the venue; None where nobody can be asked.
        clock: Time.
    """

    def __init__(self, ask: AskCommission | None, clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._known: dict[str, Commission] = {}
        self._due_ns: dict[str, int] = {}
        self._asking: dict[str, asyncio.Event] = {}

    def known(self, symbol: str) -> Commission | None:
        """What is known now."""
        return self._known.get(symbol)

    def will_be_known(self, symbol: str) -> bool:
        """Whether waiting helps: it is not known, and it is being asked for or can be."""
        return symbol not in self._known and (symbol in self._asking or self._is_due(symbol))

    def begin(self, symbol: str) -> bool:
        """Whether the venue should be asked (again) now; who is told so calls ``fetch``."""
        if symbol in self._asking or not self._is_due(symbol):
            return False
        self._asking[symbol] = asyncio.Event()
        return True

    async def fetch(self, symbol: str) -> None:
        """Ask; a failure leaves what is known."""
        wait_s = RETRY_S
        try:
            assert self._ask is not None
            self._keep(symbol, await self._ask(symbol))
            wait_s = REFRESH_S
        except (VenueError, NotConnected) as error:
            log.warning(f"commission of {symbol} is not known: {type(error).__name__}")
        finally:
            self._due_ns[symbol] = self._clock.monotonic_ns() + int(wait_s * NS_PER_S)
            self._asking.pop(symbol).set()

    async def settle(self, symbol: str) -> None:
        """Ask where it is due, or wait for who is asking."""
        if self.begin(symbol):
            await self.fetch(symbol)
        elif symbol in self._asking:
            await self._asking[symbol].wait()

    def _is_due(self, symbol: str) -> bool:
        return self._ask is not None and self._clock.monotonic_ns() >= self._due_ns.get(symbol, 0)

    def _keep(self, symbol: str, commission: Commission) -> None:
        if symbol not in self._known and len(self._known) >= MAX_SYMBOLS:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._due_ns.pop(oldest, None)
        self._known[symbol] = commission
