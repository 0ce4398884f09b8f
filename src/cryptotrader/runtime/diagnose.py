"""``cryptotrader diagnose``: every diagnostic of the WebSocket API client, one after the other, with one summary."""

from __future__ import annotations

from cryptotrader.services.binance.websocketAPI.diagnostic_scripts import binance_websocket_diagnostic
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._common import Suite, run_diagnostics
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._venues import Choice
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts.account_diagnostics import (
    account_requests_diagnostic,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts.market_diagnostics import (
    market_data_requests_diagnostic,
    order_book_diagnostic,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts.trading_diagnostics import (
    order_list_requests_diagnostic,
    trading_requests_diagnostic,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts.user_stream_diagnostics import (
    user_data_stream_requests_diagnostic,
)

TESTERS = (
    binance_websocket_diagnostic.BaseRequestsTester,
    order_book_diagnostic.OrderBookRequestsTester,
    market_data_requests_diagnostic.MarketDataRequestsTester,
    account_requests_diagnostic.AccountRequestsTester,
    trading_requests_diagnostic.TradingRequestsTester,
    order_list_requests_diagnostic.OrderListRequestsTester,
    user_data_stream_requests_diagnostic.UserDataStreamRequestsTester,
)
"""In the order in which they run: what the others rest on comes first."""


async def diagnose_all(choice: Choice) -> list[Suite]:
    """Run every category against one venue.

    Raises:
        ConfigError: The venue cannot be used.
    """
    return await run_diagnostics(TESTERS, choice)
