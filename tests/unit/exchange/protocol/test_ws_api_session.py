"""What a WebSocket API connection remembers ("Session Authentication", "User Data Stream subscription")."""

from __future__ import annotations

import pytest

from cryptotrader.bus import Topic
from cryptotrader.exchange.accounts import ApiKey, KeyKind, KeyRing
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import BalanceAdjusted, UserEvent
from cryptotrader.exchange.protocol.auth import Caller, RequestAuthenticator
from cryptotrader.exchange.protocol.listen_keys import ListenKeys
from cryptotrader.exchange.protocol.streams.users import UserHub
from cryptotrader.exchange.protocol.ws_api import session as module
from cryptotrader.exchange.protocol.ws_api.session import ApiSession
from tests.support.paper import TestClock


class World:
    def __init__(self) -> None:
        clock = TestClock()
        self.user: Topic[tuple[str, UserEvent]] = Topic("user")
        self.told: list[int] = []
        self.users = UserHub(self.user, ListenKeys(lambda: "key"), clock)
        keys = KeyRing([ApiKey("hmac-key", "a", KeyKind.HMAC, "some-secret")])
        self.session = ApiSession(
            RequestAuthenticator(keys, clock),
            self.users,
            tell=lambda number, event: self.told.append(number),
            connected_ms=5,
        )

    def publish(self, account: str) -> None:
        self.user.publish((account, BalanceAdjusted(account, "BTC", 1, 5)))


def subscribe(world: World, account: str) -> int:
    return world.session.subscribe_caller(Caller("key", account))


def test_subscriptions_are_numbered_and_never_reuse_a_number() -> None:
    world = World()
    assert [subscribe(world, account) for account in "ab"] == [0, 1]
    assert world.session.unsubscribe(0) == [0]
    assert subscribe(world, "a") == 2
    world.publish("a")
    world.publish("b")
    world.publish("c")
    assert world.told == [2, 1]


def test_an_account_is_listened_to_once() -> None:
    world = World()
    subscribe(world, "a")
    with pytest.raises(Refusal, match="-2035 User Data Stream subscription already active"):
        subscribe(world, "a")


def test_unsubscribing_without_a_number_ends_all() -> None:
    world = World()
    subscribe(world, "a"), subscribe(world, "b")
    assert world.session.unsubscribe(None) == [0, 1]
    assert world.users.listener_count == 0
    with pytest.raises(Refusal, match="-2036 User Data Stream subscription not active"):
        world.session.unsubscribe(None)


def test_there_are_bounds_to_subscriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    monkeypatch.setattr(module, "MAX_ACTIVE_SUBSCRIPTIONS", 2)
    monkeypatch.setattr(module, "MAX_SUBSCRIPTION_IDS", 3)
    subscribe(world, "a"), subscribe(world, "b")
    with pytest.raises(Refusal, match="-1191"):
        subscribe(world, "c")
    world.session.unsubscribe(0)
    assert subscribe(world, "c") == 2
    world.session.unsubscribe(2)
    with pytest.raises(Refusal, match="-2042 Maximum subscription ID reached"):
        subscribe(world, "d")


def test_a_closed_session_listens_to_nobody() -> None:
    world = World()
    subscribe(world, "a")
    world.session.close()
    world.publish("a")
    assert (world.told, world.users.listener_count) == ([], 0)


def test_a_session_that_nobody_logged_on_to_says_so() -> None:
    assert World().session.status(9, return_rate_limits=True) == {
        "apiKey": None,
        "authorizedSince": None,
        "connectedSince": 5,
        "returnRateLimits": True,
        "serverTime": 9,
        "userDataStream": False,
    }
