"""What trading costs (``faqs/commission_faq.md``). Rates are fractions as text: ``"0.00150000"`` is 0.15 %."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import Wire


class CommissionPair(Wire, frozen=True, kw_only=True):
    """``{"maker":"0.00000112","taker":"0.00000114"}``."""

    maker: str
    taker: str


class CommissionRates(Wire, frozen=True, kw_only=True):
    """``{"maker":"0.00150000","taker":"0.00150000","buyer":"0.00000000","seller":"0.00000000"}``."""

    maker: str = "0"
    taker: str = "0"
    buyer: str = "0"
    seller: str = "0"


class Discount(Wire, frozen=True, kw_only=True):
    """Discount on the standard commission when it is paid in ``discount_asset``."""

    enabled_for_account: bool = False
    enabled_for_symbol: bool = False
    discount_asset: str = ""
    discount: str = "0"


class Commission(Wire, frozen=True, kw_only=True):
    """What an account pays on a symbol (``account.commission``)."""

    symbol: str
    standard_commission: CommissionRates
    special_commission: CommissionRates = CommissionRates()
    tax_commission: CommissionRates = CommissionRates()
    discount: Discount = Discount()
