"""The curl samples of source 0, run as they stand (host and port replaced), give what the document says."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.conftest import need
from tests.support.process import Server, running_server

DECIMAL = re.compile(r"-?\d+(\.\d+)?")


def shell(server: Server, script: str, *, timeout_s: float = 30) -> str:
    """Run a sample in bash against our server and return what it prints."""
    need("curl")
    script = script.replace("http://localhost:3000", server.base)
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=timeout_s, check=False)
    return done.stdout


class Reply:
    """What ``curl -i`` printed, taken apart."""

    def __init__(self, text: str) -> None:
        head, _, self.body = text.replace("\r\n", "\n").partition("\n\n")
        status, *lines = head.split("\n")
        self.status = int(status.split(" ")[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def curl(server: Server, sample: str) -> Reply:
    """A sample's curl call, with the answer's head."""
    reply = Reply(shell(server, sample.replace("curl ", "curl -s -i ", 1)))
    # S0-61: every answer can be traced.
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", reply.headers["x-request-id"])
    assert re.fullmatch(r"\d+", reply.headers["x-response-time"])
    return reply


AUTH = '-H "Authorization: Bearer test_token_123"'


def get(server: Server, path: str) -> Reply:
    return curl(server, f'curl -X GET "http://localhost:3000{path}" {AUTH}')


def post_order(server: Server, body: dict[str, str]) -> Reply:
    return curl(
        server,
        f'curl -X POST "http://localhost:3000/api/v1/order" {AUTH} '
        f"-H \"Content-Type: application/json\" -d '{json.dumps(body)}'",
    )


def limit_order(server: Server) -> Any:
    """Scenario 2.1, at a price that rests below the market as it does in the document."""
    reply = post_order(
        server,
        {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "44000.00",
         "timeInForce": "GTC"},
    )  # fmt: skip
    assert reply.status == 200, reply.body
    return reply.json


def assert_decimals(row: dict[str, Any], names: str) -> None:
    for name in names.split():
        assert isinstance(row[name], str), name
        assert DECIMAL.fullmatch(row[name]), name


def test_scenario_1_1_current_price(server: Server) -> None:
    """S0-4, S0-10: symbol and price."""
    reply = get(server, "/api/v1/ticker/price?symbol=BTCUSDT")
    assert reply.status == 200
    assert reply.json["symbol"] == "BTCUSDT"
    assert_decimals(reply.json, "price")
    assert float(reply.json["price"]) > 0


def test_scenario_1_2_24h_statistics(server: Server) -> None:
    """S0-11: seventeen keys."""
    row = get(server, "/api/v1/ticker/24hr?symbol=BTCUSDT").json
    assert_decimals(
        row,
        "priceChange priceChangePercent weightedAvgPrice prevClosePrice lastPrice lastQty bidPrice askPrice openPrice "
        "highPrice lowPrice volume quoteVolume",
    )
    assert all(isinstance(row[name], int) for name in ("openTime", "closeTime", "count"))
    assert row["symbol"] == "BTCUSDT"
    assert float(row["lowPrice"]) <= float(row["lastPrice"]) <= float(row["highPrice"])
    assert float(row["bidPrice"]) < float(row["askPrice"])


def test_scenario_1_3_klines(server: Server) -> None:
    """S0-12: a hundred rows of twelve columns."""
    rows = get(server, "/api/v1/klines?symbol=BTCUSDT&interval=1h&limit=100").json
    assert len(rows) == 100
    for row in rows:
        assert len(row) == 12
        assert [type(cell) for cell in row] == [int, str, str, str, str, str, int, str, int, str, str, str]
        assert row[11] == "0"
        assert row[6] - row[0] == 3_600_000 - 1
        assert float(row[3]) <= min(float(row[1]), float(row[4])) <= max(float(row[1]), float(row[4])) <= float(row[2])
    assert [row[0] for row in rows] == sorted({row[0] for row in rows})


@pytest.mark.parametrize("interval", ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1M"])
def test_scenario_1_3_every_interval(server: Server, interval: str) -> None:
    """S0-13: the case of the letter matters."""
    rows = get(server, f"/api/v1/klines?symbol=BTCUSDT&interval={interval}&limit=5").json
    assert len(rows) == 5
    assert (rows[-1][0] - rows[-2][0]) >= (28 * 86_400_000 if interval == "1M" else 60_000)


def test_tip_several_symbols_in_one_klines_request(server: Server) -> None:
    """S0-14, C-21: an object by symbol."""
    rows = get(server, "/api/v1/klines?symbol=BTCUSDT,ETHUSDT&interval=1h&limit=3").json
    assert list(rows) == ["BTCUSDT", "ETHUSDT"]
    assert all(len(of_symbol) == 3 for of_symbol in rows.values())


def test_scenario_1_4_depth(server: Server) -> None:
    """S0-15: best first on both sides."""
    book = get(server, "/api/v1/depth?symbol=BTCUSDT&limit=10").json
    bids = [float(price) for price, _ in book["bids"]]
    asks = [float(price) for price, _ in book["asks"]]
    assert isinstance(book["lastUpdateId"], int)
    assert len(bids) == len(asks) == 10
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


@pytest.mark.parametrize(("limit", "status"), [(5, 200), (5000, 200), (7, 400), (0, 400), (-5, 400), (5001, 400)])
def test_scenario_1_4_valid_limits(server: Server, limit: int, status: int) -> None:
    """S0-16: eight limits and no other."""
    reply = get(server, f"/api/v1/depth?symbol=BTCUSDT&limit={limit}")
    assert reply.status == status
    if status == 400:
        assert set(reply.json) == {"error", "status"}
        assert "limit" in reply.json["error"]


def test_scenario_1_5_recent_trades(server: Server) -> None:
    """S0-17: a hundred trades."""
    rows = get(server, "/api/v1/trades?symbol=BTCUSDT&limit=100").json
    assert len(rows) == 100
    for row in rows:
        assert_decimals(row, "price qty quoteQty")
        assert isinstance(row["id"], int)
        assert isinstance(row["time"], int)
        assert isinstance(row["isBuyerMaker"], bool)
        assert isinstance(row["isBestMatch"], bool)
    assert [row["id"] for row in rows] == list(range(rows[0]["id"], rows[0]["id"] + 100))


def test_scenario_1_6_invalid_symbol(server: Server) -> None:
    """S0-18, S0-56: the exact body."""
    reply = get(server, "/api/v1/ticker/price?symbol=INVALID")
    assert (reply.status, reply.json) == (400, {"error": "Invalid symbol", "status": 400})


def test_scenario_1_7_missing_authorization(server: Server) -> None:
    """S0-50: the exact body."""
    reply = curl(server, 'curl -X GET "http://localhost:3000/api/v1/ticker/price?symbol=BTCUSDT"')
    assert (reply.status, reply.json) == (401, {"error": "Missing Authorization header", "status": 401})


def test_invalid_bearer_token(server: Server) -> None:
    """S0-51: the exact body."""
    reply = curl(
        server,
        'curl -X GET "http://localhost:3000/api/v1/ticker/price?symbol=BTCUSDT" -H "Authorization: Bearer wrong_token"',
    )
    assert (reply.status, reply.json) == (401, {"error": "Invalid or expired token", "status": 401})


def test_scenarios_2_1_2_3_2_5_2_4_a_limit_order_from_placing_to_cancelling(server: Server) -> None:
    """S0-20, S0-21, S0-24, S0-25, S0-26."""
    placed = limit_order(server)
    assert placed["status"] == "NEW"
    assert isinstance(placed["orderId"], int)
    assert isinstance(placed["transactTime"], int)
    assert placed["clientOrderId"]
    assert (placed["symbol"], placed["side"], placed["type"], placed["timeInForce"]) == (
        "BTCUSDT",
        "BUY",
        "LIMIT",
        "GTC",
    )
    assert_decimals(placed, "price origQty executedQty cummulativeQuoteQty")
    assert float(placed["price"]) == 44000

    path = f"/api/v1/order?symbol=BTCUSDT&orderId={placed['orderId']}"
    queried = get(server, path).json
    assert (queried["orderId"], queried["status"]) == (placed["orderId"], "NEW")
    assert_decimals(queried, "price origQty executedQty")
    assert isinstance(queried["time"], int)
    assert isinstance(queried["updateTime"], int)

    rows = get(server, "/api/v1/openOrders?symbol=BTCUSDT").json
    (row,) = [row for row in rows if row["orderId"] == placed["orderId"]]
    assert row["status"] == "NEW"
    assert_decimals(row, "price origQty executedQty")

    cancelled = curl(server, f'curl -X DELETE "http://localhost:3000{path}" {AUTH}')
    assert cancelled.status == 200
    assert cancelled.json["status"] == "CANCELED"
    assert (cancelled.json["orderId"], cancelled.json["symbol"]) == (placed["orderId"], "BTCUSDT")
    assert cancelled.json["origClientOrderId"] == placed["clientOrderId"]
    assert get(server, path).json["status"] == "CANCELED"


def test_scenarios_2_2_and_3_2_a_market_order_and_its_trades(server: Server) -> None:
    """S0-22, S0-30."""
    reply = post_order(server, {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"})
    order = reply.json
    assert reply.status == 200, reply.body
    assert (order["status"], float(order["executedQty"])) == ("FILLED", 0.001)
    assert float(order["cummulativeQuoteQty"]) > 0
    for fill in order["fills"]:
        assert_decimals(fill, "price qty commission")
        assert fill["commissionAsset"] == "BTC"
    assert sum(float(fill["qty"]) for fill in order["fills"]) == pytest.approx(0.001)

    rows = get(server, "/api/v1/myTrades?symbol=BTCUSDT&limit=50").json
    mine = [row for row in rows if row["orderId"] == order["orderId"]]
    assert len(mine) == len(order["fills"])
    for row in mine:
        assert row["symbol"] == "BTCUSDT"
        assert isinstance(row["id"], int)
        assert isinstance(row["time"], int)
        assert_decimals(row, "price qty quoteQty commission")
        assert (row["isBuyer"], row["isMaker"], row["isBestMatch"], row["commissionAsset"]) == (
            True,
            False,
            True,
            "BTC",
        )


def test_scenario_2_6_order_history(server: Server) -> None:
    """S0-27: at most ``limit`` orders."""
    for _ in range(3):
        limit_order(server)
    rows = get(server, "/api/v1/allOrders?symbol=BTCUSDT&limit=100").json
    assert 3 <= len(rows) <= 100
    assert len(get(server, "/api/v1/allOrders?symbol=BTCUSDT&limit=2").json) == 2


def test_scenario_2_7_insufficient_balance(server: Server) -> None:
    """S0-23, S0-28: without timeInForce it reaches the balance check, and the body is exact."""
    reply = post_order(
        server, {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "1000.0", "price": "44000.00"}
    )
    assert (reply.status, reply.json) == (
        400,
        {"error": "Account has insufficient balance for requested action", "status": 400},
    )


def test_scenario_3_1_account(server: Server) -> None:
    """S0-29."""
    row = get(server, "/api/v1/account").json
    for name in ("makerCommission", "takerCommission", "buyerCommission", "sellerCommission", "updateTime"):
        assert isinstance(row[name], int), name
    assert all(isinstance(row[name], bool) for name in ("canTrade", "canWithdraw", "canDeposit"))
    assert row["accountType"] == "SPOT"
    assert row["permissions"] == ["SPOT"]
    assert {"BTC", "USDT", "ETH"} <= {balance["asset"] for balance in row["balances"]}
    for balance in row["balances"]:
        assert_decimals(balance, "free locked")


def test_scenario_3_3_the_balance_reflects_a_trade(server: Server) -> None:
    """S0-31: the next answer after the order shows it."""
    need("jq")
    balance = (
        f'curl -s -X GET "http://localhost:3000/api/v1/account" {AUTH} | jq \'.balances[] | select(.asset=="USDT")\''
    )
    before = json.loads(shell(server, balance))
    order = post_order(server, {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}).json
    after = json.loads(shell(server, balance))
    spent = float(before["free"]) - float(after["free"])
    assert spent == pytest.approx(float(order["cummulativeQuoteQty"]), abs=1e-6)


def test_health_needs_no_token(server: Server) -> None:
    """S0-60."""
    reply = curl(server, 'curl -X GET "http://localhost:3000/health"')
    assert reply.status == 200
    assert reply.json["status"] == "ok"
    assert abs(reply.json["timestamp"] - time.time() * 1000) < 60_000
    assert isinstance(reply.json["uptime_seconds"], int)


def test_cors_preflight(server: Server) -> None:
    """S0-62: 200 and the exact lists, without a token."""
    reply = curl(
        server,
        'curl -X OPTIONS "http://localhost:3000/api/v1/ticker/price" '
        '-H "Origin: http://example.com" -H "Access-Control-Request-Method: GET"',
    )
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-methods"] == "GET, POST, DELETE, OPTIONS"
    assert reply.headers["access-control-allow-headers"] == "Authorization, Content-Type"


def test_rate_limit_sample(tmp_path: Path) -> None:
    """S0-52, S0-5: two hundred requests in a row, a hundred are answered, the rest told to wait 60 s."""
    with running_server(tmp_path) as fresh:
        text = shell(
            fresh,
            'for i in {1..200}; do curl -s -o /dev/null -w "%{http_code} %header{retry-after}\n" '
            f'-X GET "http://localhost:3000/api/v1/ticker/price?symbol=BTCUSDT" {AUTH}; done',
            timeout_s=100,
        )
        codes = text.split("\n")[:-1]
        assert codes[:100] == ["200 "] * 100
        assert set(codes[100:]) == {"429 60"}
        reply = get(fresh, "/api/v1/ticker/price?symbol=BTCUSDT")
        assert (reply.status, reply.json) == (429, {"error": "Rate limit exceeded", "status": 429})
        assert curl(fresh, 'curl "http://localhost:3000/health"').status == 200


def test_invalid_binance_credentials(tmp_path: Path) -> None:
    """S0-54, C-25: a key that the venue does not know gives 403, while market data goes on (S0-2)."""
    env = {"BINANCE_API_KEY": "invalid_key", "BINANCE_API_SECRET": "made-up-secret"}
    with running_server(tmp_path, env=env) as fresh:
        reply = get(fresh, "/api/v1/account")
        assert (reply.status, reply.json) == (403, {"error": "Invalid API key", "status": 403})
        assert get(fresh, "/api/v1/ticker/price?symbol=BTCUSDT").status == 200
        assert "made-up-secret" not in fresh.log
        assert "invalid_key" not in fresh.log


def test_a_changed_token_takes_effect(tmp_path: Path) -> None:
    """S0-1, S0-5: the configured token works, and the sample token does not any more."""
    with running_server(tmp_path, env={"HTTP_BEARER_TOKEN": "made-up-other-token"}) as fresh:
        assert fresh.get("/api/v1/account", token="made-up-other-token").status_code == 200
        assert fresh.get("/api/v1/account").json() == {"error": "Invalid or expired token", "status": 401}


def test_s0_6_the_documents_exist(server: Server) -> None:
    """S0-6: an OpenAPI document, a page to read it, and the WebSocket protocol document."""
    document = server.get("/openapi.json", token=None).json()
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/order" in document["paths"]
    page = server.get("/docs", token=None).text
    assert "<html" in page
    assert not re.search(r"(?:src|href)=.?https?://", page), "the page must not load anything from elsewhere"
    assert (Path(__file__).parents[2] / "docs" / "websocket-streams.md").is_file()


def test_s0_63_requests_are_logged_in_the_documented_form(server: Server) -> None:
    """S0-63."""
    get(server, "/api/v1/ticker/price?symbol=BTCUSDT")
    server.wait_for_line(r"^\[INFO\] HTTP GET /api/v1/ticker/price\?symbol=BTCUSDT - 200 - \d+ms$")


def test_s0_63_no_secret_reaches_a_log(server: Server) -> None:
    """S0-63: the log of everything that ran in this session is searched for every secret it handled."""
    server.get("/api/v1/account", token="made-up-wrong-token-9")
    server.get("/api/v1/account?api_key=made-up-query-key-9&signature=made-up-signature-9")
    server.wait_for_line(r"HTTP GET /api/v1/account\?\S*api_key=\*\*\*")
    text = server.log
    for secret in (
        "test_token_123", "made-up-wrong-token-9", "made-up-query-key-9", "made-up-signature-9",
        "your_binance_secret_key", "your_binance_api_key",
    ):  # fmt: skip
        assert secret not in text, secret
    assert not re.search(r"signature=(?!\*\*\*)", text)
