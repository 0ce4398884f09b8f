"""Symbols, accounts and prices that engine and twin live in. Odd sizes on purpose, so that rounding matters."""

from __future__ import annotations

from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.rules import SorGroup, SymbolRules
from cryptotrader.exchange.engine.rules.commission import Rates, SymbolFees
from cryptotrader.exchange.engine.rules.execution_rules import PriceRange, ReferenceRule

TICK = 12_345_000
LOW, MIDDLE, HIGH = 93, 100, 107
"""Ticks between which everything happens, so that orders often meet."""
STEPS = {"AAAUUU": 37_100, "AAAVVV": 18_550, "BNBUUU": 51_300}
"""The two that smart order routing joins have quantities of different grain."""
ROUTED = ("AAAUUU", "AAAVVV")
SYMBOLS = tuple(STEPS)
ASSETS = ("AAA", "BNB", "UUU", "VVV")

_RANGES = {
    "AAAVVV": PriceRange(103_000_000, 98_000_000, 102_000_000, 97_000_000),
    "BNBUUU": PriceRange(bid_up=102_500_000, ask_down=98_500_000),
}


def _rules(symbol: str) -> SymbolRules:
    return SymbolRules(
        symbol=symbol,
        base=symbol[:3],
        quote=symbol[3:],
        tick=TICK,
        min_price=0,
        max_price=0,
        step=STEPS[symbol],
        min_qty=STEPS[symbol],
        max_qty=STEPS[symbol] * 40,
        max_num_orders=0,
        max_num_algo_orders=0,
        max_num_order_lists=0,
        max_num_order_amends=3,
        iceberg_parts=9,
        price_range=_RANGES.get(symbol),
        reference=ReferenceRule(bucket_width_ms=1_000, bucket_count=5),
    )


RULES = tuple(_rules(symbol) for symbol in SYMBOLS)

_START = {"AAA": 37_100 * 170, "BNB": 51_300 * 38, "UUU": 160_000_00, "VVV": 90_000_00}
"""Some two hundred lots' worth, so that balances do run out."""

_BY_SYMBOL = {
    "BNBUUU": SymbolFees(standard=Rates(70_000, 130_000, 11_000, 7_000), tax=Rates(0, 3_000)),
    "AAAVVV": SymbolFees(standard=Rates(50_000, 90_000), discount_enabled=False),
}

ACCOUNTS = (
    PaperAccount(id="alice", balances=_START, maker_bps=7, taker_bps=13),
    PaperAccount(id="bob", balances=_START, maker_bps=9, taker_bps=21, pays_in_bnb=True, special=Rates(1_000, 2_000)),
    PaperAccount(id="carol", balances=_START, pays_in_bnb=True, symbol_fees=_BY_SYMBOL),
    PaperAccount(id="dora", balances=_START, maker_bps=0, taker_bps=0),
)
NAMES = tuple(account.id for account in ACCOUNTS)


def an_engine() -> Engine:
    """Nobody in it yet."""
    return Engine(RULES, [SorGroup("AAA", ROUTED)])
