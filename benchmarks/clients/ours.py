"""This product's client library."""

from __future__ import annotations

import measure

from cryptotrader.library import MarketData
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.services.binance.endpoints import endpoints_of
from cryptotrader.services.binance.models.streams import TradeEvent
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.websocketAPI.market_data_requests import symbol_order_book_ticker
from cryptotrader.services.binance.websocketAPI.trading_requests import place_new_order
from cryptotrader.services.binance.wsapi.limits import RateLimits

BOUNDLESS = 10**9


async def requests(host: str) -> dict[str, object]:
    """Typed calls over its WebSocket API. The server of the comparison has no limits, and tells so in its answers."""
    limits = RateLimits(weight_per_minute=BOUNDLESS, budget=ConnectionBudget())
    for limiter in limits.orders_of(measure.KEY):
        limiter.limit = BOUNDLESS
    connection = BinanceWebSocketConnection(
        url=f"ws://{host}/ws-api/v3", credentials=Credentials.of(measure.KEY, measure.SECRET), limits=limits
    )
    async with connection:

        async def read(_: int) -> object:
            params = symbol_order_book_ticker.BookTickerParams(symbol=measure.SYMBOL)
            return await symbol_order_book_ticker.SPEC.call(connection, params)

        async def order(number: int) -> object:
            params = place_new_order.NewOrderParams(
                symbol=measure.SYMBOL,
                side=place_new_order.Side.BUY if number % 2 == 0 else place_new_order.Side.SELL,
                type=place_new_order.OrderType.MARKET,
                quantity=measure.QUANTITY,
            )
            return await place_new_order.SPEC.call(connection, params)

        return await measure.measure_operations({"ticker.book": read, "order.place": order})


async def streams(host: str, counter: measure.Counter) -> dict[str, float]:
    """Trades, decoded into a struct."""
    venue = endpoints_of("paper", ws_api_url=f"ws://{host}/ws-api/v3", stream_url=f"ws://{host}")
    connection = BinanceWebSocketConnection(url=venue.ws_api_url)
    async with MarketData(connection, venue) as market:
        market.listen(f"{measure.SYMBOL.lower()}@trade", TradeEvent, lambda trade: counter.hit())
        return await counter.report()


if __name__ == "__main__":
    measure.main(requests, streams)
