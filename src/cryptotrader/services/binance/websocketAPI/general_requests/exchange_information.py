"""Exchange information (``exchangeInfo``): rate limits, symbols and their trading rules."""

from __future__ import annotations

from cryptotrader.services.binance.models.exchange_info import ExchangeInfo
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType, Symbol, SymbolStatus, fixed_weight
from cryptotrader.services.binance.rules import at_most_one_of


class ExchangeInfoParams(Params, frozen=True, kw_only=True):
    """Parameters of ``exchangeInfo``; none means every symbol."""

    symbol: Symbol | None = None
    symbols: list[Symbol] | None = None
    permissions: list[str] | None = None
    """``SPOT`` or ``["MARGIN","LEVERAGED"]``."""
    show_permission_sets: bool | None = None
    symbol_status: SymbolStatus | None = None


SPEC = RequestSpec(
    method="exchangeInfo",
    rest="GET /api/v3/exchangeInfo",
    security=SecurityType.NONE,
    weight=fixed_weight(20),
    params=ExchangeInfoParams,
    result=ExchangeInfo,
    rules=(at_most_one_of("symbol", "symbols", "permissions"), at_most_one_of("symbol", "symbols", "symbolStatus")),
)
process_request = SPEC.process_request
