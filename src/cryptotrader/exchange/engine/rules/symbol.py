"""A symbol's trading rules and how ``exchangeInfo`` shows them (``filters.md``; ``rest-api.md``)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cryptotrader.core.orders import OrderType
from cryptotrader.core.scaled import SCALE_DIGITS, format_scaled
from cryptotrader.exchange.engine.rules.exchange import NO_EXCHANGE_RULES, ExchangeRules, FilterInfo
from cryptotrader.exchange.engine.rules.execution_rules import PriceRange, ReferenceRule

ALL_ORDER_TYPES = (
    OrderType.LIMIT,
    OrderType.LIMIT_MAKER,
    OrderType.MARKET,
    OrderType.STOP_LOSS,
    OrderType.STOP_LOSS_LIMIT,
    OrderType.TAKE_PROFIT,
    OrderType.TAKE_PROFIT_LIMIT,
)
"""In the order in which ``exchangeInfo`` lists them."""

ALL_STP_MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER")


class SymbolStatus(StrEnum):
    """What can be done with a symbol (``enums.md``). Open orders can be cancelled in every status."""

    TRADING = "TRADING"
    END_OF_DAY = "END_OF_DAY"
    HALT = "HALT"
    BREAK = "BREAK"
    CANCEL_ONLY = "CANCEL_ONLY"


class SymbolRules(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol and its filters. Amounts are scaled integers; a zero switches a bound off, as at Binance."""

    symbol: str
    base: str
    quote: str
    status: str = "TRADING"
    exchange: ExchangeRules = NO_EXCHANGE_RULES
    """The same for every symbol of an exchange."""
    order_types: tuple[OrderType, ...] = ALL_ORDER_TYPES
    quote_order_qty_allowed: bool = True
    iceberg_allowed: bool = True
    oco_allowed: bool = True
    oto_allowed: bool = True
    opo_allowed: bool = True
    trailing_allowed: bool = True
    cancel_replace_allowed: bool = True
    amend_allowed: bool = True
    peg_allowed: bool = True
    spot_allowed: bool = True
    """``isSpotTradingAllowed``."""

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
    """Of NOTIONAL."""
    max_notional: int = 0
    apply_min_to_market: bool = True
    apply_max_to_market: bool = False
    plain_min_notional: int = 0
    """Of MIN_NOTIONAL, which some symbols have in place of NOTIONAL; zero: the symbol has none."""
    apply_plain_min_to_market: bool = True

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
    iceberg_parts: int = 100
    max_num_algo_orders: int = 5
    max_num_iceberg_orders: int = 0
    """Zero: the symbol has no MAX_NUM_ICEBERG_ORDERS, as most at Binance."""
    max_num_order_lists: int = 20
    max_num_order_amends: int = 10
    max_position: int = 0
    """Scaled, of the base asset. Zero: the symbol has no MAX_POSITION."""
    min_trailing_above_delta: int = 10
    """Basis points, as the next three."""
    max_trailing_above_delta: int = 2000
    min_trailing_below_delta: int = 10
    max_trailing_below_delta: int = 2000

    price_range: PriceRange | None = None
    """Where trades may happen (``executionRules``); None: anywhere."""
    reference: ReferenceRule | None = None
    """How the reference price is calculated; None: the symbol has none."""

    default_stp_mode: str = "EXPIRE_MAKER"
    allowed_stp_modes: tuple[str, ...] = ALL_STP_MODES
    permission_sets: tuple[tuple[str, ...], ...] = (("SPOT",),)
    """An account needs one permission of every set."""

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
            "icebergAllowed": self.iceberg_allowed,
            "ocoAllowed": self.oco_allowed,
            "otoAllowed": self.oto_allowed,
            "opoAllowed": self.opo_allowed,
            "quoteOrderQtyMarketAllowed": self.quote_order_qty_allowed,
            "allowTrailingStop": self.trailing_allowed,
            "cancelReplaceAllowed": self.cancel_replace_allowed,
            "amendAllowed": self.amend_allowed,
            "pegInstructionsAllowed": self.peg_allowed,
            "isSpotTradingAllowed": self.spot_allowed,
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
                "minTrailingAboveDelta": self.min_trailing_above_delta,
                "maxTrailingAboveDelta": self.max_trailing_above_delta,
                "minTrailingBelowDelta": self.min_trailing_below_delta,
                "maxTrailingBelowDelta": self.max_trailing_below_delta,
            },
        ]
        return [*filters, *self._percent_filters(), *self._notional_filters(), *self.counting_filters()]

    def counting_filters(self) -> list[FilterInfo]:
        """The filters that count what an account has."""
        filters: list[FilterInfo] = []
        if self.max_position:
            filters.append({"filterType": "MAX_POSITION", "maxPosition": format_scaled(self.max_position)})
        shown = (
            ("MAX_NUM_ORDERS", "maxNumOrders", self.max_num_orders),
            ("MAX_NUM_ORDER_LISTS", "maxNumOrderLists", self.max_num_order_lists),
            ("MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", self.max_num_algo_orders),
            ("MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", self.max_num_iceberg_orders),
            ("MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends", self.max_num_order_amends),
        )
        filters.extend({"filterType": kind, name: limit} for kind, name, limit in shown if limit)
        return filters

    def _notional_filters(self) -> list[FilterInfo]:
        filters: list[FilterInfo] = []
        if self.plain_min_notional:
            filters.append(
                {
                    "filterType": "MIN_NOTIONAL",
                    "minNotional": format_scaled(self.plain_min_notional),
                    "applyToMarket": self.apply_plain_min_to_market,
                    "avgPriceMins": self.avg_price_mins,
                }
            )
        if not self.plain_min_notional or self.min_notional or self.max_notional:
            filters.append(
                {
                    "filterType": "NOTIONAL",
                    "minNotional": format_scaled(self.min_notional),
                    "applyMinToMarket": self.apply_min_to_market,
                    "maxNotional": format_scaled(self.max_notional),
                    "applyMaxToMarket": self.apply_max_to_market,
                    "avgPriceMins": self.avg_price_mins,
                }
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
