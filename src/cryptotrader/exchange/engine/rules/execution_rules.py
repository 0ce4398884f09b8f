"""Rules that hold when an order executes, and the reference price that they need.

``faqs/price_range_execution_rules.md``; ``rest-api.md``, "Query Execution Rules" and "Query Reference Price
Calculation".
"""

from __future__ import annotations

import msgspec

from cryptotrader.core.orders import Side
from cryptotrader.core.scaled import SCALE


class PriceRange(msgspec.Struct, frozen=True):
    """PRICE_RANGE: how far from the reference price an order may trade. Multipliers are scaled; 0 sets no bound."""

    bid_up: int = 0
    bid_down: int = 0
    ask_up: int = 0
    ask_down: int = 0

    def bounds(self, side: Side, reference: int) -> tuple[int, int]:
        """Lowest and highest price at which an order of a side may trade, both allowed; 0 for no bound."""
        down, up = (self.bid_down, self.bid_up) if side is Side.BUY else (self.ask_down, self.ask_up)
        return -(-reference * down // SCALE), reference * up // SCALE


class ReferenceRule(msgspec.Struct, frozen=True):
    """ARITHMETIC_MEAN: simple moving average of the trades of the last buckets."""

    bucket_width_ms: int = 1000
    bucket_count: int = 300
