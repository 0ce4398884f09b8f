"""Source 1 over real sockets in the test's own process: heartbeats, slow clients, a venue that goes away."""

from __future__ import annotations

import json

import httpx2
import pytest

from cryptotrader.core.errors import VenueRateLimited
from cryptotrader.core.events import DepthDiff, SystemEvent, Trade
from cryptotrader.dialects.channels.protocol import ChannelPolicy
from cryptotrader.services.binance.websocketAPI.general_requests import server_time
from cryptotrader.sessions.ws.client import ClientPolicy
from cryptotrader.transport.policy import TransportPolicy
from tests.support.channel_client import TOKEN, channel_client, login, subscribe
from tests.support.channel_gateway import Limits, channel_gateway
from tests.support.paper import QuietSource, SignedClient, paper_venue, units
from tests.support.raw_websocket import RawClient, masked
from tests.support.waiting import eventually

BTC = ["BTCUSDT"]


def a_trade(number: int) -> Trade:
    return Trade("BTCUSDT", number, units("45000.50"), units("0.1"), 1_700_000_000_000, False, 1_700_000_000_000)


async def test_a_client_connects_without_http_credentials_signs_and_gets_market_data() -> None:
    """S1-1, S1-2, S1-3, S1-6, S1-9: from the connection to the first statistics."""
    async with channel_gateway() as gateway, channel_client(gateway.url) as client:
        answer = await client.ask(login())
        assert (answer["event"], answer["success"]) == ("authenticated", True)
        message = subscribe("market_data", symbols=BTC, type="ticker")
        echo = await client.ask(message)
        assert (echo["event"], echo["channels"], echo["params"]) == ("subscribed", ["market_data"], message["params"])
        row = await client.wait_data("market_data")
        assert list(row) == ["channel", "type", "exchange", "symbol", "data", "timestamp"]
        assert (row["type"], row["exchange"], row["symbol"]) == ("ticker", "binance", "BTCUSDT")
        assert list(row["data"]) == ["price", "volume", "timestamp", "bid", "ask", "high", "low"]
        assert all(isinstance(value, int | float) for value in row["data"].values())


async def test_a_silent_client_is_asked_and_closed_when_it_does_not_answer() -> None:
    """S1-17, S1-18: with a heartbeat of three tenths of a second and one for the answer."""
    limits = Limits(ChannelPolicy(idle_s=0.3, pong_s=0.1))
    async with (
        channel_gateway(limits=limits) as gateway,
        channel_client(gateway.url) as silent,
        channel_client(gateway.url) as polite,
    ):
        for client in (silent, polite):
            await client.login()
        for number in range(3):
            await polite.wait(lambda row: row["event"] == "ping", after=1 + number)
            await polite.send({"action": "pong"})
        assert await silent.wait_closed() == (1000, "Session timeout")
        assert [row["event"] for row in silent.messages] == ["authenticated", "ping", "close"]
        assert (silent.messages[-1]["message"], silent.messages[-1]["code"]) == ("Session timeout", 1000)
        assert polite.closed is None


async def test_whoever_does_not_log_in_or_shows_no_protocol_is_closed() -> None:
    """C-2, C-5, S1-18."""
    limits = Limits(ChannelPolicy(authenticate_s=0.2), ClientPolicy(unpinned_s=0.3))
    async with (
        channel_gateway(limits=limits) as gateway,
        channel_client(gateway.url, path="/ws?dialect=channels") as chosen,
        channel_client(gateway.url, subprotocols=["channels"]) as named,
        channel_client(gateway.url) as silent,
    ):
        assert named.connection.subprotocol == "channels"
        assert (await chosen.wait_closed())[0] == (await named.wait_closed())[0] == 1008
        assert [row["event"] for row in chosen.messages] == ["close"]
        assert (await silent.wait_closed())[0] == 1008
        assert silent.messages == []


async def test_a_message_that_is_too_large_or_broken_ends_its_own_connection_only() -> None:
    async with channel_gateway() as gateway, channel_client(gateway.url) as client:
        await client.login()
        port = int(gateway.url.rpartition(":")[2])
        for data, code in ((masked(1, b"x" * 70_000), 1009), (masked(1, b"\xff\xfe"), 1007), (masked(3, b""), 1002)):
            raw = await RawClient.connect(port)
            assert (await raw.handshake("/ws"))[0] == 101
            raw.send(data)
            assert await raw.close_code() == code
            await raw.close()
        await eventually(lambda: gateway.router.connection_count == 1)
        assert (await client.ask(subscribe("trades", symbols=BTC)))["event"] == "subscribed"


async def test_trades_and_books_follow_the_exchange() -> None:
    """S1-10, S1-11: what happens at the exchange is told, each trade once."""
    source = QuietSource()
    async with channel_gateway(paper_venue(source)) as gateway, channel_client(gateway.url) as client:
        await client.login()
        await client.send(subscribe("orderbook", "trades", symbols=BTC, depth=2))
        first = await client.wait_data("orderbook")
        assert first["data"]["bids"] == [[45000.0, 0.5], [44999.0, 0.5]]
        assert first["data"]["asks"] == [[45001.0, 0.5], [45002.0, 0.5]]
        await eventually(lambda: gateway.feeds.live.trades("BTCUSDT").is_fresh)
        seen = len(client.messages)
        source.queue += [a_trade(101), a_trade(102)]
        source.queue.append(
            DepthDiff("BTCUSDT", 1_001, 1_001, ((units("45000"), units("0.7")),), (), 1_700_000_000_500)
        )
        gateway.feeds.server.venue.catch_up()
        book = await client.wait_data("orderbook", after=seen)
        assert book["data"]["bids"][0] == [45000.0, 0.7]
        await client.wait(lambda row: row.get("channel") == "trades" and row["data"]["id"] == "102", after=seen)
        trades = [row["data"] for row in client.messages if row.get("channel") == "trades"]
        assert [row["id"] for row in trades] == ["101", "102"]
        assert (trades[0]["price"], trades[0]["amount"], trades[0]["side"]) == (45000.5, 0.1, "buy")


async def test_an_outage_is_told_and_what_happened_meanwhile_follows() -> None:
    """S1-15, S1-12: every change of a connection; no order is lost, and none is told twice."""
    async with channel_gateway() as gateway, channel_client(gateway.url) as client:
        await client.login()
        await client.ask({"action": "subscribe", "channels": ["system_events"]})
        await client.ask(subscribe("orders", "market_data", symbols=BTC))
        connected = ["market-1", "user"]
        for link in connected:
            await client.wait(
                lambda row, link=link: (
                    row.get("channel") == "system_events"  # type: ignore[misc]  # bound early
                    and row["data"] == row["data"] | {"status": "connected", "detail": link}
                )
            )
        await eventually(lambda: gateway.feeds.user.is_live)
        seen = len(client.messages)
        gateway.feeds.proxy.cut()
        for _ in connected:
            await client.wait(lambda row: row.get("data", {}).get("status") == "disconnected", after=seen)
        async with SignedClient(gateway.feeds.server.url) as trader:
            placed = (await trader.order()).json()
        gateway.feeds.proxy.mend()
        row = await client.wait_data("orders", after=seen)
        assert row["data"]["id"] == str(placed["orderId"])
        await client.wait(lambda row: row.get("data", {}).get("status") == "connected", after=seen)
        assert sum(row.get("channel") == "orders" for row in client.messages) == 1


async def test_what_the_product_reports_of_itself_is_told() -> None:
    """S1-15: rebuilt books, rate limits, protections."""
    async with channel_gateway() as gateway, channel_client(gateway.url) as client:
        await client.login()
        await client.ask({"action": "subscribe", "channels": ["system_events"]})
        event = SystemEvent(event="orderbook_resync", status="started", at_ms=5, symbol="BTCUSDT", detail="gap")
        gateway.reports.publish(event)
        row = await client.wait(lambda row: row.get("event") == "orderbook_resync")
        assert row["data"] == {
            "exchange": "binance", "status": "started", "timestamp": 5, "symbol": "BTCUSDT", "detail": "gap",
        }  # fmt: skip


async def test_a_venue_that_wants_us_to_wait_is_told_once() -> None:
    """S1-15: the gateway asks no more until then, so there is one event and not one per request."""
    async with channel_gateway() as gateway, channel_client(gateway.url) as client:
        await client.login()
        await client.ask({"action": "subscribe", "channels": ["system_events"]})
        fault = {"operation": "time", "kind": "rate_limit", "retry_after_s": 7, "count": 5}
        async with httpx2.AsyncClient(base_url=gateway.feeds.server.url) as admin:
            (await admin.post("/admin/faults", json=fault)).raise_for_status()
        for _ in range(3):
            with pytest.raises(VenueRateLimited):
                await gateway.feeds.rest.call(server_time.SPEC, server_time.ServerTimeParams())
        row = await client.wait(lambda row: row.get("event") == "rate_limit")
        assert (row["data"]["status"], row["data"]["detail"]) == ("limited", "retrying in 7s")
        await client.ask({"action": "unsubscribe", "channels": ["system_events"]})
        assert sum(row.get("event") == "rate_limit" for row in client.messages) == 1


async def test_a_client_that_stops_reading_gets_every_trade_in_order_or_is_closed() -> None:
    """DESIGN 4.5: 1008 rather than a hole; whoever reads is not held up."""
    policy = TransportPolicy(
        tick_s=0.05,
        high_water_bytes=4_096,
        low_water_bytes=1_024,
        send_buffer_bytes=4_096,
        max_outbox_frames=500,
        close_timeout_s=60,
    )
    async with channel_gateway(limits=Limits(transport=policy)) as gateway, channel_client(gateway.url) as fast:
        await fast.login()
        await fast.ask(subscribe("trades", symbols=BTC))
        port = int(gateway.url.rpartition(":")[2])
        raw = await RawClient.connect(port)
        await raw.handshake("/ws")
        for message in (login(), subscribe("trades", symbols=BTC)):
            raw.send(masked(1, json.dumps(message).encode()))
            await raw.frame()
        feed = gateway.feeds.live.trades("BTCUSDT")
        await eventually(lambda: feed.is_fresh)
        total = 60_000
        for number in range(total):
            feed.topic.publish(a_trade(number))
            if number % 10 == 9:
                # As fast as the fast client reads.
                await fast.wait(lambda row, last=str(number): row["data"]["id"] == last, after=2 + number)  # type: ignore[misc]  # bound early
        told = [int(row["data"]["id"]) for row in fast.messages if row.get("channel") == "trades"]
        assert told == list(range(total))
        slow: list[int] = []
        code = 0
        while not code:
            first, payload = await raw.frame()
            if first & 0x0F == 0x8:
                code = int.from_bytes(payload[:2], "big")
            elif first & 0x0F == 0x1:
                slow.append(int(json.loads(payload)["data"]["id"]))
        assert code == 1008
        assert slow == list(range(len(slow)))
        assert len(slow) < total
        await raw.close()


async def test_the_streams_and_the_channels_share_one_port() -> None:
    """C-1, C-3: a bearer token opens a stream, a signature a channel; ``/ws`` takes none in the handshake."""
    async with channel_gateway() as gateway:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            channel_client(gateway.url, path="/ws/ticker/btcusdt", additional_headers=headers) as stream,
            channel_client(gateway.url, path=f"/ws?api_key={TOKEN}") as client,
        ):
            await stream.wait(lambda row: row["e"] == "24hrTicker")
            assert (await client.ask(subscribe("trades", symbols=BTC)))["code"] == 401
            assert (await client.login())["event"] == "authenticated"
            assert gateway.hub.slots.taken == 2
        await eventually(lambda: gateway.hub.slots.taken == 0)
