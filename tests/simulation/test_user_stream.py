"""The user stream against a scripted venue and a clock that the test turns (S0-45, C-23)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal

import pytest

from cryptotrader.bus import Topic
from cryptotrader.core.errors import VenueRejected
from cryptotrader.core.events import LinkChange
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.services.binance.signing import Credentials, signing_payload_ws, verify
from cryptotrader.services.binance.streams import SessionMaker, StreamPolicy, UserDeps, UserStream
from cryptotrader.testing import FakeClock, FakeRest, FakeWire
from tests.support.user_venue import API_KEY, SECRET, UserVenue

CREDENTIALS = Credentials.of(API_KEY, SECRET)


class World:
    def __init__(
        self,
        mode: Literal["auto", "signature", "listenkey"] = "auto",
        *,
        tick_s: float = 1.0,
        credentials: Credentials | None = CREDENTIALS,
    ) -> None:
        self.clock = FakeClock()
        self.venue = UserVenue(self.clock)
        self.rest = FakeRest()
        self.venue.serve_listen_keys(self.rest)
        self.states: list[str] = []
        links: Topic[LinkChange] = Topic("links")
        links.subscribe(lambda change: self.states.append(change.state.value))
        maker = SessionMaker(
            ws_api_url="ws://venue/ws-api/v3",
            stream_url="ws://venue",
            connect=self.venue.connect,
            rest=self.rest,
            credentials=credentials,
            now_ms=lambda: self.clock.now_ns() // 1_000_000,
        )
        deps = UserDeps("paper", maker, self.clock, lambda: 0.5, StreamPolicy(tick_s=tick_s), ConnectionBudget(), links)
        self.stream = UserStream(deps, mode=mode)
        self.events: list[bytes] = []
        self.stream.events.subscribe(self.events.append)

    @property
    def open(self) -> list[FakeWire]:
        return self.venue.open_wires


@pytest.fixture
async def world() -> AsyncIterator[World]:
    built = World()
    await built.stream.start()
    await built.clock.advance(1)
    yield built
    await built.stream.close()
    assert built.open == []
    assert built.stream.job_count == 0


async def test_it_subscribes_by_signature_and_unwraps_events(world: World) -> None:
    [wire] = world.open
    params = wire.sent[0]["params"]
    assert isinstance(params, dict)
    text = {name: str(value) for name, value in params.items()}
    assert verify("hmac", SECRET, signing_payload_ws(text), signature=text["signature"])
    world.venue.emit({"e": "executionReport", "i": 1})
    await world.clock.advance(0)
    assert world.events == [b'{"e":"executionReport","i":1}']
    assert world.states == ["connected"]


async def test_an_event_in_the_same_packet_as_the_answer_is_not_lost() -> None:
    world = World()
    world.venue.greeting = {"e": "balanceUpdate", "a": "BTC"}
    await world.stream.start()
    await world.clock.advance(1)
    assert world.events == [b'{"e":"balanceUpdate","a":"BTC"}']
    await world.stream.close()


@pytest.mark.parametrize("how", ["handshake", "unknown method"])
async def test_where_signatures_are_refused_listen_keys_are_used_renewed_and_deleted(how: str) -> None:
    world = World()
    world.venue.refuse_signature(how)
    await world.stream.start()
    await world.clock.advance(2)
    assert world.stream.way == "listenkey"
    assert [wire.url for wire in world.open] == ["ws://venue/ws/key-1"]
    world.venue.emit({"e": "outboundAccountPosition"})
    await world.clock.advance(31 * 60)
    assert world.events == [b'{"e":"outboundAccountPosition"}']
    assert world.rest.count("PUT /api/v3/userDataStream") == 1
    await world.stream.close()
    assert world.rest.count("DELETE /api/v3/userDataStream") == 1
    assert world.open == []


async def test_a_listen_key_that_cannot_be_renewed_is_replaced() -> None:
    world = World("listenkey")
    await world.stream.start()
    await world.clock.advance(1)

    def gone(params: object) -> object:
        raise VenueRejected("This listenKey does not exist.", venue_code=-1125)

    world.rest.on("PUT /api/v3/userDataStream", gone)
    await world.clock.advance(30 * 60 + 10)
    assert [wire.url for wire in world.open] == ["ws://venue/ws/key-2"]
    assert world.states == ["connected"]
    await world.stream.close()


async def test_a_subscription_is_verified_every_30_minutes_and_replaced_if_it_is_gone(world: World) -> None:
    [wire] = world.open
    await world.clock.advance(31 * 60)
    assert [frame["method"] for frame in wire.sent].count("session.subscriptions") == 1
    assert world.open == [wire]
    world.venue.lists_nothing = True
    await world.clock.advance(30 * 60 + 10)
    assert wire not in world.open
    assert len(world.open) == 1
    assert world.states == ["connected"]


@pytest.mark.parametrize("kind", ["serverShutdown", "eventStreamTerminated", "listenKeyExpired"])
async def test_notices_make_it_connect_anew_without_a_break_and_are_not_handed_on(world: World, kind: str) -> None:
    [old] = world.open
    world.venue.emit({"e": kind, "E": 1})
    await world.clock.advance(1)
    assert len(world.open) == 2
    world.venue.emit({"e": "balanceUpdate", "E": 2})
    await world.clock.advance(5)
    assert old not in world.open
    assert world.events == [b'{"e":"balanceUpdate","E":2}'] * 2
    assert world.states == ["connected"]


async def test_it_is_replaced_before_24_hours() -> None:
    world = World(tick_s=20)
    await world.stream.start()
    await world.clock.advance(1)
    [old] = world.open
    await world.clock.advance(23 * 3_600)
    assert old not in world.open
    assert len(world.open) == 1
    assert world.states == ["connected"]
    await world.stream.close()


async def test_a_break_is_told_and_healed_and_the_venue_is_not_hammered(world: World) -> None:
    world.venue.refuse()
    await world.clock.advance(600)
    assert world.venue.attempts < 60
    world.venue.accept()
    await world.clock.advance(31)
    assert world.states == ["connected", "disconnected", "connected"]


async def test_refused_credentials_are_tried_once_a_minute() -> None:
    world = World()
    world.venue.auth_error = True
    await world.stream.start()
    await world.clock.advance(301)
    assert world.venue.attempts == 6
    await world.stream.close()


async def test_stopping_gives_the_subscription_back_and_it_can_be_started_again(world: World) -> None:
    [wire] = world.open
    await world.stream.close()
    assert wire.sent[-1]["method"] == "userDataStream.unsubscribe"
    await world.stream.start()
    await world.clock.advance(1)
    assert world.stream.is_connected


async def test_a_refused_timestamp_makes_it_ask_for_the_time_and_try_again() -> None:
    world = World()
    world.venue.clock_errors = 1
    await world.stream.start()
    await world.clock.advance(2)
    assert world.rest.count("GET /api/v3/time") == 1
    assert world.stream.is_connected
    assert world.stream.way == "signature"
    await world.stream.close()


async def test_a_venue_that_is_down_at_the_start_is_used_once_it_is_there() -> None:
    world = World()
    world.venue.refuse()
    await world.stream.start()
    await world.clock.advance(300)
    world.venue.accept()
    await world.clock.advance(31)
    assert world.states == ["connected"]
    await world.stream.close()


async def test_without_credentials_nothing_is_sent() -> None:
    world = World(credentials=None)
    await world.stream.start()
    await world.clock.advance(300)
    assert world.venue.attempts == 0
    assert not world.stream.is_connected
    await world.stream.close()
