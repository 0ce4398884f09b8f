"""The paper exchange's REST API over real HTTP, against the shapes of Binance's documents."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cryptotrader.core.events import BookTicker, DepthDiff, Trade
from cryptotrader.exchange.accounts import DEFAULT_ACCOUNT_ID, ApiKey, KeyKind
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from tests.support.paper import QuietSource, SignedClient, body, paper_venue, rows, running_exchange, units
from tests.support.waiting import eventually

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "data" / "message-fixtures" / "binance"

NEW_ORDER_KEYS = [
    *("symbol", "orderId", "orderListId", "clientOrderId", "transactTime", "price", "origQty", "executedQty"),
    *("origQuoteOrderQty", "cummulativeQuoteQty", "status", "timeInForce", "type", "side", "workingTime"),
    *("selfTradePreventionMode", "fills"),
]


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    async with running_exchange() as server:
        yield server


@pytest.fixture
async def client(exchange: ExchangeServer) -> AsyncIterator[SignedClient]:
    async with SignedClient(exchange.url) as client:
        yield client


def kinds(value: object) -> object:
    """The shape of a JSON value: names and types."""
    if isinstance(value, dict):
        return {name: kinds(item) for name, item in value.items()}
    if isinstance(value, list):
        return [kinds(value[0])] if value else []
    return type(value).__name__


async def test_ping_time_and_exchange_info_have_binances_shape(client: SignedClient) -> None:
    assert body(await client.get("/api/v3/ping")) == {}
    assert isinstance(body(await client.get("/api/v3/time"))["serverTime"], int)
    response = await client.get("/api/v3/exchangeInfo", symbol="BTCUSDT")
    assert response.headers["content-type"].startswith("application/json")
    info = body(response)
    assert list(info) == ["timezone", "serverTime", "rateLimits", "exchangeFilters", "symbols"]
    limits = msgspec.convert(info["rateLimits"], list[dict[str, object]])
    assert {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000} in limits
    symbols = msgspec.convert(info["symbols"], list[dict[str, object]])
    filters = msgspec.convert(symbols[0]["filters"], list[dict[str, object]])
    assert filters[0]["filterType"] == "PRICE_FILTER"


@pytest.mark.parametrize(
    ("fixture", "path", "params"),
    [
        ("depth", "depth", {"symbol": "BTCUSDT", "limit": "10"}),
        ("trades", "trades", {"symbol": "BTCUSDT", "limit": "1"}),
        ("trades", "historicalTrades", {"symbol": "BTCUSDT", "fromId": "1"}),
        ("klines", "klines", {"symbol": "BTCUSDT", "interval": "1h"}),
        ("klines", "uiKlines", {"symbol": "BTCUSDT", "interval": "1M"}),
        ("avg_price", "avgPrice", {"symbol": "BTCUSDT"}),
        ("ticker_24hr", "ticker/24hr", {"symbol": "BTCUSDT"}),
        ("ticker_price", "ticker/price", {"symbol": "BTCUSDT"}),
        ("book_ticker", "ticker/bookTicker", {"symbol": "BTCUSDT"}),
    ],
)
async def test_market_data_has_exactly_binances_fields_and_types(
    fixture: str, path: str, params: Mapping[str, str], client: SignedClient, exchange: ExchangeServer
) -> None:
    """S0-10, S0-11, S0-12, S0-15, S0-17: upstream of the gateway's answers."""
    file = FIXTURES / f"spot__http_json__{fixture}_response.json"
    if not file.exists():
        pytest.skip(f"{file.name} is missing; it comes with the shared data folder beside the checkout")
    now_ms = exchange.venue.now_ms()
    trade = Trade("BTCUSDT", 101, units("45000.50"), units("0.1"), now_ms, False, now_ms)
    exchange.venue.statistics("BTCUSDT").apply_trade(trade)
    response = await client.get(f"/api/v3/{path}", **params)
    assert response.status_code == 200, response.text
    assert kinds(msgspec.json.decode(response.content)) == kinds(msgspec.json.decode(file.read_bytes()))


async def test_depth_is_sorted_best_first_and_cut(client: SignedClient) -> None:
    """S0-15."""
    book = body(await client.get("/api/v3/depth", symbol="BTCUSDT", limit=5))
    assert book["lastUpdateId"] == 1_000
    assert book["bids"] == [[f"{45000 - n}.00000000", "0.50000000"] for n in range(5)]
    assert book["asks"] == [[f"{45001 + n}.00000000", "0.50000000"] for n in range(5)]
    whole = await client.get("/api/v3/depth", symbol="BTCUSDT", limit=99_999)
    assert int(whole.headers["x-mbx-used-weight-1m"]) in (250, 255)
    assert len(msgspec.convert(body(whole)["bids"], list[list[str]])) == 20


async def test_tickers_answer_one_some_or_all_symbols(client: SignedClient) -> None:
    for path in ("price", "bookTicker", "24hr"):
        one = body(await client.get(f"/api/v3/ticker/{path}", symbol="BTCUSDT"))
        assert one["symbol"] == "BTCUSDT"
        assert len(rows(await client.get(f"/api/v3/ticker/{path}", symbols='["BTCUSDT"]'))) == 1
        assert len(rows(await client.get(f"/api/v3/ticker/{path}"))) == 1
    mini = body(await client.get("/api/v3/ticker/24hr", symbol="BTCUSDT", type="MINI"))
    assert "priceChange" not in mini
    assert "lastPrice" in mini


async def test_windows_and_trading_days_have_binances_fields(client: SignedClient, exchange: ExchangeServer) -> None:
    """``rest-api.md``, "Trading Day Ticker" and "Rolling window price change statistics"."""
    now_ms = exchange.venue.now_ms()
    trade = Trade("BTCUSDT", 101, units("45000.50"), units("0.1"), now_ms, False, now_ms)
    exchange.venue.statistics("BTCUSDT").apply_trade(trade)
    mini = ["symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume"]
    mini += ["openTime", "closeTime", "firstId", "lastId", "count"]
    full = [mini[0], "priceChange", "priceChangePercent", "weightedAvgPrice", *mini[1:]]
    for path in ("ticker", "ticker/tradingDay"):
        assert list(body(await client.get(f"/api/v3/{path}", symbol="BTCUSDT"))) == full
        assert list(rows(await client.get(f"/api/v3/{path}", symbols='["BTCUSDT"]', type="MINI"))[0]) == mini
    window = body(await client.get("/api/v3/ticker", symbol="BTCUSDT", windowSize="1h"))
    assert window["lastPrice"] == "45000.50000000"
    assert int(str(window["openTime"])) % 60_000 == 0
    wrong = await client.get("/api/v3/ticker", symbol="BTCUSDT", windowSize="90m")
    assert body(wrong)["code"] == -1130


async def test_the_market_moves_what_is_answered() -> None:
    source = QuietSource()
    async with running_exchange(paper_venue(source)) as server, SignedClient(server.url) as client:
        now_ms = server.venue.now_ms()
        source.queue = [
            DepthDiff("BTCUSDT", 1_001, 1_005, ((units("45000"), 0),), ((units("45000.50"), units("2")),), now_ms),
            BookTicker("BTCUSDT", 1_005, units("44999"), units("0.5"), units("45000.50"), units("2")),
            Trade("BTCUSDT", 101, units("45000.50"), units("0.25"), now_ms, False, now_ms),
        ]
        await eventually(lambda: server.venue.engine.last_id("BTCUSDT") == 1_005)
        await eventually(lambda: not source.queue)
        book = body(await client.get("/api/v3/depth", symbol="BTCUSDT", limit=1))
        assert book["bids"] == [["44999.00000000", "0.50000000"]]
        assert book["asks"] == [["45000.50000000", "2.00000000"]]
        trades = rows(await client.get("/api/v3/trades", symbol="BTCUSDT", limit=1))
        assert trades[0] | {"time": 0} == {
            "id": 101,
            "price": "45000.50000000",
            "qty": "0.25000000",
            "quoteQty": "11250.12500000",
            "time": 0,
            "isBuyerMaker": False,
            "isBestMatch": True,
        }
        agg = rows(await client.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=101))
        assert list(agg[0]) == ["a", "p", "q", "f", "l", "T", "m", "M"]


async def test_a_limit_order_rests_can_be_queried_and_cancelled(client: SignedClient) -> None:
    """S0-20, S0-21, S0-24, S0-25, S0-26."""
    placed = await client.order(newClientOrderId="mine")
    assert placed.status_code == 200, placed.text
    answer = body(placed)
    assert list(answer) == NEW_ORDER_KEYS
    assert answer["status"] == "NEW"
    assert answer["fills"] == []
    named = {"symbol": "BTCUSDT", "orderId": answer["orderId"]}
    found = body(await client.signed("GET", "/api/v3/order", **named))
    assert found["clientOrderId"] == "mine"
    assert found["isWorking"] is True
    assert rows(await client.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT")) == [found]
    gone = body(await client.signed("DELETE", "/api/v3/order", **named))
    assert gone["status"] == "CANCELED"
    assert gone["origClientOrderId"] == "mine"
    assert gone["clientOrderId"] != "mine"
    assert rows(await client.signed("GET", "/api/v3/openOrders")) == []
    history = rows(await client.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT", limit=100))
    assert [row["status"] for row in history] == ["CANCELED"]


async def test_a_market_order_fills_and_shows_in_account_and_trades(client: SignedClient) -> None:
    """S0-22, S0-29, S0-30, S0-31."""
    answer = body(await client.order(type="MARKET", timeInForce=None, price=None, quantity="0.6"))
    assert answer["status"] == "FILLED"
    fills = msgspec.convert(answer["fills"], list[dict[str, object]])
    assert [list(fill) for fill in fills] == [["price", "qty", "commission", "commissionAsset", "tradeId"]] * 2
    assert [fill["qty"] for fill in fills] == ["0.50000000", "0.10000000"]
    account = body(await client.signed("GET", "/api/v3/account", omitZeroBalances="true"))
    balances = {row["asset"]: row["free"] for row in msgspec.convert(account["balances"], list[dict[str, object]])}
    assert balances["BTC"] == "10.59940000"
    assert balances["USDT"] == "72999.30000000"
    trades = rows(await client.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=answer["orderId"]))
    assert [trade["id"] for trade in trades] == [fill["tradeId"] for fill in fills]
    assert all(trade["isBuyer"] and not trade["isMaker"] for trade in trades)


@pytest.mark.parametrize(("fixture", "path"), [("account", "account"), ("account_trades", "myTrades")])
async def test_account_answers_have_exactly_binances_fields_and_types(
    fixture: str, path: str, client: SignedClient
) -> None:
    """S0-29, S0-30."""
    file = FIXTURES / f"spot__http_json__{fixture}_response.json"
    if not file.exists():
        pytest.skip(f"{file.name} is missing; it comes with the shared data folder beside the checkout")
    await client.order(type="MARKET", timeInForce=None, price=None)
    params = {} if path == "account" else {"symbol": "BTCUSDT"}
    answer = msgspec.json.decode((await client.signed("GET", f"/api/v3/{path}", **params)).content)
    assert kinds(answer) == kinds(msgspec.json.decode(file.read_bytes()))


async def test_order_reports_and_cancellations_have_binances_fields_and_types(client: SignedClient) -> None:
    """S0-24 to S0-27."""
    if not FIXTURES.exists():
        pytest.skip(f"{FIXTURES} is missing; it comes with the shared data folder beside the checkout")

    def shape(name: str) -> object:
        return kinds(msgspec.json.decode((FIXTURES / f"spot__http_json__{name}_response.json").read_bytes()))

    placed = body(await client.order())
    named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    assert kinds(body(await client.signed("GET", "/api/v3/order", **named))) == shape("order")
    assert kinds(rows(await client.signed("GET", "/api/v3/openOrders"))) == shape("open_orders")
    assert kinds(body(await client.signed("DELETE", "/api/v3/order", **named))) == shape("cancel_order")
    await client.order()
    await client.order()
    cancelled = await client.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert len(rows(cancelled)) == 2
    assert kinds(rows(cancelled)) == shape("cancel_open_orders")
    assert kinds(rows(await client.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT"))) == shape("all_orders")


async def test_the_answer_to_an_order_is_as_long_as_asked_for(client: SignedClient) -> None:
    """``rest-api.md``, "New order": FULL for LIMIT and MARKET, else ACK, unless ``newOrderRespType`` says otherwise."""
    assert list(body(await client.order(newOrderRespType="ACK"))) == NEW_ORDER_KEYS[:5]
    assert list(body(await client.order(newOrderRespType="RESULT"))) == NEW_ORDER_KEYS[:-1]
    assert list(body(await client.order(type="LIMIT_MAKER", timeInForce=None))) == NEW_ORDER_KEYS[:5]


async def test_a_test_order_is_checked_and_not_placed(client: SignedClient) -> None:
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.1"}
    assert body(await client.signed("POST", "/api/v3/order/test", **params)) == {}
    rates = body(await client.signed("POST", "/api/v3/order/test", **params, computeCommissionRates="true"))
    assert rates["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    refused = await client.signed("POST", "/api/v3/order/test", **params | {"quantity": "0.000001"})
    assert body(refused) == {"code": -1013, "msg": "Filter failure: LOT_SIZE"}
    assert rows(await client.signed("GET", "/api/v3/allOrders", symbol="BTCUSDT")) == []


async def test_parameters_may_be_in_the_query_string_in_the_body_or_in_both(client: SignedClient) -> None:
    """``rest-api.md``, "General Information on Endpoints"."""
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    rest = {"quantity": "0.001", "price": "44000"}
    headers = {"X-MBX-APIKEY": "your_binance_api_key", "Content-Type": "application/x-www-form-urlencoded"}
    form = client.sign(params | rest)
    in_body = await client.http.post("/api/v3/order", content=form, headers=headers)
    assert in_body.status_code == 200, in_body.text
    query, _, tail = client.sign_split(params, rest)
    mixed = await client.http.post(f"/api/v3/order?{query}", content=tail, headers=headers)
    assert mixed.status_code == 200, mixed.text
    as_json = {"X-MBX-APIKEY": "your_binance_api_key", "Content-Type": "application/json"}
    empty = await client.http.post(f"/api/v3/order?{client.sign(params | rest)}", content="", headers=as_json)
    assert empty.status_code == 200, empty.text


async def test_listen_keys_are_made_kept_alive_and_closed(client: SignedClient) -> None:
    """S0-45, C-23: for clients of 2021."""
    made = body(await client.keyed("POST", "/api/v3/userDataStream"))
    assert list(made) == ["listenKey"]
    assert body(await client.keyed("PUT", "/api/v3/userDataStream", **made)) == {}
    assert body(await client.keyed("DELETE", "/api/v3/userDataStream", **made)) == {}
    gone = await client.keyed("PUT", "/api/v3/userDataStream", **made)
    assert gone.status_code == 400
    assert body(gone) == {"code": -1125, "msg": "This listenKey does not exist."}


async def test_an_ed25519_key_signs_in_the_query_string() -> None:
    """``rest-api.md``, "Ed25519 Keys"."""
    private = Ed25519PrivateKey.generate()
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = ApiKey(id="edwards", account=DEFAULT_ACCOUNT_ID, kind=KeyKind.ED25519, secret=pem)
    async with running_exchange(paper_venue(keys=[key])) as server, SignedClient(server.url) as client:
        query = f"symbol=BTCUSDT&timestamp={server.venue.now_ms()}"
        signature = quote(b64encode(private.sign(query.encode())).decode(), safe="")
        headers = {"X-MBX-APIKEY": "edwards"}
        answer = await client.http.get(f"/api/v3/openOrders?{query}&signature={signature}", headers=headers)
        assert rows(answer) == []
        answer = await client.http.get(f"/api/v3/openOrders?{query}1&signature={signature}", headers=headers)
        assert answer.status_code == 400


async def test_many_orders_at_once_share_transactions(tmp_path: Path) -> None:
    venue = paper_venue(store_path=tmp_path / "x.db")
    async with (
        running_exchange(venue, limits=LimitPolicy(orders_10s=1_000)) as server,
        SignedClient(server.url) as client,
    ):
        answers = await asyncio.gather(*(client.order(newClientOrderId=f"o{number}") for number in range(60)))
        assert {answer.status_code for answer in answers} == {200}
        found = rows(await client.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT"))
        assert len({order["orderId"] for order in found}) == 60
