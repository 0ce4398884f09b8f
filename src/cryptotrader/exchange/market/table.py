"""The table of symbols that ships with the product: trading rules as facts, and how each made-up market behaves.

``data/symbols.tsv``; see the NOTICE beside it for where the facts come from.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from cryptotrader.core.scaled import parse_scaled

TABLE = Path(__file__).with_name("data") / "symbols.tsv"


class SymbolRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table. Prices and quantities are scaled."""

    symbol: str
    base: str
    quote: str
    tick: int
    max_price: int
    step: int
    max_qty: int
    market_max_qty: int
    price: int
    """Where the made-up market starts."""
    typical_qty: int
    """Median quantity of a level near the top."""
    trades_per_s: float
    volume_per_s: float
    """Base units per second."""
    spread_ticks: int
    range_ticks: int
    levels: int
    step_ms: int


_SCALED = frozenset({"tick", "max_price", "step", "max_qty", "market_max_qty", "price", "typical_qty"})


def _read() -> tuple[SymbolRow, ...]:
    head, *lines = TABLE.read_text("utf-8").splitlines()
    names = head.split("\t")
    rows = []
    for line in lines:
        cells = dict(zip(names, line.split("\t"), strict=True))
        values = {name: parse_scaled(cell) if name in _SCALED else cell for name, cell in cells.items()}
        rows.append(msgspec.convert(values, SymbolRow, strict=False))
    return tuple(rows)


ROWS = _read()
"""In the order in which ``exchangeInfo`` lists the symbols."""
