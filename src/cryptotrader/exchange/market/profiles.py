"""What distinguishes the ten symbols of the paper exchange: price, tick, lot, liquidity and pace.

Prices are about those of 2024-08-08, the day of the recording that ships with the product.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from types import MappingProxyType

import msgspec

from cryptotrader.core.scaled import SCALE, parse_scaled


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


def _profile(
    name: str, price: str, units: tuple[str, str, str], pace: tuple[float, float], **more: int
) -> SymbolProfile:
    """A symbol quoted in USDT: ``units`` are tick, lot and typical quantity, ``pace`` trades and volume per second."""
    tick, lot, typical = map(parse_scaled, units)
    return SymbolProfile(
        symbol=f"{name}USDT",
        price=parse_scaled(price),
        tick=tick,
        lot=lot,
        typical_qty=typical,
        trades_per_s=pace[0],
        volume_per_s=pace[1],
        path=_path(name),
        **more,
    )


def _path(name: str) -> tuple[tuple[float, str], ...]:
    """Cryptocurrencies move together: a common process and one of their own."""
    own = {"BTC": 0.010, "ETH": 0.014}.get(name, 0.022)
    return ((0.024, "crypto"), (own, name))


_ETH_OVER_BTC = ((0.014, "ETH"), (-0.010, "BTC"))
"""What remains of two paths when one is divided by the other: the common part cancels out."""

PROFILES = MappingProxyType(
    {
        profile.symbol: profile
        for profile in (
            _profile("BTC", "61837.63", ("0.01", "0.00001", "0.08"), (28.0, 0.35), range_ticks=20000, levels=700),
            _profile("ETH", "2683.42", ("0.01", "0.0001", "1.6"), (14.0, 5.2), range_ticks=8000, levels=600),
            _profile("BNB", "519.8", ("0.1", "0.001", "9"), (4.0, 2.4), range_ticks=1200, levels=350),
            _profile("SOL", "160.52", ("0.01", "0.001", "45"), (8.0, 34.0), range_ticks=3000, levels=450),
            _profile("XRP", "0.6124", ("0.0001", "1", "9500"), (5.0, 4200.0), range_ticks=700, levels=300),
            _profile(
                "ADA", "0.3492", ("0.0001", "0.1", "14000"), (2.5, 900.0), range_ticks=500, levels=250, step_ms=200
            ),
            _profile("DOGE", "0.10513", ("0.00001", "1", "21000"), (4.0, 9800.0), range_ticks=1500, levels=350),
            _profile("LTC", "60.27", ("0.01", "0.001", "24"), (1.6, 3.8), range_ticks=1000, levels=280, step_ms=200),
            _profile("LINK", "10.54", ("0.01", "0.01", "380"), (2.0, 28.0), range_ticks=300, levels=200, step_ms=200),
            SymbolProfile(
                symbol="ETHBTC",
                price=parse_scaled("0.04339"),
                tick=parse_scaled("0.00001"),
                lot=parse_scaled("0.0001"),
                typical_qty=parse_scaled("18"),
                trades_per_s=1.5,
                volume_per_s=0.32,
                range_ticks=500,
                levels=220,
                step_ms=200,
                path=_ETH_OVER_BTC,
            ),
        )
    }
)
"""The ten symbols, by name."""


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
        path=_path(symbol),
    )
