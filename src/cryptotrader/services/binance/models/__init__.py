"""Wire structs of Binance: what requests answer and what streams send."""

from cryptotrader.services.binance.models.account import Account, AccountTrade, Balance, CommissionRates, OrderCount
from cryptotrader.services.binance.models.exchange_info import ExchangeInfo, RateLimit, SymbolInfo
from cryptotrader.services.binance.models.market import (
    AggTrade,
    AveragePrice,
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
from cryptotrader.services.binance.models.orders import (
    CancelledItem,
    CancelledOrder,
    OrderFill,
    OrderReport,
    PlacedOrder,
    TestedOrder,
)
from cryptotrader.services.binance.models.session import ListenKey, SessionStatus, Subscription

__all__ = [
    "Account",
    "AccountTrade",
    "AggTrade",
    "AveragePrice",
    "Balance",
    "CancelledItem",
    "CancelledOrder",
    "CommissionRates",
    "DayTicker",
    "Empty",
    "ExchangeInfo",
    "Kline",
    "ListenKey",
    "OrderBook",
    "OrderCount",
    "OrderFill",
    "OrderReport",
    "PlacedOrder",
    "PriceTicker",
    "PublicTrade",
    "RateLimit",
    "ServerTime",
    "SessionStatus",
    "Subscription",
    "SymbolInfo",
    "TestedOrder",
    "TopOfBook",
    "WindowTicker",
    "Wire",
]
