"""How much one market order may sell, from the venue's filters (``filters.md``). Pure."""

from __future__ import annotations

import math

from cryptotrader.core.scaled import parse_scaled
from cryptotrader.portfolio.protections import Lot
from cryptotrader.services.binance.models.exchange_info import SymbolInfo

LOTS = ("LOT_SIZE", "MARKET_LOT_SIZE")
"""Filters that a market order must pass both. A step of zero in one of them means that it has none."""


def lot_of(info: SymbolInfo) -> Lot:
    """The step that fits both filters, and the smaller maximum."""
    step, most = 1, None
    for item in info.filters:
        if item.get("filterType") not in LOTS:
            continue
        step = math.lcm(step, parse_scaled(str(item.get("stepSize", "0"))) or 1)
        if limit := parse_scaled(str(item.get("maxQty", "0"))):
            most = limit if most is None else min(most, limit)
    return Lot(step=step, most=most)
