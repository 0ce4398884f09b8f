"""Source 0's streams, described."""

from __future__ import annotations

from decimal import Decimal

from cryptotrader.dialects import gateway_user_stream as user
from cryptotrader.dialects.description import BEARER, QUERY_TOKEN, AddressDoc, MessageDoc, ParameterDoc, ProtocolDoc
from cryptotrader.dialects.gateway_streams import DepthMessage, ErrorMessage, TickerMessage
from cryptotrader.services.binance.models.user_events import AssetBalance, ListMember

MS = 1609459200000

SYMBOL = ParameterDoc("A trading pair in any case and spelling.", ("btcusdt", "BTCUSDT", "btc-usdt"))

FROM = ParameterDoc("The last update id that you have: you get what came after it.", ("160",))

HANDSHAKE = (
    "A handshake that is refused gets an HTTP answer with the body of all errors: 400 for a wrong symbol, 401 without a"
    " good token, 403 where the token does not allow reading, 404 for no such stream, 503 with Retry-After where there"
    " are too many connections."
)

ERROR = MessageDoc(
    ErrorMessage,
    "You sent a message; these streams take none",
    (ErrorMessage("This stream takes no messages", 400),),
)

TICKER = MessageDoc(
    TickerMessage,
    "Statistics of 24 hours",
    (
        TickerMessage(
            e="24hrTicker", E=MS, s="BTCUSDT", p="1000.00", P="2.27", w="44500.00", x="44000.00", c="45000.00",
            Q="0.01", b="44999.00", B="0.5", a="45001.00", A="0.8", o="44000.00", h="45500.00", l="43500.00",
            v="1000.5", q="44500000.00", O=MS - 86_400_000, C=MS, F=1, L=50_000, n=50_000,
        ),
    ),
)  # fmt: skip

DEPTH = MessageDoc(
    DepthMessage,
    "The order book, or a change of it",
    (
        DepthMessage(
            e="depthUpdate", E=MS, s="BTCUSDT", U=156, u=156, snapshot=True,
            b=[("44991.00", "0.3"), ("44985.00", "1.2")], a=[("45000.00", "0.8"), ("45005.00", "1.5")],
        ),
        DepthMessage(
            e="depthUpdate", E=MS, s="BTCUSDT", U=157, u=160,
            b=[("44990.00", "0.5"), ("44985.00", "1.2"), ("44991.00", "0.00000000")],
            a=[("45000.00", "0.8"), ("45005.00", "1.5")],
        ),
    ),
)  # fmt: skip

REPORT = MessageDoc(
    user.ExecutionReport,
    "An order changed",
    (
        user.ExecutionReport(
            kind="executionReport", event_ms=MS, symbol="BTCUSDT", client_order_id="x-A6SIDXVS", side="BUY",
            order_type="LIMIT", time_in_force="GTC", quantity=Decimal("0.01"), price=Decimal("45000.00"),
            execution_type="TRADE", status="FILLED", order_id=12345678, filled_quantity=Decimal("0.01"),
            last_quantity=Decimal("0.01"), last_price=Decimal("45000.00"), trade_id=28457,
            commission=Decimal("0.00001"), commission_asset="BTC",
        ),
    ),
    hides=user.HIDDEN,
)  # fmt: skip

BALANCES = MessageDoc(
    user.AccountPosition,
    "Balances changed",
    (
        user.AccountPosition(
            kind="outboundAccountPosition", event_ms=MS, updated_ms=MS,
            balances=(
                AssetBalance(asset="BTC", free=Decimal("0.01100000"), locked=Decimal("0.00000000")),
                AssetBalance(asset="USDT", free=Decimal("9550.00"), locked=Decimal("0.00")),
            ),
        ),
    ),
    hides=user.HIDDEN,
)  # fmt: skip

BALANCE = MessageDoc(
    user.BalanceUpdate,
    "A deposit, a withdrawal or a transfer",
    (user.BalanceUpdate(kind="balanceUpdate", event_ms=MS, asset="BTC", delta=Decimal("100.00000000"), cleared_ms=MS),),
    hides=user.HIDDEN,
)

LOCK = MessageDoc(
    user.ExternalLock,
    "A part of a balance was locked or freed elsewhere",
    (
        user.ExternalLock(
            kind="externalLockUpdate", event_ms=MS, asset="BTC", delta=Decimal("10.00000000"), transaction_ms=MS
        ),
    ),
    hides=user.HIDDEN,
)

LIST = MessageDoc(
    user.ListStatus,
    "An order list changed",
    (
        user.ListStatus(
            kind="listStatus", event_ms=MS, symbol="BTCUSDT", order_list_id=2, contingency_type="OCO",
            list_status_type="EXEC_STARTED", list_order_status="EXECUTING",
            list_client_order_id="F4QN4G8DlFATFlIUQ0cjdD", transaction_ms=MS,
            orders=(
                ListMember(symbol="BTCUSDT", order_id=17, client_order_id="AJYsMjErWJesZvqlJCTUgL"),
                ListMember(symbol="BTCUSDT", order_id=18, client_order_id="bfYPSQdLoqAJeNrOr9adzq"),
            ),
        ),
    ),
    hides=user.HIDDEN,
)  # fmt: skip

EVENTS = (REPORT, BALANCES, BALANCE, LOCK, LIST, ERROR)

PROTOCOL = ProtocolDoc(
    name="streams",
    title="Streams: one address for each thing that changes",
    description="docs/websocket-streams.md",
    addresses=(
        AddressDoc(
            name="ticker",
            address="/ws/ticker/{symbol}",
            title="Statistics of 24 hours, about one message a second",
            description="The newest comes at once. A client that reads too slowly gets the newest and not those in"
            f" between. {HANDSHAKE}",
            from_server=(TICKER, ERROR),
            parameters={"symbol": SYMBOL},
            security=(BEARER, QUERY_TOKEN),
        ),
        AddressDoc(
            name="depth",
            address="/ws/depth/{symbol}",
            title="The whole order book once, then every change of it",
            description="U of each message is u of the last one + 1, so nothing can be missing unseen. Quantities are"
            " absolute. The best levels stand first. For a client that reads too slowly changes are merged, never left"
            f" out; after ten seconds it is closed with 1008. {HANDSHAKE}",
            from_server=(DEPTH, ERROR),
            parameters={"symbol": SYMBOL},
            query={"from": FROM},
            security=(BEARER, QUERY_TOKEN),
        ),
        AddressDoc(
            name="user",
            address="/ws/user",
            title="Orders, fills and balances of your account",
            description="Binance's own events, each once. Others than those that are named here are passed on as they"
            f" come. {HANDSHAKE}",
            from_server=EVENTS,
            security=(BEARER, QUERY_TOKEN),
        ),
        AddressDoc(
            name="listenKey",
            address="/ws/{listenKey}",
            title="The same, for clients written for listen keys",
            description="The key comes from POST /api/v1/userDataStream and is the proof of who you are.",
            from_server=EVENTS,
            parameters={
                "listenKey": ParameterDoc(
                    "From POST /api/v1/userDataStream.",
                    ("pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1",),
                )
            },
        ),
    ),
)
