"""Wire structs of Binance: what requests answer and what streams send."""

from cryptotrader.services.binance.models.account import (
    Account,
    AccountTrade,
    Allocation,
    Balance,
    OrderCount,
    PreventedMatch,
    RelevantFilters,
)
from cryptotrader.services.binance.models.amendments import (
    AmendedOrder,
    Amendment,
    PastAmendment,
    ReplacedOrder,
)
from cryptotrader.services.binance.models.commission import (
    Commission,
    CommissionPair,
    CommissionRates,
    Discount,
)
from cryptotrader.services.binance.models.exchange_info import (
    ExchangeInfo,
    RateLimit,
    SymbolInfo,
)
from cryptotrader.services.binance.models.market import (
    AggTrade,
    AveragePrice,
    BlockTrade,
    DayTicker,
    Empty,
    Kline,
    OrderBook,
    PriceTicker,
    PublicTrade,
    ServerTime,
    TopOfBook,
    WindowTicker,
    Wire,
)
from cryptotrader.services.binance.models.order_lists import (
    CancelledOrderList,
    OrderList,
    PlacedOrderList,
)
from cryptotrader.services.binance.models.orders import (
    CancelledItem,
    CancelledOrder,
    OrderFill,
    OrderReport,
    PlacedOrder,
    TestedOrder,
)
from cryptotrader.services.binance.models.price_range import (
    ExecutionRules,
    ReferencePrice,
    ReferencePriceCalculation,
    SymbolExecutionRules,
)
from cryptotrader.services.binance.models.session import (
    ListenKey,
    SessionStatus,
    Subscription,
)

__all__ = [
    "Account",
    "AccountTrade",
    "AggTrade",
    "Allocation",
    "AmendedOrder",
    "Amendment",
    "AveragePrice",
    "Balance",
    "BlockTrade",
    "CancelledItem",
    "CancelledOrder",
    "CancelledOrderList",
    "Commission",
    "CommissionPair",
    "CommissionRates",
    "DayTicker",
    "Discount",
    "Empty",
    "ExchangeInfo",
    "ExecutionRules",
    "Kline",
    "ListenKey",
    "OrderBook",
    "OrderCount",
    "OrderFill",
    "OrderList",
    "OrderReport",
    "PastAmendment",
    "PlacedOrder",
    "PlacedOrderList",
    "PreventedMatch",
    "PriceTicker",
    "PublicTrade",
    "RateLimit",
    "ReferencePrice",
    "ReferencePriceCalculation",
    "RelevantFilters",
    "ReplacedOrder",
    "ServerTime",
    "SessionStatus",
    "Subscription",
    "SymbolExecutionRules",
    "SymbolInfo",
    "TestedOrder",
    "TopOfBook",
    "WindowTicker",
    "Wire",
]
