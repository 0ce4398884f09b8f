"""A symbol's trading rules and how ``exchangeInfo`` shows them (``filters.md``; ``rest-api.md``)."""

from __future__ import annotations

import msgspec

from cryptotrader.core.orders import OrderType
from cryptotrader.core.scaled import SCALE_DIGITS, format_scaled

FilterInfo = dict[str, str | int | bool]


class SymbolRules(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol and its filters. Amounts are scaled integers; a zero switches a bound off, as at Binance."""

    symbol: str
    base: str
    quote: str
    status: str = "TRADING"
    order_types: tuple[OrderType, ...] = (OrderType.LIMIT, OrderType.LIMIT_MAKER, OrderType.MARKET)
    quote_order_qty_allowed: bool = True

    tick: int
    """``tickSize``: prices are multiples of it."""
    min_price: int
    max_price: int

    step: int
    """``stepSize``: quantities are multiples of it."""
    min_qty: int
    max_qty: int

    market_min_qty: int = 0
    market_max_qty: int = 0
    market_step: int = 0

    min_notional: int = 0
    max_notional: int = 0
    apply_min_to_market: bool = True
    apply_max_to_market: bool = False

    bid_multiplier_up: int = 0
    """Scaled: ``5`` is 500000000. Zero: the symbol has no PERCENT_PRICE_BY_SIDE."""
    bid_multiplier_down: int = 0
    ask_multiplier_up: int = 0
    ask_multiplier_down: int = 0
    multiplier_up: int = 0
    """Scaled. Zero: the symbol has no PERCENT_PRICE."""
    multiplier_down: int = 0
    avg_price_mins: int = 5
    """Window of the weighted average price; 0 means the last price."""

    max_num_orders: int = 200
    iceberg_parts: int = 10
    max_num_algo_orders: int = 5
    max_num_order_lists: int = 20
    max_num_order_amends: int = 10
    min_trailing_delta: int = 10
    """Basis points."""
    max_trailing_delta: int = 2000

    default_stp_mode: str = "NONE"
    allowed_stp_modes: tuple[str, ...] = ("NONE",)
    permission_sets: tuple[tuple[str, ...], ...] = (("SPOT",),)

    def exchange_info(self) -> dict[str, object]:
        """This symbol's entry in ``symbols`` of ``exchangeInfo``. PRICE_FILTER comes first: clients index it."""
        return {
            "symbol": self.symbol,
            "status": self.status,
            "baseAsset": self.base,
            "baseAssetPrecision": SCALE_DIGITS,
            "quoteAsset": self.quote,
            "quotePrecision": SCALE_DIGITS,
            "quoteAssetPrecision": SCALE_DIGITS,
            "baseCommissionPrecision": SCALE_DIGITS,
            "quoteCommissionPrecision": SCALE_DIGITS,
            "orderTypes": [order_type.value for order_type in self.order_types],
            "icebergAllowed": False,
            "ocoAllowed": False,
            "otoAllowed": False,
            "opoAllowed": False,
            "quoteOrderQtyMarketAllowed": self.quote_order_qty_allowed,
            "allowTrailingStop": False,
            "cancelReplaceAllowed": True,
            "amendAllowed": False,
            "pegInstructionsAllowed": False,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": self.filters(),
            "permissions": [],
            "permissionSets": [list(permissions) for permissions in self.permission_sets],
            "defaultSelfTradePreventionMode": self.default_stp_mode,
            "allowedSelfTradePreventionModes": list(self.allowed_stp_modes),
        }

    def filters(self) -> list[FilterInfo]:
        """The filters in the order in which Binance lists them."""
        filters: list[FilterInfo] = [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": format_scaled(self.min_price),
                "maxPrice": format_scaled(self.max_price),
                "tickSize": format_scaled(self.tick),
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": format_scaled(self.min_qty),
                "maxQty": format_scaled(self.max_qty),
                "stepSize": format_scaled(self.step),
            },
            {"filterType": "ICEBERG_PARTS", "limit": self.iceberg_parts},
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": format_scaled(self.market_min_qty),
                "maxQty": format_scaled(self.market_max_qty),
                "stepSize": format_scaled(self.market_step),
            },
            {
                "filterType": "TRAILING_DELTA",
                "minTrailingAboveDelta": self.min_trailing_delta,
                "maxTrailingAboveDelta": self.max_trailing_delta,
                "minTrailingBelowDelta": self.min_trailing_delta,
                "maxTrailingBelowDelta": self.max_trailing_delta,
            },
        ]
        filters.extend(self._percent_filters())
        filters.extend(
            [
                {
                    "filterType": "NOTIONAL",
                    "minNotional": format_scaled(self.min_notional),
                    "applyMinToMarket": self.apply_min_to_market,
                    "maxNotional": format_scaled(self.max_notional),
                    "applyMaxToMarket": self.apply_max_to_market,
                    "avgPriceMins": self.avg_price_mins,
                },
                {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": self.max_num_orders},
                {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": self.max_num_order_lists},
                {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": self.max_num_algo_orders},
                {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": self.max_num_order_amends},
            ]
        )
        return filters

    def _percent_filters(self) -> list[FilterInfo]:
        filters: list[FilterInfo] = []
        if self.multiplier_up:
            filters.append(
                {
                    "filterType": "PERCENT_PRICE",
                    "multiplierUp": _plain(self.multiplier_up),
                    "multiplierDown": _plain(self.multiplier_down),
                    "avgPriceMins": self.avg_price_mins,
                }
            )
        if self.bid_multiplier_up:
            filters.append(
                {
                    "filterType": "PERCENT_PRICE_BY_SIDE",
                    "bidMultiplierUp": _plain(self.bid_multiplier_up),
                    "bidMultiplierDown": _plain(self.bid_multiplier_down),
                    "askMultiplierUp": _plain(self.ask_multiplier_up),
                    "askMultiplierDown": _plain(self.ask_multiplier_down),
                    "avgPriceMins": self.avg_price_mins,
                }
            )
        return filters


def _plain(value: int) -> str:
    """A multiplier without padding, as Binance prints them: ``5``, ``0.2``."""
    return format_scaled(value).rstrip("0").rstrip(".")
