"""Who may open a stream, and what becomes of it."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator

import pytest

from cryptotrader.feeds.user import UserEvent
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.sessions.client import ClientContext
from cryptotrader.sessions.keys import KeyLimits
from cryptotrader.sessions.streams import StreamLimits, StreamSessions
from cryptotrader.sessions.ticker import TickerChannel, TickerClient
from cryptotrader.sessions.ws import ConnectionSlots, SlotLimits
from cryptotrader.transport.fanout import Broadcaster
from cryptotrader.transport.types import Accept, Refuse, UpgradeRequest
from tests.support.streams import (
    TOKEN,
    FakeAuthenticator,
    FakeCatalogue,
    FakeConnection,
    FakeLive,
    FakeUserFeed,
    Who,
    accounts_of,
    ticker,
)
from tests.support.waiting import eventually


class Stage:
    """Stream sessions on fakes."""

    def __init__(
        self, *, max_connections: int = 50, who: Who | None = None, slots: ConnectionSlots | None = None
    ) -> None:
        self.slots = slots or ConnectionSlots()
        self.live = FakeLive()
        self.user = FakeUserFeed()
        self.authenticator = FakeAuthenticator(who)
        self.sessions = StreamSessions(
            self.live,
            accounts_of(self.user),
            self.authenticator,
            catalogue=FakeCatalogue(),
            limits=StreamLimits(max_connections=max_connections, depth_linger_s=0.01),
            clock=SystemClock(),
            slots=self.slots,
        )

    async def ask(self, path: str, *, query: str = "", token: str | None = TOKEN) -> Accept | Refuse:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return await self.sessions.route(UpgradeRequest(path, query, headers, "127.0.0.1"))

    async def open(self, path: str, *, query: str = "") -> tuple[Accept, FakeConnection]:
        accept = await self.ask(path, query=query)
        assert isinstance(accept, Accept)
        connection = FakeConnection()
        accept.handler.on_open(connection)
        return accept, connection


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    await stage.sessions.close()


def refused(decision: Accept | Refuse) -> tuple[int, dict[str, object]]:
    assert isinstance(decision, Refuse)
    return decision.status, json.loads(decision.body)


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("path", "token", "status", "text"),
    [
        ("/ws/ticker/btcusdt", None, 401, "Missing Authorization header"),
        ("/ws/user", "wrong", 401, "Invalid or expired token"),
        ("/ws/depth/nosuch", TOKEN, 400, "Invalid symbol"),
        ("/ws/nothing/btcusdt", TOKEN, 404, "Not found"),
    ],
)
async def test_refusals_have_the_documented_bodies(
    stage: Stage, path: str, token: str | None, status: int, text: str
) -> None:
    """S0-18, S0-50, S0-51, S0-56: at the handshake, as over HTTP."""
    assert refused(await stage.ask(path, token=token)) == (status, {"error": text, "status": status})


@pytest.mark.parametrize("spelling", ["btcusdt", "BTCUSDT", "BTC/USDT", "btc-usdt"])
async def test_a_symbol_may_be_spelt_in_any_way(stage: Stage, spelling: str) -> None:
    """C-12; ``BTC%2FUSDT`` comes percent-decoded."""
    assert isinstance(await stage.ask(f"/ws/ticker/{spelling}"), Accept)


async def test_every_handshake_answer_carries_tracing_headers(stage: Stage) -> None:
    """S0-61: accepted or not."""
    for decision in (await stage.ask("/ws/user"), await stage.ask("/ws/user", token=None)):
        headers = dict(decision.headers)
        assert uuid.UUID(headers["X-Request-Id"]).version == 4
        assert headers["X-Response-Time"].isdecimal()


@pytest.mark.parametrize("query", [f"token={TOKEN}", f"api_key={TOKEN}"])
async def test_a_browser_may_send_its_token_in_the_query(
    stage: Stage, query: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """S0-65, S0-63: and the log does not show it."""
    decision = await stage.ask("/ws/user", query=query, token=None)
    assert isinstance(decision, Accept)
    connection = FakeConnection()
    decision.handler.on_open(connection)
    decision.handler.on_close(1000, "")
    log = capsys.readouterr().err
    assert "WebSocket connected: /ws/user - client_id=c1" in log
    assert TOKEN not in log


async def test_the_log_shows_who_came_and_how_long_it_stayed(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """S0-63."""
    accept, connection = await stage.open("/ws/ticker/BTCUSDT", query="x=1")
    accept.handler.on_close(1000, "")
    log = capsys.readouterr().err
    assert f"[INFO] WebSocket connected: /ws/ticker/btcusdt - client_id={connection.id}\n" in log
    assert re.search(r"^\[INFO\] WebSocket disconnected: /ws/ticker/btcusdt - duration=\d+s$", log, re.MULTILINE)


async def test_the_51st_client_is_refused_until_somebody_leaves() -> None:
    """S0-53, S0-5: the limit comes from the settings and counts all three streams."""
    stage = Stage(max_connections=3)
    accept, _ = await stage.open("/ws/ticker/btcusdt")
    await stage.open("/ws/depth/btcusdt")
    await stage.open("/ws/user")
    decision = await stage.ask("/ws/ticker/ethusdt")
    assert refused(decision) == (503, {"error": "Maximum WebSocket connections reached", "status": 503})
    assert ("Retry-After", "60") in decision.headers
    accept.handler.on_close(1000, "")
    assert isinstance(await stage.ask("/ws/ticker/ethusdt"), Accept)
    assert stage.sessions.connection_count == 3
    await stage.sessions.close()


async def test_a_keys_own_limit_and_that_of_the_process_count_streams_too() -> None:
    """C-10: 429 where the key has enough, 503 where the process has."""
    stage = Stage(who=Who(limits=KeyLimits(connections=1)))
    accept, _ = await stage.open("/ws/user")
    decision = await stage.ask("/ws/ticker/btcusdt")
    assert refused(decision) == (429, {"error": "Too many connections of this key", "status": 429})
    accept.handler.on_close(1000, "")
    assert isinstance(await stage.ask("/ws/ticker/btcusdt"), Accept)
    assert stage.slots.taken == 1
    await stage.sessions.close()
    stage = Stage(slots=ConnectionSlots(SlotLimits(1)))
    await stage.open("/ws/user")
    assert refused(await stage.ask("/ws/user"))[0] == 503
    await stage.sessions.close()


async def test_a_ticker_client_gets_the_newest_at_once_and_then_each(stage: Stage) -> None:
    """S0-40, S0-44, S0-49."""
    stage.live.ticker_feed.put(ticker("1.00000000"))
    _, first = await stage.open("/ws/ticker/btcusdt")
    stage.live.ticker_feed.put(ticker("2.00000000"))
    await settle()
    assert [message["c"] for message in first.messages()] == ["1.00000000", "2.00000000"]
    assert first.messages()[0]["e"] == "24hrTicker"
    assert b"\n" not in first.wire


async def test_a_slow_ticker_client_gets_only_the_newest(stage: Stage) -> None:
    """C-22, DESIGN 4.5."""
    _, connection = await stage.open("/ws/ticker/btcusdt")
    connection.fall_behind()
    for number in range(5):
        stage.live.ticker_feed.put(ticker(f"{number}.00000000"))
        await settle()
    connection.catch_up()
    assert [message["c"] for message in connection.messages()] == ["4.00000000"]


async def test_a_ticker_client_hears_the_newest_again_while_the_market_is_quiet() -> None:
    """S0-40: about one message a second also where the venue has nothing to say; with the time of the message, and
    only while the venue would tell of a change."""
    live = FakeLive()
    feed = live.ticker_feed
    async with Supervisor("test") as jobs:
        channel = TickerChannel(
            "ticker/BTCUSDT", feed, live.lease("BTCUSDT", "ticker"),
            broadcaster=Broadcaster(), jobs=jobs, repeat_s=0.06,
        )  # fmt: skip
        client = TickerClient(ClientContext("ticker", "/ws/ticker/btcusdt", "k1", SystemClock(), print), channel)
        connection = FakeConnection()
        client.on_open(connection)
        feed.put(ticker())
        await eventually(lambda: len(connection.messages()) >= 4)
        told = connection.messages()
        assert {message["c"] for message in told} == {ticker().last_price}
        times = [message["E"] for message in told]
        assert times == sorted(set(times))
        feed.is_active = False
        said, asked = len(connection.messages()), feed.asked
        await eventually(lambda: feed.asked >= asked + 3)
        assert len(connection.messages()) == said
        channel.close()
        await eventually(lambda: jobs.job_count == 0)


async def test_account_events_are_forwarded_as_they_are_and_never_conflated(stage: Stage) -> None:
    """S0-45, S0-46, S0-48: the feed is open exactly while somebody listens."""
    accept, connection = await stage.open("/ws/user")
    assert stage.user.open_leases == ["user"]
    payloads = [b'{"e":"executionReport","i":%d}' % number for number in range(4)]
    stage.user.topic.publish(UserEvent("executionReport", payloads[0], {}))
    await settle()
    connection.fall_behind()
    for payload in payloads[1:3]:
        stage.user.topic.publish(UserEvent("executionReport", payload, {}))
        await settle()
    connection.catch_up()
    stage.user.topic.publish(UserEvent("executionReport", payloads[3], {}))
    await settle()
    assert [message["i"] for message in connection.messages()] == [0, 1, 2, 3]
    accept.handler.on_close(1000, "")
    await eventually(lambda: not stage.user.open_leases)


async def test_messages_from_clients_are_answered_with_an_error_and_nothing_else(stage: Stage) -> None:
    accept, connection = await stage.open("/ws/ticker/btcusdt")
    accept.handler.on_text("subscribe me")
    accept.handler.on_binary(b"\x00")
    accept.handler.on_ping(b"")
    accept.handler.on_writable()
    assert connection.messages() == [{"error": "This stream takes no messages", "status": 400}] * 2
    assert connection.closed is None


async def test_a_revoked_key_ends_its_connections_with_1008(stage: Stage) -> None:
    _, connection = await stage.open("/ws/user")
    waiting = await stage.ask("/ws/user")
    ends: list[tuple[int, str] | None] = []
    for key_id in ("other", "k1"):
        stage.authenticator.on_revoked.publish(key_id)
        ends.append(connection.closed)
    assert ends == [None, (1008, "token revoked")]
    assert isinstance(waiting, Accept)
    late = FakeConnection()
    waiting.handler.on_open(late)
    assert late.closed == (1008, "token revoked")


async def test_a_key_without_reading_rights_is_refused() -> None:
    stage = Stage(who=Who(scopes=frozenset({"admin"})))
    assert refused(await stage.ask("/ws/user"))[0] == 403
    await stage.sessions.close()


async def test_draining_says_1001_and_accepts_nobody(stage: Stage) -> None:
    _, connection = await stage.open("/ws/depth/btcusdt")
    stage.sessions.drain()
    assert connection.closed == (1001, "server is shutting down")
    assert refused(await stage.ask("/ws/user"))[0] == 503


async def test_a_symbol_is_let_go_a_while_after_its_last_client(stage: Stage) -> None:
    """S0-44: what a returning client missed is kept for the linger."""
    accept, _ = await stage.open("/ws/depth/btcusdt")
    accept.handler.on_close(1006, "")
    assert stage.live.open_leases == ["depth BTCUSDT"]
    again, _ = await stage.open("/ws/depth/btcusdt")
    assert stage.live.open_leases == ["depth BTCUSDT"]
    again.handler.on_close(1006, "")
    await eventually(lambda: not stage.live.open_leases)


@pytest.mark.parametrize("query", ["from=abc", "from=-1", "from=1e3", "from=" + "9" * 40])
async def test_a_resume_point_that_is_no_number_is_refused(stage: Stage, query: str) -> None:
    assert refused(await stage.ask("/ws/depth/btcusdt", query=query))[0] == 400
