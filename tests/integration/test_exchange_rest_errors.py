"""What the paper exchange refuses, in Binance's own numbers and words (``errors.md``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from tests.support.paper import SignedClient, body, paper_venue, running_exchange

DECIMAL = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"


@pytest.fixture
async def exchange() -> AsyncIterator[ExchangeServer]:
    venue = paper_venue(accounts=[PaperAccount()])
    async with running_exchange(venue, limits=LimitPolicy(orders_10s=1_000)) as server:
        yield server


@pytest.fixture
async def client(exchange: ExchangeServer) -> AsyncIterator[SignedClient]:
    async with SignedClient(exchange.url) as client:
        yield client


def mandatory(name: str) -> str:
    return f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


@pytest.mark.parametrize(
    ("path", "params", "code", "text"),
    [
        ("ticker/price", {"symbol": "INVALID"}, -1121, "Invalid symbol."),
        ("ticker/price", {"symbols": '["BTCUSDT","NOPE"]'}, -1121, "Invalid symbol."),
        ("ticker/price", {"symbols": '["BTCUSDT","BTCUSDT"]'}, -1151, "Symbol is present multiple times in the list."),
        (
            "ticker/price",
            {"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'},
            -1128,
            "Combination of optional parameters invalid.",
        ),
        ("ticker/24hr", {"symbol": "BTCUSDT", "type": "HUGE"}, -1139, "Invalid ticker type."),
        ("depth", {}, -1102, mandatory("symbol")),
        ("depth", {"symbol": ""}, -1105, "Parameter 'symbol' was empty."),
        (
            "depth",
            {"symbol": "btc usdt"},
            -1100,
            "Illegal characters found in parameter 'symbol'; legal range is '^[\\w\\-._&&[^a-z]]{1,50}$'.",
        ),
        (
            "depth",
            {"symbol": "BTCUSDT", "limit": "ten"},
            -1100,
            "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
        ),
        ("depth", {"symbol": "BTCUSDT", "limit": "0"}, -1130, "Data sent for parameter 'limit' is not valid."),
        ("klines", {"symbol": "BTCUSDT", "interval": "1H"}, -1120, "Invalid interval."),
        ("klines", {"symbol": "BTCUSDT"}, -1102, mandatory("interval")),
        (
            "klines",
            {"symbol": "BTCUSDT", "interval": "1h", "timeZone": "15"},
            -1130,
            "Data sent for parameter 'timeZone' is not valid.",
        ),
        ("time", {"x": "1"}, -1101, "Too many parameters; expected '0' and received '1'."),
        (
            "avgPrice",
            {"symbol": "BTCUSDT", "x": "1"},
            -1101,
            "Too many parameters; expected '1' and received '2'.",
        ),
    ],
)
async def test_a_public_request_that_makes_no_sense_is_told_why(
    client: SignedClient, path: str, params: dict[str, str], code: int, text: str
) -> None:
    """S0-16, S0-18."""
    response = await client.get(f"/api/v3/{path}", **params)
    assert (response.status_code, body(response)) == (400, {"code": code, "msg": text})
    assert response.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"type": "WISH"}, -1116, "Invalid orderType."),
        ({"timeInForce": "NOW"}, -1115, "Invalid timeInForce."),
        ({"timeInForce": None}, -1102, mandatory("timeInForce")),
        ({"price": None}, -1102, mandatory("price")),
        (
            {"quantity": "-1"},
            -1100,
            f"Illegal characters found in parameter 'quantity'; legal range is '{DECIMAL}'.",
        ),
        ({"quantity": "0.123456789"}, -1111, "Parameter 'quantity' has too much precision."),
        ({"quoteOrderQty": "5"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
        ({"type": "MARKET", "timeInForce": None}, -1106, "Parameter 'price' sent when not required."),
        (
            {"type": "MARKET", "timeInForce": None, "price": None, "quantity": None},
            -1102,
            "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!",
        ),
        (
            {"newClientOrderId": "with space"},
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'.",
        ),
        (
            {"newOrderRespType": "LONG"},
            -1130,
            "Data sent for parameter 'newOrderRespType' is not valid.",
        ),
        ({"strategyType": "5"}, -1134, "`strategyType` was less than 1000000."),
        ({"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ({"price": "44000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        ({"type": "STOP_LOSS_LIMIT", "stopPrice": "43000"}, -2010, "Order would trigger immediately."),
        ({"type": "STOP_LOSS_LIMIT", "stopPrice": "0"}, -1013, "Filter failure: PRICE_FILTER"),
        (
            {"type": "STOP_LOSS_LIMIT"},
            -1102,
            "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!",
        ),
        (
            {"type": "TAKE_PROFIT", "timeInForce": None, "stopPrice": "44000"},
            -1106,
            "Parameter 'price' sent when not required.",
        ),
        ({"stopPrice": "46000"}, -1106, "Parameter 'stopPrice' sent when not required."),
        ({"trailingDelta": "100"}, -1106, "Parameter 'trailingDelta' sent when not required."),
        (
            {"type": "STOP_LOSS", "timeInForce": None, "price": None, "trailingDelta": "2001"},
            -1013,
            "Filter failure: TRAILING_DELTA",
        ),
        ({"icebergQty": "0.002"}, -2010, "IcebergQty exceeds QTY."),
        ({"icebergQty": "0.00001", "quantity": "0.5"}, -1013, "Filter failure: ICEBERG_PARTS"),
        ({"icebergQty": "0.0005", "timeInForce": "IOC"}, -2010, "Unsupported order combination"),
        (
            {"type": "MARKET", "timeInForce": None, "price": None, "icebergQty": "0.0005"},
            -1106,
            "Parameter 'icebergQty' sent when not required.",
        ),
        ({"pegPriceType": "MID_PEG"}, -1210, "Invalid pegPriceType."),
        (
            {"pegPriceType": "PRIMARY_PEG", "pegOffsetType": "TICKS", "pegOffsetValue": "1"},
            -1211,
            "Invalid pegOffsetType.",
        ),
        (
            {"pegPriceType": "PRIMARY_PEG", "pegOffsetValue": "1"},
            -1102,
            "Mandatory parameter 'pegOffsetType' was not sent, was empty/null, or malformed.",
        ),
        (
            {"pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": "1"},
            -1106,
            "Parameter 'pegOffsetType' sent when not required.",
        ),
        (
            {"pegPriceType": "PRIMARY_PEG", "pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": "101"},
            -1130,
            "Data sent for parameter 'pegOffsetValue' is not valid.",
        ),
        (
            {"pegPriceType": "PRIMARY_PEG", "pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": "50"},
            -2010,
            "Order book liquidity is too low for this pegged order.",
        ),
        (
            {"type": "LIMIT_MAKER", "timeInForce": None, "pegPriceType": "MARKET_PEG"},
            -2010,
            "This price peg cannot be used with this order type.",
        ),
        (
            {"type": "MARKET", "timeInForce": None, "price": None, "pegPriceType": "MARKET_PEG"},
            -2010,
            "This order type may not use pegged price.",
        ),
        (
            {"selfTradePreventionMode": "SOMEHOW"},
            -1130,
            "Data sent for parameter 'selfTradePreventionMode' is not valid.",
        ),
        ({"quantity": "1000"}, -2010, "Account has insufficient balance for requested action."),
        (
            {"type": "LIMIT_MAKER", "timeInForce": None, "price": "45001"},
            -2010,
            "Order would immediately match and take.",
        ),
        ({"other": "1"}, -1104, "Not all sent parameters were read; read '8' parameter(s) but was sent '9'."),
        ({"recvWindow": "60001"}, -1102, "'recvWindow' contains unexpected value. Cannot be greater than 60000."),
    ],
)
async def test_an_order_that_cannot_be_is_refused_in_binances_words(
    client: SignedClient, changes: dict[str, Any], code: int, text: str
) -> None:
    """S0-28 among them: 1,000 BTC are too many."""
    response = await client.order(**changes)
    assert (response.status_code, body(response)) == (400, {"code": code, "msg": text})


@pytest.mark.parametrize(
    ("verb", "path", "params", "code", "text"),
    [
        ("GET", "order", {"symbol": "BTCUSDT", "orderId": 9}, -2013, "Order does not exist."),
        ("DELETE", "order", {"symbol": "BTCUSDT", "orderId": 9}, -2011, "Unknown order sent."),
        (
            "DELETE",
            "order",
            {"symbol": "BTCUSDT"},
            -1102,
            "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
        ),
        (
            "DELETE",
            "order",
            {"symbol": "BTCUSDT", "orderId": 9, "cancelRestrictions": "NEVER"},
            -1145,
            "Invalid cancelRestrictions",
        ),
        ("DELETE", "openOrders", {"symbol": "BTCUSDT"}, -2011, "Unknown order sent."),
        (
            "GET",
            "allOrders",
            {"symbol": "BTCUSDT", "startTime": 1, "endTime": 86_400_002},
            -1127,
            "More than 24 hours between startTime and endTime.",
        ),
        (
            "GET",
            "myTrades",
            {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1},
            -1128,
            "Combination of optional parameters invalid.",
        ),
        (
            "GET",
            "account",
            {"omitZeroBalances": "maybe"},
            -1130,
            "Data sent for parameter 'omitZeroBalances' is not valid.",
        ),
    ],
)
async def test_other_signed_requests_are_refused_in_binances_words(
    client: SignedClient, verb: str, path: str, params: dict[str, Any], *, code: int, text: str
) -> None:
    response = await client.signed(verb, f"/api/v3/{path}", **params)
    assert (response.status_code, body(response)) == (400, {"code": code, "msg": text})


async def test_a_cancellation_may_insist_on_the_orders_state(client: SignedClient) -> None:
    """``rest-api.md``, "Regarding cancelRestrictions"."""
    placed = body(await client.order())
    named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    refused = await client.signed("DELETE", "/api/v3/order", **named, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert body(refused) == {"code": -2011, "msg": "Order was not canceled due to cancel restrictions."}
    assert (await client.signed("DELETE", "/api/v3/order", **named, cancelRestrictions="ONLY_NEW")).status_code == 200


async def test_wrong_credentials_are_told_with_401_or_400(exchange: ExchangeServer) -> None:
    """S0-54 rests on -2014 and -2015."""
    async with SignedClient(exchange.url, key="unknown") as stranger:
        response = await stranger.signed("GET", "/api/v3/account")
        assert response.status_code == 401
        assert body(response) == {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
        response = await stranger.get("/api/v3/account")
        assert response.status_code == 401
        assert body(response) == {"code": -2014, "msg": "API-key format invalid."}
    async with SignedClient(exchange.url, secret="wrong") as forger:
        response = await forger.signed("GET", "/api/v3/account")
        assert response.status_code == 400
        assert body(response) == {"code": -1022, "msg": "Signature for this request is not valid."}
        response = await forger.signed("GET", "/api/v3/account", timestamp=1)
        assert body(response)["code"] == -1021


async def test_a_tampered_request_is_refused(client: SignedClient) -> None:
    query = client.sign({"symbol": "BTCUSDT"}).replace("BTCUSDT", "ETHUSDT")
    headers = {"X-MBX-APIKEY": "your_binance_api_key"}
    response = await client.http.get(f"/api/v3/openOrders?{query}", headers=headers)
    assert body(response)["code"] == -1022


async def test_a_parameter_sent_twice_is_refused(client: SignedClient) -> None:
    response = await client.http.get("/api/v3/depth?symbol=BTCUSDT&symbol=BTCUSDT")
    assert body(response) == {"code": -1101, "msg": "Duplicate values for a parameter detected."}
    many = "&".join(f"p{number}=1" for number in range(100))
    assert body(await client.http.get(f"/api/v3/depth?{many}"))["code"] == -1101


async def test_unknown_paths_and_verbs_are_told_in_json(client: SignedClient) -> None:
    response = await client.get("/api/v3/nothing")
    assert (response.status_code, body(response)["code"]) == (404, -1020)
    response = await client.http.put("/api/v3/order")
    assert response.status_code == 405
    assert response.headers["allow"] == "DELETE, GET, POST"
    assert (await client.http.post("/api/v3/order", content=b"x" * 100_000)).status_code == 413
    assert (await client.http.post("/api/v3/order", content=b"\xff=\xfe")).status_code == 401
