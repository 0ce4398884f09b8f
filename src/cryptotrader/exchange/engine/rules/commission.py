"""What a fill costs: rates, their sum, and the discount for paying in another asset (``faqs/commission_faq.md``).

Rates are scaled: 0.001 is 100000. Amounts are worked out exactly and cut to eight places once, at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from cryptotrader.core.orders import Side
from cryptotrader.core.scaled import SCALE

DISCOUNT_ASSET = "BNB"

BASIS_POINT = SCALE // 10_000
"""One hundredth of a percent as a scaled rate."""

DEFAULT_DISCOUNT = 75 * SCALE // 100
"""What the standard commission is multiplied by when it is paid in the discount asset. Reason: Binance's own."""

Prices = Callable[[str], int | None]
"""Last price of a symbol, scaled; None where there is no such symbol or it has not traded."""


def no_prices(symbol: str) -> None:
    """Nothing trades here."""
    return


class Rates(msgspec.Struct, frozen=True):
    """One kind of commission. What a trade pays is the maker's or taker's part plus the buyer's or seller's."""

    maker: int = 0
    taker: int = 0
    buyer: int = 0
    seller: int = 0

    def of(self, *, is_maker: bool, is_buyer: bool) -> int:
        """The sum that holds for one side of one trade."""
        return (self.maker if is_maker else self.taker) + (self.buyer if is_buyer else self.seller)


FREE = Rates()


class SymbolFees(msgspec.Struct, frozen=True, kw_only=True):
    """What an account pays on a symbol."""

    standard: Rates
    special: Rates = FREE
    tax: Rates = FREE
    discount_enabled: bool = True
    """Whether the standard commission of this symbol is less when it is paid in the discount asset."""


class Fees(msgspec.Struct, frozen=True):
    """What an account pays: in general, and on symbols that differ."""

    maker_bps: int = 10
    """Standard commission in basis points."""
    taker_bps: int = 10
    special: Rates = FREE
    tax: Rates = FREE
    by_symbol: tuple[tuple[str, SymbolFees], ...] = ()
    """In place of all the above, on the symbols named."""
    pays_in_discount_asset: bool = False
    """``enabledForAccount``: the account has chosen to pay in ``DISCOUNT_ASSET``. Off until it does, as at Binance."""
    discount: int = DEFAULT_DISCOUNT

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing but the standard commission, taken from what is received."""
        return not (self.pays_in_discount_asset or self.by_symbol or self.special != FREE or self.tax != FREE)

    def plain(self, received: int, *, is_maker: bool) -> int:
        """The commission where that is so."""
        return min(received, received * (self.maker_bps if is_maker else self.taker_bps) * BASIS_POINT // SCALE)

    def on(self, symbol: str) -> SymbolFees:
        """What holds on a symbol."""
        for name, fees in self.by_symbol:
            if name == symbol:
                return fees
        standard = Rates(maker=self.maker_bps * BASIS_POINT, taker=self.taker_bps * BASIS_POINT)
        return SymbolFees(standard=standard, special=self.special, tax=self.tax)


class Trade(NamedTuple):
    """One account's side of one trade."""

    symbol: str
    base: str
    quote: str
    is_buyer: bool
    is_maker: bool
    qty: int
    quote_qty: int

    @property
    def received(self) -> tuple[str, int]:
        """Asset and amount that the account gets."""
        return (self.base, self.qty) if self.is_buyer else (self.quote, self.quote_qty)


class Charge(NamedTuple):
    """What is to be paid."""

    asset: str
    amount: int


def charge(fees: Fees, trade: Trade, *, prices: Prices, available: int) -> Charge:
    """The commission of one fill.

    It is taken from what the trade gives, unless the account pays in the discount asset, has enough of it, and there
    is a price to convert at.

    Args:
        fees: The account's.
        trade: What was traded.
        prices: Last prices, for the conversion.
        available: How much of the discount asset is free, scaled, without what this trade gives.
    """
    asset, received = trade.received
    if fees.is_plain:
        bps = fees.maker_bps if trade.is_maker else fees.taker_bps
        return Charge(asset, min(received, received * bps * BASIS_POINT // SCALE))
    on_symbol = fees.on(trade.symbol)
    standard = on_symbol.standard.of(is_maker=trade.is_maker, is_buyer=trade.is_buyer)
    extra = on_symbol.special.of(is_maker=trade.is_maker, is_buyer=trade.is_buyer)
    extra += on_symbol.tax.of(is_maker=trade.is_maker, is_buyer=trade.is_buyer)
    if fees.pays_in_discount_asset and on_symbol.discount_enabled:
        worth = _worth(trade, prices)
        if worth is not None:
            amount, unit = worth
            due = amount * (standard * fees.discount + extra * SCALE) // (unit * SCALE * SCALE)
            if due <= available + (received if asset == DISCOUNT_ASSET else 0):
                return Charge(DISCOUNT_ASSET, due)
    return Charge(asset, min(received, received * (standard + extra) // SCALE))


def _worth(trade: Trade, prices: Prices) -> tuple[int, int] | None:
    """What the trade gives, in the discount asset, as an exact fraction; None where no market tells.

    First by the market of the asset received, then by that of the quote asset at the price of the trade itself.
    """
    asset, received = trade.received
    found = _converted(asset, received, prices)
    if found is None and asset != trade.quote:
        found = _converted(trade.quote, trade.quote_qty, prices)
    return found


def _converted(asset: str, amount: int, prices: Prices) -> tuple[int, int] | None:
    if asset == DISCOUNT_ASSET:
        return amount, 1
    price = prices(DISCOUNT_ASSET + asset)
    if price:
        return amount * SCALE, price
    price = prices(asset + DISCOUNT_ASSET)
    return (amount * price, SCALE) if price else None


def describe_discount(fees: Fees, symbol: str) -> dict[str, object]:
    """``discount`` of ``account.commission`` and of ``order.test``; the rate is scaled."""
    return {
        "enabledForAccount": fees.pays_in_discount_asset,
        "enabledForSymbol": fees.on(symbol).discount_enabled,
        "discountAsset": DISCOUNT_ASSET,
        "discount": fees.discount,
    }


class OrderRates(NamedTuple):
    """What an order would pay as maker and as taker, its side taken into account."""

    maker: int
    taker: int


def for_order(rates: Rates, side: Side) -> OrderRates:
    """``computeCommissionRates``."""
    is_buyer = side is Side.BUY
    return OrderRates(
        maker=rates.of(is_maker=True, is_buyer=is_buyer), taker=rates.of(is_maker=False, is_buyer=is_buyer)
    )
