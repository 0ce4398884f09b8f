"""The channel protocol, described."""

from __future__ import annotations

from msgspec import Raw

from cryptotrader.dialects.channels.messages import (
    Authenticate,
    Authenticated,
    BookData,
    BookMessage,
    ChannelName,
    CloseMessage,
    ErrorMessage,
    Fee,
    OrderData,
    OrderMessage,
    Ping,
    Pong,
    PositionData,
    PositionMessage,
    Subscribe,
    Subscribed,
    SubscriptionParams,
    SystemData,
    SystemMessage,
    TickerData,
    TickerMessage,
    TradeData,
    TradeMessage,
    Unsubscribe,
)
from cryptotrader.dialects.description import SIGNED_LOGIN, AddressDoc, MessageDoc, ParameterDoc, ProtocolDoc

MS = 1647356789123

EXCHANGE, SYMBOL = "binance", "BTCUSDT"

TWO = Raw(b'{"exchange":"binance","symbols":["BTCUSDT","ETHUSDT"]}')
ONE = Raw(b'{"exchange":"binance","symbols":["BTCUSDT"]}')

PARAMS = {"params": SubscriptionParams, "channels": list[ChannelName]}

FROM_CLIENT = (
    MessageDoc(
        Authenticate,
        "Log in; the first message",
        (Authenticate(api_key="your_api_key", timestamp=MS, signature="your_signature"),),
        replies=(Authenticated, ErrorMessage),
    ),
    MessageDoc(
        Subscribe,
        "Begin to get channels",
        (
            Subscribe(["market_data", "orders", "positions"], TWO),
            Subscribe(["market_data"], Raw(b'{"exchange":"binance","symbols":["BTCUSDT"],"type":"ticker"}')),
            Subscribe(["orderbook"], Raw(b'{"exchange":"binance","symbols":["BTCUSDT"],"depth":10}')),
            Subscribe(["trades"], ONE),
            Subscribe(["orders"], ONE),
            Subscribe(["positions"], ONE),
            Subscribe(["system_events"]),
        ),
        holds=PARAMS,
        replies=(Subscribed, ErrorMessage),
    ),
    MessageDoc(
        Unsubscribe,
        "Stop getting channels",
        (Unsubscribe(["positions"], ONE),),
        holds=PARAMS,
        replies=(Subscribed, ErrorMessage),
    ),
    MessageDoc(Pong, "The answer to a ping, within ten seconds", (Pong(timestamp=MS + 3),)),
)

FROM_SERVER = (
    MessageDoc(Authenticated, "You are logged in", (Authenticated(MS + 1),)),
    MessageDoc(
        Subscribed,
        "The echo of a subscription, or of its end",
        (
            Subscribed(["market_data", "orders", "positions"], TWO, MS + 2),
            Subscribed(["positions"], ONE, MS + 3, event="unsubscribed"),
        ),
        holds=PARAMS,
    ),
    MessageDoc(
        TickerMessage,
        "market_data: statistics of 24 hours",
        (TickerMessage(EXCHANGE, SYMBOL, TickerData(42650.5, 2541.34, MS, 42650.0, 42651.0, 43100.0, 42500.0), MS),),
    ),
    MessageDoc(
        BookMessage,
        "orderbook: the best levels, whole",
        (
            BookMessage(
                EXCHANGE,
                SYMBOL,
                BookData([(42650.0, 1.5), (42649.5, 2.3)], [(42651.0, 0.8), (42652.5, 1.2)], MS),
                MS,
            ),
        ),
    ),
    MessageDoc(
        TradeMessage,
        "trades: one public trade",
        (TradeMessage(EXCHANGE, SYMBOL, TradeData("123456789", 42650.5, 0.1, "buy", MS), MS),),
    ),
    MessageDoc(
        OrderMessage,
        "orders: one of your orders changed",
        (
            OrderMessage(
                EXCHANGE,
                SYMBOL,
                OrderData(
                    id="123456789",
                    symbol=SYMBOL,
                    exchange=EXCHANGE,
                    timestamp=MS,
                    type="limit",
                    side="buy",
                    amount=0.1,
                    price=42500.0,
                    cost=4250.0,
                    filled=0.05,
                    remaining=0.05,
                    status="partially_filled",
                    fee=Fee(2.125, "USDT", 0.001),
                ),
                MS,
            ),
        ),
    ),
    MessageDoc(
        PositionMessage,
        "positions: one of your positions, or what protects it, changed",
        (
            PositionMessage(
                EXCHANGE,
                SYMBOL,
                PositionData(
                    symbol=SYMBOL,
                    exchange=EXCHANGE,
                    timestamp=MS,
                    type="spot",
                    side="long",
                    amount=0.5,
                    cost=21325.0,
                    average_price=42650.0,
                    unrealized_pnl=125.0,
                    unrealized_pnl_percentage=0.58,
                    liquidation_price=None,
                    stop_loss=41000.0,
                    take_profit=45000.0,
                    trailing_stop=2.5,
                ),
                MS,
            ),
        ),
    ),
    MessageDoc(
        SystemMessage,
        "system_events: a connection, a book, a limit or a protection changed",
        (
            SystemMessage("exchange_connection_status", SystemData(EXCHANGE, "connected", MS), MS),
            SystemMessage(
                "protection_triggered",
                SystemData(EXCHANGE, "stop_loss", MS, symbol=SYMBOL, detail="stop_loss at 40990.00000000"),
                MS,
            ),
        ),
    ),
    MessageDoc(
        ErrorMessage,
        "Something is wrong: 400, 401, 403, 404, 429 or 500",
        (ErrorMessage("Authentication failed", 401, MS + 1), ErrorMessage("Invalid symbol format", 400, MS + 2)),
    ),
    MessageDoc(Ping, "Thirty seconds of silence; answer with a pong", (Ping(MS + 2),)),
    MessageDoc(
        CloseMessage,
        "Comes before the server closes: 1000, 1001, 1008 or 1011",
        (CloseMessage("Session timeout", 1000, MS + 2),),
    ),
)

PROTOCOL = ProtocolDoc(
    name="channels",
    title="Channels: market data, orders and positions on one connection, after a signed login",
    description="docs/protocols/channels.md",
    addresses=(
        AddressDoc(
            name="ws",
            address="/ws",
            title="Log in, subscribe, get",
            description="The first message is the login. A connection whose first JSON object has the field action"
            " speaks this protocol; so does one that asks for the subprotocol channels, or for ?dialect=channels.",
            from_server=FROM_SERVER,
            from_client=FROM_CLIENT,
            query={"dialect": ParameterDoc("Choose the protocol beforehand.", ("channels",), ("channels",))},
            security=(SIGNED_LOGIN,),
        ),
    ),
)
