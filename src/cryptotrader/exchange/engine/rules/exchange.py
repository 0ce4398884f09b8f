"""Rules of the whole exchange: how much an account may have open on it, and which symbols share their books."""

from __future__ import annotations

import msgspec

FilterInfo = dict[str, str | int | bool]
"""One filter as ``exchangeInfo`` and ``myFilters`` show it."""


class ExchangeRules(msgspec.Struct, frozen=True, kw_only=True):
    """Exchange filters (``filters.md``, "Exchange Filters"); zero switches one off, and then it is not shown.

    All are off unless set, as they are at Binance.
    """

    max_num_orders: int = 0
    max_num_algo_orders: int = 0
    max_num_iceberg_orders: int = 0
    max_num_order_lists: int = 0

    def filters(self) -> list[FilterInfo]:
        """``exchangeFilters``."""
        shown: list[tuple[str, str, int]] = [
            ("EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders", self.max_num_orders),
            ("EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", self.max_num_algo_orders),
            ("EXCHANGE_MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", self.max_num_iceberg_orders),
            ("EXCHANGE_MAX_NUM_ORDER_LISTS", "maxNumOrderLists", self.max_num_order_lists),
        ]
        return [{"filterType": kind, name: limit} for kind, name, limit in shown if limit]


NO_EXCHANGE_RULES = ExchangeRules()


class SorGroup(msgspec.Struct, frozen=True):
    """Symbols of one base asset among which smart order routing chooses: a row of ``sors`` (``faqs/sor_faq.md``)."""

    base: str
    symbols: tuple[str, ...]

    def describe(self) -> dict[str, object]:
        """As ``exchangeInfo`` shows it."""
        return {"baseAsset": self.base, "symbols": list(self.symbols)}
