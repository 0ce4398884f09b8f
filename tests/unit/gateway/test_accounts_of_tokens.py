"""Every token deals with its own account, within limits of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryptotrader.core.errors import VenueAuthError, VenueRejected
from cryptotrader.gateway import AccountServices
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.keys import KeyFile, KeyLimits, KeyTerms
from cryptotrader.trading.orders import OrderDesk
from tests.support.gateway import LIMIT_ORDER, PLACED, TOKEN, Bench, FakeVenue, counting_entropy

ACCOUNT = "/api/v1/account"
STREAM = "/api/v1/userDataStream"
MINE = (
    ("GET", ACCOUNT, "account.status"),
    ("GET", "/api/v1/order?symbol=BTCUSDT&orderId=1", "order.status"),
    ("GET", "/api/v1/openOrders", "openOrders.status"),
    ("GET", "/api/v1/allOrders?symbol=BTCUSDT", "allOrders"),
    ("GET", "/api/v1/myTrades?symbol=BTCUSDT", "myTrades"),
    ("DELETE", "/api/v1/order?symbol=BTCUSDT&orderId=1", "order.cancel"),
    ("DELETE", "/api/v1/openOrders?symbol=BTCUSDT", "openOrders.cancelAll"),
    ("POST", "/api/v1/order", "order.place"),
    ("POST", "/api/v1/order/test", "order.test"),
)


class Accounts(Bench):
    """A gateway with two accounts, and tokens for three of which one has no credentials."""

    def __init__(self, folder: Path, limits: KeyLimits | None = None) -> None:
        super().__init__(rate_limit=20)
        self.keys = KeyFile(folder / "keys.json")
        self.venues = {name: FakeVenue() for name in ("alice", "bob")}
        desks = {name: OrderDesk(venue, self.clock, entropy=counting_entropy()) for name, venue in self.venues.items()}

        def account(name: str) -> AccountServices:
            if name not in self.venues:
                raise VenueAuthError("Invalid API key")
            return AccountServices(self.venues[name], desks[name])

        self.options = {"authenticator": Authenticator([TOKEN], self.keys), "accounts": account}
        self.__post_init__()
        for venue in self.venues.values():
            for _, _, name in MINE:
                venue.says(name, PLACED)
        self.tokens = {
            name: self.keys.create(
                name, ["read", "trade"], now_ms=1, terms=KeyTerms(account=name, limits=limits or KeyLimits())
            ).secret
            for name in ("alice", "bob", "carol")
        }


@pytest.mark.parametrize(("method", "path", "name"), MINE)
async def test_what_belongs_to_an_account_is_asked_in_its_name(
    tmp_path: Path, method: str, path: str, name: str
) -> None:
    """C-3, S0-24 to S0-31."""
    bench = Accounts(tmp_path)
    body = LIMIT_ORDER if method == "POST" else None
    async with bench.client(token=bench.tokens["bob"]) as client:
        reply = await client.request(method, path, json=body)
    assert reply.status_code == 200, reply.text
    assert [called for called, _ in bench.venues["bob"].calls] == [name]
    assert bench.venues["alice"].calls == bench.venue.calls == []


@pytest.mark.parametrize(("method", "path"), [*((method, path) for method, path, _ in MINE), ("POST", STREAM)])
async def test_c_25_without_credentials_of_the_account_everything_of_it_is_403(
    tmp_path: Path, method: str, path: str
) -> None:
    bench = Accounts(tmp_path)
    body = LIMIT_ORDER if method == "POST" and path != STREAM else None
    async with bench.client(token=bench.tokens["carol"]) as client:
        reply = await client.request(method, path, json=body)
        assert (reply.status_code, reply.json()) == (403, {"error": "Invalid API key", "status": 403})
        bench.venue.says("ticker.price", b'{"symbol":"BTCUSDT","price":"1.0"}')
        assert (await client.get("/api/v1/ticker/price?symbol=BTCUSDT")).status_code == 200


async def test_one_idempotency_key_places_one_order_in_each_account(tmp_path: Path) -> None:
    """DESIGN 4.7."""
    bench = Accounts(tmp_path)
    for venue in bench.venues.values():
        venue.says("order.status", VenueRejected("Order does not exist.", venue_code=-2013))
    headers = {"Idempotency-Key": "same"}
    replies = {}
    for name in ("alice", "bob"):
        for turn in range(2):
            async with bench.client(token=bench.tokens[name]) as client:
                replies[name, turn] = await client.post("/api/v1/order", json=LIMIT_ORDER, headers=headers)
    assert {reply.status_code for reply in replies.values()} == {200}
    assert ["idempotent-replayed" in reply.headers for reply in replies.values()] == [False, True, False, True]
    ids = {name: venue.calls_of("order.place")[0]["newClientOrderId"] for name, venue in bench.venues.items()}
    assert len(set(ids.values())) == 2
    assert [len(venue.calls_of("order.place")) for venue in bench.venues.values()] == [1, 1]


async def test_a_listen_key_is_of_no_use_to_another_token(tmp_path: Path) -> None:
    """C-23."""
    bench = Accounts(tmp_path)
    async with bench.client(token=bench.tokens["alice"]) as alice, bench.client(token=bench.tokens["bob"]) as bob:
        key = (await alice.post(STREAM)).json()["listenKey"]
        assert (await bob.post(STREAM)).json()["listenKey"] != key
        for method in ("PUT", "DELETE"):
            reply = await bob.request(method, STREAM, params={"listenKey": key})
            assert (reply.status_code, reply.json()["error"]) == (400, "This listenKey does not exist")
        holder = bench.services.listen_keys.holder_of(key)
        assert holder is not None
        assert holder.account == "alice"


async def test_a_key_has_a_rate_limit_of_its_own_or_the_servers(tmp_path: Path) -> None:
    """S0-52, C-11."""
    bench = Accounts(tmp_path, KeyLimits(requests_per_minute=2))
    async with bench.client(token=bench.tokens["alice"]) as alice, bench.client() as other:
        assert [(await alice.get("/api/v1/ping")).status_code for _ in range(3)] == [200, 200, 429]
        assert [(await other.get("/api/v1/ping")).status_code for _ in range(21)] == [200] * 20 + [429]
        bench.clock.advance(60)
        assert (await alice.get("/api/v1/ping")).status_code == 200


async def test_a_key_with_a_list_of_networks_is_refused_from_elsewhere(tmp_path: Path) -> None:
    """S0-51."""
    bench = Accounts(tmp_path)
    terms = KeyTerms(account="alice", addresses=("10.0.0.0/8",))
    token = bench.keys.create("home", ["read"], now_ms=1, terms=terms).secret
    async with bench.client(token=token, host="10.1.2.3") as near, bench.client(token=token, host="11.1.2.3") as far:
        assert (await near.get(ACCOUNT)).status_code == 200
        reply = await far.get(ACCOUNT)
    assert (reply.status_code, reply.json()) == (401, {"error": "Invalid or expired token", "status": 401})
