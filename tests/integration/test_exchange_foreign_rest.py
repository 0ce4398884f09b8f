"""Requests as bots and libraries write them by hand: where parameters lie, how they are spelled, what headers they use.

Each row is what the source of a program does that is not in ``tests/conformance/third_party``; the answers are what
Binance's document promises.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.net import SystemClock
from tests.support.paper import running_exchange
from tests.support.still_market import still_venue

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FORM_UTF8 = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
JSON = {"Content-Type": "application/json"}
OLD_PAIR = (
    "symbol=BTCUSDT&side=SELL&quantity=0.001&price=46000&stopPrice=44000&stopLimitPrice=43990&stopLimitTimeInForce=GTC"
)
LIMIT = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=44000"


@dataclass(frozen=True)
class Ask:
    """A request as it goes over the line.

    Args:
        who: Whose habit it is.
        verb: Of HTTP.
        path: Below ``/api/v3``.
        query: As it is written; ``{now}`` becomes the time and ``{signature}`` the signature of everything else.
        body: Likewise.
        headers: Beside ``Host`` and the key.
        code: What is refused with; 0 where it is answered.
        key: Name of the header that carries the key; empty for none.
        length: Whether the length of the body is told.
        upper: Whether the signature is written in capital letters.
    """

    who: str
    verb: str
    path: str
    query: str = ""
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    code: int = 0
    key: str = "X-MBX-APIKEY"
    length: bool = True
    upper: bool = False

    def written(self) -> bytes:
        """The bytes."""
        now = str(SystemClock().now_ns() // NS_PER_MS)
        query, body = (text.replace("{now}", now) for text in (self.query, self.body))
        # What is signed is everything but the signature, in the order in which it came.
        bare = "".join(
            "&".join(part for part in text.split("&") if not part.startswith("signature=")) for text in (query, body)
        )
        signature = hmac.new(SAMPLE_SECRET.encode(), bare.encode(), hashlib.sha256).hexdigest()
        signature = signature.upper() if self.upper else signature
        query, body = (text.replace("{signature}", signature) for text in (query, body))
        headers = {"Host": "127.0.0.1", "Connection": "close", **self.headers}
        if self.key:
            headers[self.key] = SAMPLE_KEY_ID
        if self.length and (body or self.verb != "GET"):
            headers["Content-Length"] = str(len(body))
        target = f"/api/v3/{self.path}" + (f"?{query}" if query else "")
        lines = [f"{self.verb} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", body]
        return "\r\n".join(lines).encode()


END = "&timestamp={now}&signature={signature}"
ASKS = (
    # hummingbot: a form whose signature is the last field, headers of a form also where there is no body.
    Ask("hummingbot", "POST", "order", body=LIMIT + "&newClientOrderId=HBOT-1" + END, headers=FORM),
    Ask("hummingbot", "DELETE", "order", query="symbol=BTCUSDT&origClientOrderId=HBOT-1" + END, headers=FORM),
    Ask("hummingbot", "GET", "account", query="timestamp={now}&signature={signature}", headers=FORM),
    Ask("hummingbot", "GET", "myTrades", query="symbol=BTCUSDT&startTime=1700000000000" + END, headers=FORM),
    Ask("hummingbot", "GET", "ticker/bookTicker", key=""),
    Ask("hummingbot", "GET", "ping", headers=JSON, key=""),
    # nautilus_trader: JSON by its headers, everything in the query, times as text, a window as text.
    Ask("nautilus", "POST", "order", query=LIMIT + "&newOrderRespType=FULL&recvWindow=5000" + END, headers=JSON),
    Ask("nautilus", "GET", "openOrders", query="timestamp={now}&symbol=BTCUSDT&signature={signature}", headers=JSON),
    Ask("nautilus", "DELETE", "openOrders", query="timestamp={now}&symbol=BTCUSDT&signature={signature}", headers=JSON),
    Ask("nautilus", "GET", "exchangeInfo", query="symbols=%5B%22BTCUSDT%22%2C%22BTCUSDC%22%5D", headers=JSON),
    Ask("nautilus", "POST", "userDataStream", headers=JSON),
    Ask("nautilus", "GET", "account", headers={"Accept": "application/sbe", "X-MBX-SBE": "3:1"}, code=-1155),
    # go-binance: names in alphabetical order, a form for what is new, the signature of both in the query.
    Ask(
        "go-binance",
        "POST",
        "order",
        query="timestamp={now}&signature={signature}",
        body="newOrderRespType=RESULT&price=44000&quantity=0.001&side=BUY&symbol=BTCUSDT&timeInForce=GTC&type=LIMIT",
        headers=FORM,
    ),
    Ask("go-binance", "DELETE", "openOrders", query="timestamp={now}&signature={signature}", body="symbol=BTCUSDT"),
    Ask("go-binance", "POST", "order/test", query="timestamp={now}&signature={signature}", body=LIMIT, headers=FORM),
    Ask("go-binance", "GET", "ticker/24hr", query="symbols=%5B%22BTCUSDT%22%5D"),
    # node-binance-api and its like: a form with everything, a listen key in the query, an agent of its own.
    Ask(
        "node-binance-api",
        "POST",
        "order",
        body=LIMIT + "&timestamp={now}&recvWindow=5000&signature={signature}",
        headers={**FORM, "User-Agent": "Mozilla/4.0 (compatible; Node Binance API)"},
    ),
    Ask("node-binance-api", "POST", "userDataStream", headers=FORM),
    Ask("node-binance-api", "DELETE", "openOrders", query="symbol=BTCUSDT&recvWindow=5000" + END, headers=FORM),
    Ask("node-binance-api", "GET", "depth", query="symbol=BTCUSDT&limit=100", headers=FORM),
    # cryptofeed: no body and no length for what is new; candles and trades of a period.
    Ask("cryptofeed", "POST", "order/test", query=LIMIT + END, length=False),
    Ask("cryptofeed", "POST", "userDataStream", length=False),
    Ask(
        "cryptofeed",
        "GET",
        "aggTrades",
        query="symbol=BTCUSDT&limit=1000&startTime=1700000000000&endTime=1700003600000",
    ),
    # jesse and freqtrade: candles from the beginning of time, a period before anything happened.
    Ask("jesse", "GET", "klines", query="interval=1w&symbol=BTCUSDT&limit=1000", key=""),
    Ask("freqtrade", "GET", "klines", query="interval=5m&limit=1000&symbol=BTCUSDT&startTime=0", key=""),
    Ask("freqtrade", "GET", "trades", query="symbol=BTCUSDT&limit=1000", key=""),
    # Others.
    Ask("lower-case header", "GET", "account", query="timestamp={now}&signature={signature}", key="x-mbx-apikey"),
    Ask("key where none is needed", "GET", "time"),
    Ask("capital signature", "GET", "account", query="timestamp={now}&signature={signature}", upper=True),
    Ask("signature first", "GET", "account", query="signature={signature}&timestamp={now}"),
    Ask("signature amid", "GET", "openOrders", query="symbol=BTCUSDT&signature={signature}&timestamp={now}"),
    Ask(
        "signature in the form, rest in the query",
        "POST",
        "order/test",
        query=LIMIT + "&timestamp={now}",
        body="signature={signature}",
    ),
    Ask(
        "half and half", "POST", "order/test", query="symbol=BTCUSDT&side=SELL", body="type=MARKET&quantity=0.001" + END
    ),
    Ask("form with a charset", "POST", "order/test", body=LIMIT + END, headers=FORM_UTF8),
    Ask("form without a type", "POST", "order/test", body=LIMIT + END),
    Ask("cancel by a form", "DELETE", "order", body="symbol=BTCUSDT&orderId=999999999" + END, headers=FORM, code=-2011),
    Ask("window in decimals", "GET", "account", query="recvWindow=5000.125" + END),
    Ask("window of nothing", "GET", "account", query="recvWindow=" + END, code=-1105),
    Ask("time in microseconds", "GET", "account", query="timestamp={now}000&signature={signature}"),
    Ask("many zeros", "POST", "order/test", body=LIMIT.replace("44000", "44000.00000000") + END),
    Ask("brackets as they are", "GET", "ticker/price", query='symbols=["BTCUSDT","BTCUSDC"]', key=""),
    Ask(
        "unknown browser headers", "GET", "time", headers={"Origin": "http://localhost", "Cookie": "a=b", "X-Test": "1"}
    ),
    Ask("compression", "GET", "exchangeInfo", headers={"Accept-Encoding": "gzip, deflate, br"}, key=""),
    Ask("commission", "POST", "order/test", query=LIMIT + "&computeCommissionRates=true" + END),
    Ask("zeros left out", "GET", "account", query="omitZeroBalances=true" + END),
    Ask("lists of the old kind", "POST", "order/oco", body=OLD_PAIR + END, headers=FORM),
    Ask("cancel all lists", "DELETE", "openOrders", query="symbol=BTCUSDT" + END),
    # What Binance refuses as well.
    Ask("lower-case side", "POST", "order", body=LIMIT.replace("BUY", "buy") + END, code=-1117),
    Ask("lower-case type", "POST", "order", body=LIMIT.replace("LIMIT", "limit") + END, code=-1116),
    Ask("lower-case time in force", "POST", "order", body=LIMIT.replace("GTC", "gtc") + END, code=-1115),
    Ask("lower-case symbol", "GET", "depth", query="symbol=btcusdt", code=-1100),
    Ask("separated symbol", "GET", "depth", query="symbol=BTC/USDT", code=-1100),
    Ask("exponent", "POST", "order", body=LIMIT.replace("0.001", "1e-3") + END, code=-1100),
    Ask("comma", "POST", "order", body=LIMIT.replace("0.001", "0,001") + END, code=-1100),
    Ask("misspelled parameter", "POST", "order", body=LIMIT.replace("timeInForce", "timeInforce") + END, code=-1104),
    Ask("parameter of futures", "POST", "order", body=LIMIT + "&reduceOnly=true" + END, code=-1104),
    Ask("parameter twice", "GET", "depth", query="symbol=BTCUSDT&symbol=BTCUSDC", code=-1101),
    Ask("JSON body", "POST", "order", body='{"symbol":"BTCUSDT"}', headers=JSON, code=-1102),
    Ask("no key", "GET", "account", query="timestamp={now}&signature={signature}", key="", code=-2014),
    Ask("no signature", "GET", "account", query="timestamp={now}", code=-1102),
    Ask("seconds", "GET", "account", query="timestamp=1700000000&signature={signature}", code=-1021),
    Ask("a path of futures", "GET", "premiumIndex", code=-1020),
)


async def _ask(port: int, ask: Ask) -> tuple[int, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ask.written())
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


@pytest.fixture(scope="module")
def answers() -> dict[int, tuple[int, Any]]:
    async def drive() -> dict[int, tuple[int, Any]]:
        async with running_exchange(still_venue(), limits=LimitPolicy.off()) as server:
            return {number: await _ask(server.port, ask) for number, ask in enumerate(ASKS)}

    return asyncio.run(drive())


@pytest.mark.parametrize("number", range(len(ASKS)), ids=[f"{ask.who}: {ask.verb} {ask.path}" for ask in ASKS])
def test_what_programs_send_is_answered_as_the_venue_would(number: int, answers: dict[int, tuple[int, Any]]) -> None:
    ask, (status, answer) = ASKS[number], answers[number]
    if ask.code:
        assert (status >= 400, answer.get("code")) == (True, ask.code), answer
    else:
        assert status == 200, answer
