"""Who speaks which protocol on ``/ws``, and how many may (C-1, C-2, C-10)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from cryptotrader.sessions.ws import Dialect, RouterPolicy
from cryptotrader.sessions.ws.client import ClientPolicy
from cryptotrader.sessions.ws.dialect import has_field
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.types import Accept, Connection, Refuse
from tests.support.channels import ChannelStage, settle
from tests.support.streams import FakeConnection, Who


@pytest.fixture
async def stage() -> AsyncIterator[ChannelStage]:
    stage = ChannelStage()
    yield stage
    await stage.close()


class Echo:
    """A protocol that says everything again."""

    key_id = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def on_message(self, data: str | bytes) -> None:
        assert isinstance(data, str)
        self._connection.send(Frame.text(data.encode()))

    def on_close(self) -> None:
        pass

    def end(self, code: int, reason: str) -> None:
        self._connection.close(code, "bye")


ECHO = Dialect("echo", has_field("type"), lambda connection, address: Echo(connection))


async def test_the_first_message_with_an_action_pins_the_channel_protocol(stage: ChannelStage) -> None:
    """C-1, S1-1: no credentials are needed to connect."""
    peer = await stage.connect()
    assert peer.hear() == []
    assert peer.login()[0]["event"] == "authenticated"


async def test_another_protocol_is_a_value_and_messages_of_one_are_bad_requests_in_the_other() -> None:
    """C-1: adding a protocol touches neither router nor transport."""
    stage = ChannelStage(dialects=(ECHO,))
    echo = await stage.connect()
    assert echo.say({"type": "x", "n": 1}) == [{"type": "x", "n": 1}]
    assert echo.say({"action": "pong"}) == [{"action": "pong"}]
    channels = await stage.client()
    assert channels.say({"type": "x"})[0]["code"] == 400
    both = await stage.connect()
    assert both.say({"type": "x", "action": "pong"}) == []
    assert both.say({"type": "x"})[0]["event"] == "error"
    await stage.close()


@pytest.mark.parametrize("nonsense", ["", "{", "[]", '"action"', "\ud800", '{"type":"subscribe"}', "[" * 10_000])
async def test_a_message_of_no_protocol_is_answered_in_the_open_form_and_pins_nothing(
    stage: ChannelStage, nonsense: str
) -> None:
    """C-1: ``invalid_message``, and the next message may still show the protocol."""
    peer = await stage.connect()
    [answer] = peer.say(nonsense)
    assert (answer["type"], answer["code"]) == ("error", "invalid_message")
    assert isinstance(answer["message"], str)
    peer.handler.on_binary(b"\xff")
    assert peer.hear()[0]["code"] == "invalid_message"
    assert peer.login()[0]["event"] == "authenticated"


async def test_a_subprotocol_or_the_query_chooses_too(stage: ChannelStage) -> None:
    """C-1; the subprotocol is confirmed, as RFC 6455 wants it."""
    accept = await stage.ask(subprotocols=("nothing", "channels"))
    assert isinstance(accept, Accept)
    assert accept.subprotocol == "channels"
    by_query = await stage.ask(query="dialect=channels&api_key=secret")
    assert isinstance(by_query, Accept)
    assert by_query.subprotocol is None
    for chosen in (accept, by_query):
        connection = FakeConnection()
        chosen.handler.on_open(connection)
        chosen.handler.on_text("nonsense")
        assert connection.messages()[0]["event"] == "error"
    refused = await stage.ask(query="dialect=klingon")
    assert isinstance(refused, Refuse)
    assert (refused.status, json.loads(refused.body)["error"]) == (400, "Invalid parameter: dialect")


async def test_a_silent_connection_is_told_nothing_and_closed_after_five_minutes(stage: ChannelStage) -> None:
    """C-2: no JSON ping ever goes to a connection whose protocol is not known."""
    peer = await stage.connect()
    stage.pass_time(299)
    assert (peer.hear(), peer.connection.closed) == ([], None)
    stage.pass_time(1.4)
    assert peer.hear() == []
    assert peer.connection.closed == (1008, "no message of a known protocol")


async def test_who_shouts_nonsense_is_told_to_slow_down_and_closed_when_it_goes_on() -> None:
    """C-11."""
    stage = ChannelStage(policy=RouterPolicy(ClientPolicy(messages_per_s=2, max_refused=3)))
    peer = await stage.connect()
    codes = [peer.say("x")[0]["code"] for _ in range(5)]
    assert codes == ["invalid_message"] * 2 + ["rate_limited"] * 3
    assert peer.connection.closed == (1008, "too many messages")
    await stage.close()


async def test_every_other_path_is_a_streams_affair(stage: ChannelStage) -> None:
    for path in ("/ws/user", "/ws/", "/wss", "/ws/ticker/btcusdt"):
        assert isinstance(await stage.ask(path), Refuse)
    assert stage.streams.paths == ["/ws/user", "/ws/", "/wss", "/ws/ticker/btcusdt"]


async def test_the_process_takes_so_many_connections_and_one_more_when_somebody_leaves() -> None:
    """C-10: a handshake is refused with 503 and Retry-After."""
    stage = ChannelStage(max_connections=2)
    first = await stage.connect()
    await stage.client()
    refused = await stage.ask()
    assert isinstance(refused, Refuse)
    assert (refused.status, dict(refused.headers)["Retry-After"]) == (503, "60")
    first.hang_up()
    assert isinstance(await stage.ask(), Accept)
    assert stage.router.connection_count == 2
    await stage.close()


async def test_at_shutdown_everybody_is_told_in_the_words_of_its_protocol_and_nobody_comes_any_more(
    stage: ChannelStage,
) -> None:
    """S1-18: a close message, then 1001."""
    unpinned, client = await stage.connect(), await stage.client()
    late = await stage.ask()
    stage.router.drain()
    assert unpinned.hear() == []
    [told] = client.hear()
    assert (told["event"], told["code"], told["message"]) == ("close", 1001, "Server is shutting down")
    assert unpinned.connection.closed == client.connection.closed == (1001, "Server is shutting down")
    assert stage.streams.is_drained
    assert isinstance(late, Accept)
    connection = FakeConnection()
    late.handler.on_open(connection)
    assert connection.closed == (1001, "Server is shutting down")
    refused = await stage.ask()
    assert isinstance(refused, Refuse)
    assert refused.status == 503


async def test_a_revoked_key_ends_its_connections_with_1008_and_no_others() -> None:
    """S1-18."""
    stage = ChannelStage(Who("alice"), Who("bob"))
    alice, bob, unpinned = await stage.client("alice"), await stage.client("bob"), await stage.connect()
    stage.logins.on_revoked.publish("alice")
    [told] = alice.hear()
    assert (told["event"], told["code"]) == ("close", 1008)
    assert alice.connection.closed == (1008, "API key is no longer valid")
    assert bob.connection.closed is unpinned.connection.closed is None
    await stage.close()


async def test_a_connection_leaves_nothing_behind(stage: ChannelStage) -> None:
    peers = [await stage.client() for _ in range(3)]
    for peer in peers:
        peer.subscribe("market_data", "orderbook", "orders", "system_events", symbols=["BTCUSDT"])
        peer.hang_up()
    await settle()
    assert (stage.router.connection_count, stage.slots.taken, stage.slots.of_key("alice")) == (0, 0, 0)
    assert (stage.hub.session_count, len(stage.hub.broadcaster)) == (0, 0)
    stage.pass_time(60)
    stage.pass_time(300)
    assert stage.hub.registry.open_count == stage.timer.waiting == 0
    assert stage.live.open_leases == []
