"""binance-sdk-spot, Binance's own client."""

from __future__ import annotations

import measure
from binance_common.configuration import ConfigurationWebSocketAPI, ConfigurationWebSocketStreams
from binance_sdk_spot.spot import Spot


async def requests(host: str) -> dict[str, object]:
    """Over its WebSocket API; ``data()`` is what its documents read answers with."""
    configuration = ConfigurationWebSocketAPI(
        stream_url=f"ws://{host}/ws-api/v3", api_key=measure.KEY, api_secret=measure.SECRET
    )
    api = Spot(config_ws_api=configuration).websocket_api
    await api.create_connection()

    async def read(_: int) -> object:
        return (await api.ticker_book(symbol=measure.SYMBOL)).data()

    async def order(number: int) -> object:
        side = "BUY" if number % 2 == 0 else "SELL"
        placed = await api.order_place(
            symbol=measure.SYMBOL, side=side, type="MARKET", quantity=float(measure.QUANTITY)
        )
        return placed.data()

    try:
        return await measure.measure_operations({"ticker.book": read, "order.place": order})
    finally:
        await api.close_connection(close_session=True)


async def streams(host: str, counter: measure.Counter) -> dict[str, float]:
    """Trades, parsed into its model."""
    api = Spot(config_ws_streams=ConfigurationWebSocketStreams(stream_url=f"ws://{host}")).websocket_streams
    await api.create_connection()
    trades = await api.trade(symbol=measure.SYMBOL.lower())
    trades.on("message", lambda trade: counter.hit())
    try:
        return await counter.report()
    finally:
        await api.close_connection(close_session=True)


if __name__ == "__main__":
    measure.main(requests, streams)
