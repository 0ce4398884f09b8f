"""``cryptotrader serve`` as a process: the channel protocol beside everything else on its port."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cryptotrader.sessions.keys import KeyFile, KeyLimits, KeyTerms, NewKey
from tests.support.channel_client import TOKEN, ChannelClient, channel_client, login, subscribe, unsubscribe
from tests.support.process import Server, running_server

BTC = ["BTCUSDT"]


@dataclass
class Served:
    """A running gateway and its key file."""

    server: Server
    keys: KeyFile

    def key(self, name: str, **terms: object) -> NewKey:
        """A new key, as ``cryptotrader keys create`` makes it."""
        return self.keys.create(name, ["read", "trade"], now_ms=now_ms(), terms=KeyTerms(**terms))  # type: ignore[arg-type]  # names are KeyTerms' own

    def order(self, token: str = TOKEN, **changes: str) -> dict[str, object]:
        """A market order, unless changed."""
        body = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"} | changes
        reply = self.server.call("POST", "/api/v1/order", token=token, json=body)
        assert reply.status_code == 200, reply.text
        placed: dict[str, object] = reply.json()
        return placed


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with running_server(folder, args=["--market", "synthetic?seed=7"]) as server:
        yield Served(server, KeyFile(folder / "keys.json"))


async def test_every_public_channel_flows_from_a_served_gateway(served: Served) -> None:
    """S1-1, S1-2, S1-3, S1-8 to S1-11, S1-20: with the documented token as key and secret, at the documented path."""
    async with channel_client(served.server.ws) as client:
        answer = await client.ask(login())
        assert (answer["event"], answer["success"], set(answer)) == (
            "authenticated", True, {"event", "success", "timestamp"},
        )  # fmt: skip
        message = subscribe("market_data", "orderbook", "trades", symbols=BTC, depth=5)
        echo = await client.ask(message)
        assert (echo["event"], echo["channels"], echo["params"]) == (
            "subscribed", message["channels"], message["params"],
        )  # fmt: skip
        ticker = await client.wait_data("market_data")
        assert ticker["data"]["low"] <= ticker["data"]["price"] <= ticker["data"]["high"]
        book = await client.wait_data("orderbook")
        assert len(book["data"]["bids"]) == len(book["data"]["asks"]) == 5
        assert book["data"]["bids"] == sorted(book["data"]["bids"], reverse=True)
        assert book["data"]["asks"] == sorted(book["data"]["asks"])
        assert book["data"]["bids"][0][0] < book["data"]["asks"][0][0]
        trade = await client.wait_data("trades")
        assert trade["data"]["side"] in ("buy", "sell")
        assert isinstance(trade["data"]["id"], str)
        for row in (ticker, book, trade):
            assert (row["exchange"], row["symbol"]) == ("binance", "BTCUSDT")
            assert abs(row["timestamp"] - now_ms()) < 60_000
        seen = len(client.messages)
        await client.send(unsubscribe("trades", "orderbook", symbols=BTC))
        await client.wait(lambda row: row.get("event") == "unsubscribed", after=seen)
        ended = len(client.messages)
        await client.wait_data("market_data", after=ended)
        assert {row["channel"] for row in client.messages[ended:]} == {"market_data"}


@pytest.mark.parametrize(
    "wrong",
    [
        login(secret="another secret"),
        login(api_key="ct_0000000000000000"),
        login(timestamp=now_ms() - 3_600_000),
        login(timestamp=now_ms() + 3_600_000),
        login() | {"signature": ""},
    ],
)
async def test_a_wrong_login_is_refused_and_may_be_tried_again(served: Served, wrong: dict[str, object]) -> None:
    """S1-4, C-4, C-5."""
    async with channel_client(served.server.ws) as client:
        answer = await client.ask(wrong)
        assert (answer["event"], answer["message"], answer["code"]) == ("error", "Authentication failed", 401)
        assert (await client.ask(subscribe("trades", symbols=BTC)))["code"] == 401, "S1-5"
        assert (await client.login())["event"] == "authenticated"


async def test_a_login_is_good_for_one_time(served: Served) -> None:
    """C-4: whoever sees it on its way cannot use it."""
    message = login()
    async with channel_client(served.server.ws) as client, channel_client(served.server.ws) as thief:
        assert (await client.ask(message))["event"] == "authenticated"
        assert (await thief.ask(message))["code"] == 401


async def order_row(client: ChannelClient, placed: dict[str, object], status: str) -> dict[str, object]:
    row = await client.wait(
        lambda row: (
            row.get("channel") == "orders"
            and row["data"]["id"] == str(placed["orderId"])
            and row["data"]["status"] == status
        )
    )
    data: dict[str, object] = row["data"]
    return data


async def test_an_order_is_told_with_its_average_price_and_the_accounts_rate(served: Served) -> None:
    """S1-12, S1-13."""
    async with channel_client(served.server.ws) as client:
        await client.login()
        await client.ask(subscribe("orders", symbols=BTC))
        placed = served.order()
        row = await order_row(client, placed, "filled")
        assert (row["type"], row["side"], row["amount"], row["filled"], row["remaining"]) == (
            "market", "buy", 0.01, 0.01, 0.0,
        )  # fmt: skip
        assert row["cost"] == pytest.approx(0.01 * row["price"])  # type: ignore[operator]  # a number, as JSON has it
        fee = row["fee"]
        assert isinstance(fee, dict)
        assert (fee["currency"], fee["rate"]) == ("USDT", 0.001)
        assert fee["cost"] == pytest.approx(row["cost"] * 0.001, abs=1e-8)  # type: ignore[operator]  # likewise
        limit = served.order(type="LIMIT", timeInForce="GTC", quantity="0.1", price="20000")
        resting = await order_row(client, limit, "new")
        assert (resting["type"], resting["price"], resting["cost"], resting["filled"]) == ("limit", 20000.0, 2000.0, 0)


async def test_two_accounts_see_their_own_orders_only(served: Served) -> None:
    """S1-12: each key's account has orders, and money, of its own."""
    one, two = served.key("one", account="bot-one"), served.key("two", account="bot-two")
    async with channel_client(served.server.ws) as first, channel_client(served.server.ws) as second:
        for client, key in ((first, one), (second, two)):
            assert (await client.login(key.key, key.secret))["event"] == "authenticated"
            assert (await client.ask(subscribe("orders", "positions")))["event"] == "subscribed"
        mine = served.order(one.secret)
        yours = served.order(two.secret, side="BUY", quantity="0.02")
        await order_row(first, mine, "filled")
        await order_row(second, yours, "filled")
        for client, amount in ((first, 0.01), (second, 0.02)):
            rows = [row for row in client.messages if row.get("channel") == "orders"]
            assert {row["data"]["amount"] for row in rows} == {amount}


async def test_a_revoked_key_ends_its_connections(served: Served) -> None:
    """S1-18: a running server sees it; the close is announced."""
    key = served.key("short-lived")
    async with channel_client(served.server.ws) as client, channel_client(served.server.ws) as other:
        await client.login(key.key, key.secret)
        await other.login()
        served.keys.revoke(key.key, now_ms=now_ms())
        assert (await client.wait_closed())[0] == 1008
        assert (client.messages[-1]["event"], client.messages[-1]["code"]) == ("close", 1008)
        assert other.closed is None
    async with channel_client(served.server.ws) as again:
        assert (await again.login(key.key, key.secret))["code"] == 401


async def test_a_keys_limits_hold(served: Served) -> None:
    """S1-16: 429; connections count over all protocols."""
    key = served.key("small", limits=KeyLimits(connections=1, subscriptions=2))
    async with channel_client(served.server.ws) as client, channel_client(served.server.ws) as one_more:
        await client.login(key.key, key.secret)
        refused = await client.ask(subscribe("trades", symbols=["BTCUSDT", "ETHUSDT", "BNBUSDT"]))
        assert (refused["code"], refused["message"]) == (429, "Too many subscriptions")
        assert (await client.ask(subscribe("trades", symbols=["BTCUSDT", "ETHUSDT"])))["event"] == "subscribed"
        assert (await one_more.login(key.key, key.secret))["code"] == 429
        assert (await one_more.wait_closed())[0] == 1008


async def test_system_events_tell_of_the_exchange_connection(served: Served) -> None:
    """S1-15."""
    async with channel_client(served.server.ws) as client:
        await client.login()
        await client.send({"action": "subscribe", "channels": ["system_events"]})
        row = await client.wait_data("system_events")
        assert row["event"] == "exchange_connection_status"
        assert (row["data"]["exchange"], row["data"]["status"]) == ("binance", "connected")


async def test_a_stopping_gateway_says_goodbye(tmp_path: Path) -> None:
    """S1-18: going away, announced."""
    with running_server(tmp_path, args=["--market", "synthetic?seed=7"]) as server:
        async with channel_client(server.ws) as client, channel_client(server.ws) as unpinned:
            await client.login()
            await client.ask(subscribe("market_data", symbols=BTC))
            server.process.terminate()
            assert (await client.wait_closed())[0] == 1001
            assert (client.messages[-1]["event"], client.messages[-1]["code"]) == ("close", 1001)
            assert (await unpinned.wait_closed())[0] == 1001
            assert unpinned.messages == []
        assert server.stop() == 0


async def test_a_position_is_told_as_it_grows_and_with_its_protections(served: Served) -> None:
    """S1-14: amount, cost and average from real fills; what is set over REST is told at once."""
    async with channel_client(served.server.ws) as client, channel_client(served.server.ws) as later:
        await client.login()
        await client.ask(subscribe("positions", symbols=["BNBUSDT"]))
        served.order(symbol="BNBUSDT", quantity="0.5")
        row = await client.wait_data("positions", symbol="BNBUSDT")
        data = row["data"]
        assert (row["event"], data["type"], data["side"], data["liquidation_price"]) == ("update", "spot", "long", None)
        assert data["cost"] == pytest.approx(data["amount"] * data["average_price"], rel=1e-6)
        terms = {"stop_loss": 1, "trailing_stop": "2.5"}
        reply = served.server.call("PUT", "/api/v1/positions/BNBUSDT", json=terms)
        assert reply.status_code == 200, reply.text
        row = await client.wait(lambda row: row.get("symbol") == "BNBUSDT" and row["data"]["stop_loss"] is not None)
        told = row["data"]
        assert (told["stop_loss"], told["trailing_stop"], told["take_profit"]) == (1.0, 2.5, None)
        await later.login()
        await later.ask(subscribe("positions"))
        assert (await later.wait_data("positions", symbol="BNBUSDT"))["data"]["stop_loss"] == 1.0
