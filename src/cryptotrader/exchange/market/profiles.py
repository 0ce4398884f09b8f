"""What distinguishes the symbols of the paper exchange: price, tick, lot, liquidity and pace.

Prices are about those of 2024-08-08, the day of the recording that ships with the product. The prices of two assets in
a third fit each other, and go on to: each asset has a process of its own, and a symbol moves as its two assets do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from types import MappingProxyType

import msgspec

from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.market.table import ROWS, SymbolRow


class SymbolProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How one symbol behaves. Prices and quantities are scaled."""

    symbol: str
    price: int
    """Where the live market starts."""
    tick: int
    lot: int
    typical_qty: int
    """Median quantity of a level near the top."""
    trades_per_s: float
    volume_per_s: float
    """Mean volume, in base units per second."""
    spread_ticks: int = 1
    """Usual distance of bid and ask."""
    range_ticks: int = 4000
    """How deep the book reaches on each side."""
    levels: int = 400
    """Levels per side, roughly."""
    step_ms: int = 100
    """How often the book changes."""
    path: tuple[tuple[float, str], ...] = ()
    """The logarithmic price as weighted sum of named processes, each moving one percent a day at weight 0.01."""
    kin: str = ""
    """Symbol whose highs and lows it shares, since it moves almost alike; empty for none."""


_OWN = {"BTC": 0.010, "ETH": 0.014, "BNB": 0.016, "EUR": 0.004, "USDC": 0.0002}
"""How much an asset moves by itself. Unit: one is a hundred percent a day."""

_OWN_OF_OTHERS = 0.022

_TOGETHER = 0.024
"""How much all cryptocurrencies move together. Unit: as above."""

_MONEY = frozenset({"EUR", "USDC", "USDT"})
"""What does not move with cryptocurrencies; the dollar itself stands still."""


def _path(base: str, quote: str) -> tuple[tuple[float, str], ...]:
    """What the base does less what the quote does; what both do cancels out."""
    path: list[tuple[float, str]] = []
    together = (base not in _MONEY) - (quote not in _MONEY)
    if together:
        path.append((_TOGETHER * together, "crypto"))
    path.extend(
        (sign * _OWN.get(asset, _OWN_OF_OTHERS), asset) for sign, asset in ((1, base), (-1, quote)) if asset != "USDT"
    )
    return tuple(path)


def _profile(row: SymbolRow) -> SymbolProfile:
    return SymbolProfile(
        symbol=row.symbol,
        price=row.price,
        tick=row.tick,
        lot=row.step,
        typical_qty=row.typical_qty,
        trades_per_s=row.trades_per_s,
        volume_per_s=row.volume_per_s,
        spread_ticks=row.spread_ticks,
        range_ticks=row.range_ticks,
        levels=row.levels,
        step_ms=row.step_ms,
        path=_path(row.base, row.quote),
        kin=f"{row.base}USDT" if row.quote in _MONEY and row.base not in _MONEY else "",
    )


PROFILES = MappingProxyType({row.symbol: _profile(row) for row in ROWS})
"""Every symbol that can be made up, by name."""


def profile_like(symbol: str, price: int, *, prices: Iterable[int], quantities: Iterable[int]) -> SymbolProfile:
    """The profile of a recorded symbol: our own where there is one, otherwise judged by the numbers recorded."""
    known = PROFILES.get(symbol)
    if known is not None:
        return known
    tick, lot = math.gcd(*prices) or 1, math.gcd(*quantities) or 1
    return SymbolProfile(
        symbol=symbol,
        price=price,
        tick=tick,
        lot=lot,
        typical_qty=100 * lot,
        trades_per_s=5.0,
        volume_per_s=500.0 * lot / SCALE,
        path=((_TOGETHER, "crypto"), (_OWN_OF_OTHERS, symbol)),
    )
