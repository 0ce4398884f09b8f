"""``/ws/user`` and listen keys tell every client of its own account, within its key's limits, until the key is gone."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

from cryptotrader.core.errors import UnknownSymbol
from cryptotrader.gateway.listen_keys import ListenKeys
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.exchanges import AccountFeeds
from cryptotrader.sessions.keys import KeyFile, KeyLimits, KeyTerms
from cryptotrader.sessions.streams import StreamLimits, StreamSessions
from cryptotrader.sessions.ws import ConnectionSlots, SlotLimits
from cryptotrader.transport.types import Accept, Refuse, UpgradeRequest
from tests.support.keys import TurnedClock
from tests.support.streams import FakeCatalogue, FakeConnection, FakeLive, FakeUserEvent, FakeUserFeed


class Stage:
    """Streams over two accounts with events, and keys in a file."""

    def __init__(self, folder: Path) -> None:
        numbers = itertools.count(1)
        self.clock = TurnedClock()
        self.keys = KeyFile(folder / "keys.json")
        self.feeds = {name: FakeUserFeed() for name in ("alice", "bob")}
        self.authenticator = Authenticator([], self.keys, clock=self.clock)
        self.listen_keys = ListenKeys(self.clock, lambda size: bytes([next(numbers)] * size))
        self.slots = ConnectionSlots(SlotLimits(max_connections=10))
        self.sessions = StreamSessions(
            FakeLive(),
            lambda name: AccountFeeds(name, self.feeds[name]) if name in self.feeds else None,
            self.authenticator,
            catalogue=FakeCatalogue(),
            limits=StreamLimits(linger_s=0.01),
            clock=self.clock,
            slots=self.slots,
        )
        self.sessions.serve_listen_keys(self.listen_keys)
        self.authenticator.on_revoked.subscribe(self.listen_keys.close_of)

    def key(self, account: str, terms: KeyTerms | None = None, *, scopes: tuple[str, ...] = ("read",)) -> str:
        return self.keys.create(account, scopes, now_ms=1, terms=terms or KeyTerms(account=account)).secret

    def listen_key(self, token: str) -> str:
        return self.listen_keys.issue(self.authenticator.authenticate(f"Bearer {token}", client="10.0.0.1"))

    async def ask(self, path: str, token: str | None = None, *, client: str = "10.0.0.1") -> Accept | Refuse:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return await self.sessions.route(UpgradeRequest(path, "", headers, client))

    async def open(self, path: str, token: str | None = None) -> tuple[Accept, FakeConnection]:
        accept = await self.ask(path, token)
        assert isinstance(accept, Accept), accept
        connection = FakeConnection()
        accept.handler.on_open(connection)
        return accept, connection


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_client_is_told_of_another_account(tmp_path: Path) -> None:
    """S0-45, C-3, C-23: by token and by listen key."""
    stage = Stage(tmp_path)
    tokens = {name: stage.key(name) for name in stage.feeds}
    clients = {}
    for name, token in tokens.items():
        clients[name, "token"] = (await stage.open("/ws/user", token))[1]
        clients[name, "listen key"] = (await stage.open(f"/ws/{stage.listen_key(token)}"))[1]
    for name, feed in stage.feeds.items():
        assert feed.open_leases == ["user"]
        for number in range(3):
            feed.topic.publish(FakeUserEvent(b'{"of":"%b","number":%d}' % (name.encode(), number)))
    await settle()
    for (name, _), connection in clients.items():
        assert connection.messages() == [{"of": name, "number": number} for number in range(3)]
    await stage.sessions.close()


async def test_c_25_an_account_without_credentials_has_no_events(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    refused = await stage.ask("/ws/user", stage.key("carol"))
    assert isinstance(refused, Refuse)
    assert (refused.status, refused.body) == (403, b'{"error":"Invalid API key","status":403}')
    assert stage.slots.taken == 0


async def test_two_keys_of_an_account_share_its_events_and_nothing_else(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    first, second = stage.key("alice"), stage.key("alice")
    assert stage.listen_key(first) != stage.listen_key(second)
    _, one = await stage.open("/ws/user", first)
    _, two = await stage.open("/ws/user", second)
    assert stage.feeds["alice"].open_leases == ["user"]
    stage.feeds["alice"].topic.publish(FakeUserEvent(b"{}"))
    await settle()
    assert one.messages() == two.messages() == [{}]
    stage.keys.revoke(stage.authenticator.authenticate(f"Bearer {first}").key_id, now_ms=2)
    stage.authenticator.refresh()
    assert one.closed == (1008, "token revoked")
    assert two.closed is None
    await stage.sessions.close()


async def test_a_revoked_or_expired_key_takes_its_streams_and_its_listen_key_along(tmp_path: Path) -> None:
    """C-3: 1008, whichever way the client came."""
    stage = Stage(tmp_path)
    stays = stage.key("bob")
    revoked = stage.key("alice")
    expired = stage.key("alice", KeyTerms(account="alice", expires_ms=stage.clock.now_ms + 1_000))
    gone, listen_keys = [], []
    for token in (revoked, expired):
        listen_keys.append(stage.listen_key(token))
        for path, proof in (("/ws/user", token), ("/ws/depth/btcusdt", token), (f"/ws/{listen_keys[-1]}", None)):
            gone.append((await stage.open(path, proof))[1])
    _, other = await stage.open("/ws/user", stays)
    stage.keys.revoke(stage.authenticator.authenticate(f"Bearer {revoked}").key_id, now_ms=2)
    stage.clock.now_ms += 1_000
    stage.authenticator.refresh()
    assert [connection.closed for connection in gone] == [(1008, "token revoked")] * 6
    assert other.closed is None
    for key in listen_keys:
        assert stage.listen_keys.holder_of(key) is None
        assert isinstance(await stage.ask(f"/ws/{key}"), Refuse)
    await stage.sessions.close()


async def test_a_key_has_as_many_connections_as_it_may_listen_keys_included(tmp_path: Path) -> None:
    """C-10."""
    stage = Stage(tmp_path)
    token = stage.key("alice", KeyTerms(account="alice", limits=KeyLimits(connections=2)))
    listen_key = stage.listen_key(token)
    first, connection = await stage.open("/ws/user", token)
    await stage.open(f"/ws/{listen_key}")
    for path, proof in (("/ws/ticker/btcusdt", token), (f"/ws/{listen_key}", None)):
        refused = await stage.ask(path, proof)
        assert isinstance(refused, Refuse)
        assert refused.status == 429
        assert ("Retry-After", "60") in refused.headers
    assert stage.slots.taken == 2
    await stage.open("/ws/user", stage.key("bob"))
    connection.close(1000)
    first.handler.on_close(1000, "")
    await stage.open("/ws/ticker/btcusdt", token)
    assert stage.slots.taken == 3
    await stage.sessions.close()


async def test_a_listen_key_is_good_from_its_keys_networks_only(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    token = stage.key("alice", KeyTerms(account="alice", addresses=("10.0.0.0/8",)))
    key = stage.listen_key(token)
    assert isinstance(await stage.ask(f"/ws/{key}"), Accept)
    for path, proof in ((f"/ws/{key}", None), ("/ws/user", token)):
        refused = await stage.ask(path, proof, client="11.0.0.1")
        assert isinstance(refused, Refuse)
        assert refused.status == 401


async def test_a_key_that_is_revoked_while_its_symbol_is_looked_up_gets_no_stream(tmp_path: Path) -> None:
    """C-3: nobody would close a stream that was not open yet."""
    stage = Stage(tmp_path)
    token = stage.key("alice")

    class Slow(FakeCatalogue):
        async def require(self, symbol_text: str) -> str:
            stage.keys.revoke("alice", now_ms=2)
            stage.authenticator.refresh()
            if symbol_text == "none":
                raise UnknownSymbol("Invalid symbol")
            return await super().require(symbol_text)

    stage.sessions._catalogue = Slow()
    refused = await stage.ask("/ws/depth/btcusdt", token)
    assert isinstance(refused, Refuse)
    assert refused.status == 401
    assert stage.slots.taken == 0
