"""What one client of the channel protocol may do and is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cryptotrader.core.errors import VenueTimeout
from cryptotrader.core.events import DepthDiff, Trade
from cryptotrader.dialects.channels.protocol import ChannelPolicy
from cryptotrader.sessions.channel_protocol import ChannelSettings
from cryptotrader.sessions.keys import KeyLimits
from tests.support.channels import BoundedConnection, ChannelStage, settle
from tests.support.streams import Who, ticker

BTC = ["BTCUSDT"]


@pytest.fixture
async def stage() -> AsyncIterator[ChannelStage]:
    stage = ChannelStage()
    yield stage
    await stage.close()


def a_trade(number: int) -> Trade:
    return Trade("BTCUSDT", number, 4_265_050_000_000, 10_000_000, 1647356789123, False, 1647356789123)


# Who it is


async def test_nothing_can_be_subscribed_to_before_the_login(stage: ChannelStage) -> None:
    """S1-5."""
    peer = await stage.connect()
    for channel in ("market_data", "orders", "system_events"):
        [answer] = peer.subscribe(channel, symbols=BTC)
        assert (answer["event"], answer["code"]) == ("error", 401)
    assert stage.live.open_leases == []


async def test_a_wrong_signature_is_told_so_and_the_third_ends_the_connection(stage: ChannelStage) -> None:
    """S1-4, C-5, S1-18."""
    peer = await stage.connect()
    for _ in range(2):
        [answer] = peer.login(signature="wrong")
        assert (answer["event"], answer["message"], answer["code"]) == ("error", "Authentication failed", 401)
        assert isinstance(answer["timestamp"], int)
    told = peer.login(signature="wrong")
    assert [(row["event"], row["code"]) for row in told] == [("error", 401), ("close", 1008)]
    assert peer.connection.closed == (1008, "Authentication failed")


async def test_a_client_that_does_not_log_in_is_closed_after_ten_seconds(stage: ChannelStage) -> None:
    """C-5; the time counts from the first message, or from the handshake that chose the protocol."""
    chosen, shown = await stage.connect(query="dialect=channels"), await stage.connect()
    stage.pass_time(5)
    shown.say({"action": "pong"})
    stage.pass_time(5.4)
    assert chosen.connection.closed == (1008, "Not authenticated")
    assert shown.connection.closed is None
    stage.pass_time(5)
    assert [row["event"] for row in shown.hear()] == ["close"]


async def test_another_key_on_the_same_connection_ends_what_the_first_one_began() -> None:
    """Must not see another account's data, nor more than it may."""
    stage = ChannelStage(Who("alice"), Who("bob", account="bobs"))
    peer = await stage.client("alice")
    peer.subscribe("orders", "market_data", symbols=BTC)
    assert peer.login("bob")[0]["event"] == "authenticated"
    stage.accounts["default"].report()
    stage.live.ticker_feed.put(ticker())
    await settle()
    assert peer.hear() == []
    assert (stage.slots.of_key("alice"), stage.slots.of_key("bob")) == (0, 1)
    assert peer.subscribe("market_data", symbols=BTC)[0]["event"] == "subscribed"
    peer.hear()
    assert peer.login("bob", "wrong")[0]["code"] == 401
    stage.live.ticker_feed.put(ticker())
    await settle()
    assert len(peer.hear()) == 1, "a failed login changes nothing"
    await stage.close()


# What it may have


async def test_several_channels_of_several_symbols_in_one_message(stage: ChannelStage) -> None:
    """S1-6, S1-8: the echo comes first, with channels and params as they were sent."""
    stage.live.ticker_feed.put(ticker())
    peer = await stage.client()
    text = (
        '{"action":"subscribe","channels":["market_data","trades"],'
        '"params":{"symbols":["BTC/USDT","ethusdt"], "exchange":"binance","x":1.50}}'
    )
    told = peer.say(text)
    assert told[0]["event"] == "subscribed"
    assert told[0]["channels"] == ["market_data", "trades"]
    assert told[0]["params"] == {"symbols": ["BTC/USDT", "ethusdt"], "exchange": "binance", "x": 1.5}
    assert b'"params":{"symbols":["BTC/USDT","ethusdt"], "exchange":"binance","x":1.50}' in bytes(peer.connection.wire)
    assert [row["channel"] for row in told[1:]] == ["market_data"] * 2
    assert sorted(stage.live.open_leases) == ["ticker BTCUSDT", "ticker ETHUSDT", "trades BTCUSDT", "trades ETHUSDT"]


async def test_an_end_names_what_ends_and_everything_else_goes_on(stage: ChannelStage) -> None:
    """S1-7."""
    peer = await stage.client()
    peer.subscribe("market_data", "trades", symbols=["BTCUSDT", "ETHUSDT"])
    [echo] = peer.unsubscribe("trades", symbols=["BTCUSDT"])
    assert (echo["event"], echo["channels"]) == ("unsubscribed", ["trades"])
    assert echo["params"] == {"exchange": "binance", "symbols": ["BTCUSDT"]}
    stage.live.ticker_feed.put(ticker())
    stage.live.trade_feed.topic.publish(a_trade(1))
    await settle()
    # The fakes have one feed for all symbols, so that each subscription that goes on is told once.
    assert sorted(row["channel"] for row in peer.hear()) == ["market_data", "market_data", "trades"]


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        ("{", 400, "Malformed message: not a JSON object"),
        ({"action": "dance"}, 400, "Unknown action: dance"),
        ({"action": "subscribe", "channels": ["prices"], "params": {}}, 400, "Unknown channel: prices"),
        ({"channels": ["trades"], "params": {"exchange": "binance", "symbols": ["B$C"]}}, 400, "Invalid symbol format"),
        ({"channels": ["trades"], "params": {"exchange": "mtgox", "symbols": BTC}}, 404, "Unknown exchange: mtgox"),
        ({"channels": ["trades"], "params": {"exchange": "binance", "symbols": ["XX"]}}, 404, "Unknown symbol: XX"),
        ({"channels": ["orderbook"], "params": {"exchange": "binance", "symbols": BTC, "depth": 101}}, 400, None),
        ({"channels": ["orderbook"], "params": {"exchange": "binance", "symbols": BTC, "depth": 0}}, 400, None),
    ],
)
async def test_errors_have_one_shape_and_the_documented_codes(
    stage: ChannelStage, message: object, code: int, text: str | None
) -> None:
    """S1-16, S1-20."""
    peer = await stage.client()
    if isinstance(message, dict):
        message = {"action": "subscribe", **message}
    peer.say(message)
    await settle()
    rows = peer.connection.messages()[1:]
    assert [set(row) for row in rows] == [{"event", "message", "code", "timestamp"}]
    assert (rows[0]["event"], rows[0]["code"]) == ("error", code)
    assert text is None or rows[0]["message"] == text
    assert stage.live.open_leases == []


async def test_of_known_and_unknown_symbols_the_known_ones_are_subscribed_to(stage: ChannelStage) -> None:
    """C-10: one error names each unknown one."""
    peer = await stage.client()
    peer.subscribe("trades", symbols=["BTCUSDT", "NOSUCH", "ETHUSDT", "NEITHER"])
    await settle()
    echo, error = peer.connection.messages()[1:]
    assert echo["event"] == "subscribed"
    assert (error["code"], error["message"]) == (404, "Unknown symbol: NOSUCH, NEITHER")
    assert sorted(stage.live.open_leases) == ["trades BTCUSDT", "trades ETHUSDT"]


async def test_too_many_subscriptions_change_nothing() -> None:
    """S1-16, C-10: 429, all or nothing; a key may have a lower limit than the server's, not a higher one."""
    low, high = Who("low", limits=KeyLimits(subscriptions=2)), Who("high", limits=KeyLimits(subscriptions=50))
    stage = ChannelStage(low, high, settings=ChannelSettings(ChannelPolicy(max_subscriptions=3)))
    for who, most in ((low, 2), (high, 3)):
        peer = await stage.client(who.key_id)
        names = ["market_data", "trades", "orderbook", "system_events"]
        [error] = peer.subscribe(*names[: most + 1], symbols=BTC)
        assert (error["event"], error["code"], error["message"]) == ("error", 429, "Too many subscriptions")
        assert stage.live.open_leases == []
        assert peer.subscribe(*names[:most], symbols=BTC)[0]["event"] == "subscribed"
        assert peer.subscribe(*names[:most], symbols=BTC)[0]["event"] == "subscribed", "the same again is no more"
        peer.hang_up()
        stage.pass_time(6)
    await stage.close()


async def test_an_eleventh_message_in_a_second_is_refused_and_sustained_abuse_ends_the_connection(
    stage: ChannelStage,
) -> None:
    """S1-16, C-11."""
    peer = await stage.client()
    answers = [peer.say({"action": "pong"}) for _ in range(12)]
    assert [row["code"] for rows in answers for row in rows] == [429] * 3
    stage.pass_time(1)
    assert peer.say({"action": "pong"}) == []
    for _ in range(200):
        peer.say({"action": "pong"})
    assert peer.connection.closed == (1008, "Too many requests")


async def test_a_key_may_have_so_many_connections() -> None:
    """Per-key limits: 429, then 1008; other keys are not concerned."""
    stage = ChannelStage(Who("alice", limits=KeyLimits(connections=1)), Who("bob"))
    first = await stage.client("alice")
    second = await stage.connect()
    told = second.login("alice")
    assert [(row["event"], row["code"]) for row in told] == [("error", 429), ("close", 1008)]
    assert second.connection.closed is not None
    second.handler.on_close(1008, "")
    await stage.client("bob")
    first.hang_up()
    await stage.client("alice")
    await stage.close()


async def test_a_key_without_reading_rights_and_an_account_without_credentials_are_forbidden() -> None:
    """S1-16: 403."""
    stage = ChannelStage(Who("blind", scopes=frozenset({"admin"})), Who("stranger", account="nobody"))
    blind, stranger = await stage.client("blind"), await stage.client("stranger")
    assert blind.subscribe("market_data", symbols=BTC)[0]["code"] == 403
    assert stranger.subscribe("orders", "market_data", symbols=BTC)[0]["code"] == 403
    assert stranger.subscribe("market_data", symbols=BTC)[0]["event"] == "subscribed"
    stage.accounts["nobody"] = stage.accounts["default"]
    stage.accounts["nobody"].has_positions = False
    assert stranger.subscribe("positions", symbols=BTC)[0]["code"] == 403
    await stage.close()


async def test_where_no_feed_can_be_had_the_client_is_told_and_subscribed_to_nothing(stage: ChannelStage) -> None:
    """S1-16: 429."""
    peer = await stage.client()
    stage.live.is_full = True
    [error] = peer.subscribe("system_events", "market_data", symbols=BTC)
    assert error["code"] == 429
    stage.live.is_full = False
    assert peer.subscribe("market_data", symbols=BTC)[0]["event"] == "subscribed"


# Order of messages


async def test_messages_that_come_during_a_look_up_wait_their_turn(stage: ChannelStage) -> None:
    """The answers come in the order of the questions."""
    peer = await stage.client()
    stage.catalogue.is_loaded = False
    stage.catalogue.may_answer.clear()
    peer.subscribe("trades", symbols=BTC)
    await settle()
    peer.unsubscribe("trades", symbols=BTC)
    peer.say("nonsense")
    assert peer.hear() == []
    stage.catalogue.may_answer.set()
    await settle()
    assert [row["event"] for row in peer.connection.messages()[1:]] == ["subscribed", "unsubscribed", "error"]


async def test_more_messages_than_can_wait_end_the_connection() -> None:
    stage = ChannelStage(settings=ChannelSettings(ChannelPolicy(messages_per_s=1_000)))
    peer = await stage.client()
    stage.catalogue.is_loaded = False
    stage.catalogue.may_answer.clear()
    peer.subscribe("trades", symbols=BTC)
    for _ in range(65):
        peer.say({"action": "pong"})
    assert peer.connection.closed == (1008, "Too many requests")
    stage.catalogue.may_answer.set()
    await settle()
    assert stage.live.open_leases == []
    await stage.close()


async def test_an_exchange_that_does_not_answer_is_an_internal_error_and_the_client_stays(stage: ChannelStage) -> None:
    """S1-16: 500."""
    peer = await stage.client()
    stage.catalogue.is_loaded = False
    stage.catalogue.error = VenueTimeout("Binance API not responding")
    peer.subscribe("trades", symbols=BTC)
    await settle()
    [error] = peer.hear()[-1:]
    assert (error["code"], error["message"]) == (500, "Exchange not reachable")
    stage.catalogue.error = None
    peer.subscribe("trades", symbols=BTC)
    await settle()
    assert peer.connection.messages()[-1]["event"] == "subscribed"


async def test_a_fault_of_ours_ends_the_connection_and_says_so(stage: ChannelStage) -> None:
    """S1-18: 1011; better than an answer that never comes."""
    peer = await stage.client()
    stage.catalogue.is_loaded = False
    stage.catalogue.error = RuntimeError("a bug")
    peer.subscribe("trades", symbols=BTC)
    await settle()
    [told] = peer.hear()
    assert (told["event"], told["message"], told["code"]) == ("close", "Internal server error", 1011)
    assert peer.connection.closed == (1011, "Internal server error")


async def test_a_client_that_leaves_during_a_look_up_leaves_nothing_behind(stage: ChannelStage) -> None:
    peer = await stage.client()
    stage.catalogue.is_loaded = False
    stage.catalogue.may_answer.clear()
    peer.subscribe("trades", symbols=BTC)
    await settle()
    peer.hang_up()
    stage.catalogue.may_answer.set()
    await settle()
    assert stage.live.open_leases == []
    assert stage.hub.jobs.job_count == 0


# Heartbeat


async def test_after_thirty_silent_seconds_the_server_asks_and_closes_without_an_answer_in_ten(
    stage: ChannelStage,
) -> None:
    """S1-17, S1-18."""
    peer = await stage.client()
    stage.pass_time(29.7)
    assert peer.hear() == []
    stage.pass_time(0.6)
    [ping] = peer.hear()
    assert (set(ping), ping["event"]) == ({"event", "timestamp"}, "ping")
    stage.pass_time(9.4)
    assert peer.connection.closed is None
    stage.pass_time(0.6)
    [close] = peer.hear()
    assert (close["event"], close["message"], close["code"]) == ("close", "Session timeout", 1000)
    assert peer.connection.closed == (1000, "Session timeout")


async def test_a_pong_in_time_keeps_the_connection_and_any_other_message_does_not(stage: ChannelStage) -> None:
    """S1-17: the answer to a ping is a pong."""
    polite, rude = await stage.client(), await stage.client()
    for _ in range(5):
        stage.pass_time(30.3)
        assert polite.hear()[-1]["event"] == "ping"
        assert polite.say({"action": "pong", "timestamp": 1}) == []
    assert rude.connection.closed is not None
    other = await stage.client()
    stage.pass_time(30.3)
    other.unsubscribe("trades", symbols=BTC)
    polite.say({"action": "pong"})
    stage.pass_time(10.4)
    assert other.connection.closed == (1000, "Session timeout")
    assert polite.connection.closed is None


async def test_messages_in_either_direction_put_the_ping_off(stage: ChannelStage) -> None:
    """S1-17: of the client's, of the server's, and of a channel's that went to many."""
    peer, quiet = await stage.client(), await stage.client()
    peer.subscribe("market_data", symbols=BTC)
    quiet.subscribe("trades", symbols=BTC)
    for _ in range(4):
        stage.pass_time(20)
        stage.live.ticker_feed.put(ticker())
        await settle()
    assert {row.get("event") for row in peer.hear()} == {None}
    assert [row["event"] for row in quiet.hear()] == ["ping", "close"]
    stage.pass_time(29)
    assert peer.hear() == []
    stage.pass_time(1.3)
    assert peer.hear()[0]["event"] == "ping"


async def test_a_pong_that_waits_behind_a_look_up_counts(stage: ChannelStage) -> None:
    """S1-17: the client has answered in time; that we were busy is not its fault."""
    peer = await stage.client()
    stage.pass_time(30.3)
    assert peer.hear()[0]["event"] == "ping"
    stage.catalogue.is_loaded = False
    stage.catalogue.may_answer.clear()
    peer.subscribe("trades", symbols=BTC)
    peer.say({"action": "pong"})
    stage.pass_time(11)
    assert peer.connection.closed is None
    stage.catalogue.may_answer.set()
    await settle()
    stage.pass_time(1)
    assert peer.connection.closed is None


# Clients that are slow


async def test_a_slow_client_gets_the_newest_of_what_is_a_state_and_every_event_in_order(stage: ChannelStage) -> None:
    """DESIGN 4.5: statistics conflate, trades do not."""
    peer = await stage.client(connection=BoundedConnection())
    peer.subscribe("market_data", "trades", symbols=BTC)
    peer.connection.fall_behind()
    for number in range(3):
        stage.live.ticker_feed.put(ticker(f"{number}.00000000"))
        stage.live.trade_feed.topic.publish(a_trade(number))
        await settle()
    peer.connection.catch_up()
    stage.live.trade_feed.topic.publish(a_trade(3))
    await settle()
    rows = peer.hear()
    assert [row["data"]["price"] for row in rows if row["channel"] == "market_data"] == [2.0]
    assert [row["data"]["id"] for row in rows if row["channel"] == "trades"] == ["0", "1", "2", "3"]


async def test_a_client_too_slow_for_events_is_closed_rather_than_told_with_a_hole(stage: ChannelStage) -> None:
    peer = await stage.client(connection=BoundedConnection())
    peer.subscribe("trades", symbols=BTC)
    peer.connection.fall_behind()
    for number in range(6):
        stage.live.trade_feed.topic.publish(a_trade(number))
        await settle()
    assert peer.connection.closed == (1008, "client reads too slowly")


# What is shared


async def test_a_message_is_encoded_once_for_all_and_a_feed_lingers_a_while(stage: ChannelStage) -> None:
    peers = [await stage.client() for _ in range(5)]
    for peer in peers:
        peer.subscribe("market_data", symbols=BTC)
    assert stage.live.open_leases == ["ticker BTCUSDT"]
    before = stage.hub.broadcaster.stats.published
    stage.live.ticker_feed.put(ticker())
    await settle()
    assert stage.hub.broadcaster.stats.published == before + 1
    assert [len(peer.hear()) for peer in peers] == [1] * 5
    for peer in peers:
        peer.hang_up()
    stage.pass_time(4)
    again = await stage.client()
    again.subscribe("market_data", symbols=BTC)
    stage.pass_time(2)
    assert stage.live.open_leases == ["ticker BTCUSDT"], "somebody came back in time"
    again.unsubscribe("market_data", symbols=BTC)
    stage.pass_time(5.4)
    assert stage.live.open_leases == []


async def test_a_book_is_told_whole_and_only_when_its_best_levels_changed(stage: ChannelStage) -> None:
    """S1-10, S1-19: at most ``depth`` levels a side; the inner time is the event's, the outer one that of sending."""
    feed = stage.live.depth_feed
    feed.apply(DepthDiff("BTCUSDT", 1, 1, ((100, 5), (99, 5)), ((101, 5),), 7))
    feed.ready.set()
    feed.event_ms = 7
    peer, deep = await stage.client(), await stage.client()
    first = peer.subscribe("orderbook", symbols=BTC, depth=1)[1]
    assert list(first) == ["channel", "exchange", "symbol", "data", "timestamp"]
    assert (len(first["data"]["bids"]), len(first["data"]["asks"]), first["data"]["timestamp"]) == (1, 1, 7)
    assert first["timestamp"] == stage.clock.now_ns() // 1_000_000
    deep.subscribe("orderbook", symbols=BTC, depth=100)
    deep.hear()
    feed.apply(DepthDiff("BTCUSDT", 2, 2, ((99, 6),), (), 8))
    await settle()
    assert peer.hear() == []
    assert [len(row["data"]["bids"]) for row in deep.hear()] == [2]
    feed.apply(DepthDiff("BTCUSDT", 3, 3, ((100, 6),), (), 9))
    await settle()
    assert [row["data"]["timestamp"] for row in peer.hear()] == [9]


async def test_another_depth_takes_the_place_of_the_first(stage: ChannelStage) -> None:
    """S1-10: one book per symbol and client."""
    feed = stage.live.depth_feed
    feed.apply(DepthDiff("BTCUSDT", 1, 1, ((100, 5), (99, 5)), ((101, 5),), 7))
    feed.ready.set()
    peer = await stage.client()
    peer.subscribe("orderbook", "trades", symbols=BTC, depth=1)
    told = peer.subscribe("orderbook", "trades", symbols=BTC, depth=2)
    assert [row.get("event") or len(row["data"]["bids"]) for row in told] == ["subscribed", 2]
    feed.apply(DepthDiff("BTCUSDT", 2, 2, ((100, 6),), (), 8))
    await settle()
    assert [len(row["data"]["bids"]) for row in peer.hear()] == [2]
    assert sorted(stage.live.open_leases) == ["depth BTCUSDT", "trades BTCUSDT"]


async def test_a_book_that_is_not_known_to_be_right_is_not_shown_before_it_is(stage: ChannelStage) -> None:
    """S1-10; DESIGN 4.6."""
    feed = stage.live.depth_feed
    feed.book.apply(((100, 5),), ((101, 5),), 1)
    peer, other = await stage.client(), await stage.client()
    assert [row.get("event") for row in peer.subscribe("orderbook", symbols=BTC, depth=5)] == ["subscribed"]
    feed.ready.set()
    stage.pass_time(0.8)
    await settle()
    assert len(peer.hear()) == 1, "it was right all along, and no change tells so"
    feed.ready.clear()
    other.subscribe("orderbook", symbols=BTC, depth=5)
    feed.ready.set()
    feed.apply(DepthDiff("BTCUSDT", 2, 2, ((50, 5),), (), 8))
    await settle()
    assert len(other.hear()) == 1
    stage.pass_time(0.8)
    await settle()
    assert other.hear() == []
    await asyncio.sleep(0)
