"""Listen keys of our own, the OpenAPI document, its page, metrics."""

from __future__ import annotations

import re

import jsonschema_rs
import pytest

from cryptotrader.gateway import ListenKeys
from cryptotrader.gateway.listen_keys import MAX_LISTEN_KEYS
from cryptotrader.sessions.keys import Principal, Scope
from tests.support.gateway import Bench, FakeClock, counting_entropy

STREAM = "/api/v1/userDataStream"


def holder(key_id: str) -> Principal:
    """Some client, of the same account as all others."""
    return Principal(key_id, key_id, frozenset({Scope.READ}))


def holder_id(keys: ListenKeys, key: str) -> str | None:
    found = keys.holder_of(key)
    return None if found is None else found.key_id


async def test_a_listen_key_is_issued_kept_and_ended_as_at_binance() -> None:
    """S0-45, C-20, C-23."""
    bench = Bench()
    keys = bench.services.listen_keys
    async with bench.client() as client:
        key = (await client.post(STREAM)).json()["listenKey"]
        assert re.fullmatch(r"[A-Za-z0-9]{64}", key)
        assert (await client.post(STREAM)).json()["listenKey"] == key
        assert holder_id(keys, key) == "env-1"
        bench.clock.advance(3_000)
        assert (await client.put(STREAM, params={"listenKey": key})).json() == {}
        bench.clock.advance(3_000)
        assert holder_id(keys, key) == "env-1"
        assert (await client.delete(STREAM, params={"listenKey": key})).json() == {}
        assert keys.holder_of(key) is None
        gone = await client.put(STREAM, params={"listenKey": key})
    assert (gone.status_code, gone.json()) == (400, {"error": "This listenKey does not exist", "status": 400})
    assert bench.venue.calls == []


def test_a_listen_key_is_over_after_an_hour_and_belongs_to_one_token() -> None:
    """C-23."""
    clock = FakeClock()
    keys = ListenKeys(clock, counting_entropy())
    closed: list[str] = []
    keys.on_closed.subscribe(closed.append)
    me, you = holder("me"), holder("you")
    mine, yours = keys.issue(me), keys.issue(you)
    assert mine != yours
    assert not keys.extend(mine, you)
    assert not keys.close(yours, me)
    clock.advance(3_600)
    assert keys.holder_of(mine) is None
    assert keys.issue(you) != yours
    assert closed == ["me", "you"]


def test_listen_keys_are_bounded_in_number() -> None:
    """C-23."""
    keys = ListenKeys(FakeClock(), counting_entropy())
    for number in range(MAX_LISTEN_KEYS + 10):
        keys.issue(holder(f"token {number}"))
    assert len(keys) == MAX_LISTEN_KEYS


async def test_the_document_is_openapi_3_1_and_its_schemas_are_valid() -> None:
    """S0-6, C-26."""
    async with Bench().client(token=None) as client:
        document = (await client.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    for name, schema in document["components"]["schemas"].items():
        schema = {**schema, "components": document["components"]}
        assert jsonschema_rs.Draft202012Validator(schema), name
    for path, verbs in document["paths"].items():
        for operation in verbs.values():
            assert ("security" in operation) == path.startswith("/api/")
            assert {"200", "400"} <= set(operation["responses"])
    assert document["components"]["schemas"]["Symbol"]["enum"] == ["BTCUSDT", "ETHUSDT", "ETHBTC"]
    limit = next(part for part in document["paths"]["/api/v1/depth"]["get"]["parameters"] if part["name"] == "limit")
    assert limit["schema"]["enum"] == [5, 10, 20, 50, 100, 500, 1000, 5000]


async def test_every_documented_path_of_source_0_is_in_the_document() -> None:
    """S0-6."""
    async with Bench().client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    names = "ticker/price ticker/24hr klines depth trades order openOrders allOrders account myTrades userDataStream"
    assert {f"/api/v1/{name}" for name in names.split()} | {"/health"} <= set(paths)
    assert {"get", "post", "delete"} <= set(paths["/api/v1/order"])


async def test_the_page_needs_nothing_from_elsewhere() -> None:
    """C-26."""
    async with Bench().client(token=None) as client:
        reply = await client.get("/docs")
    assert reply.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert re.findall(r"https?://|src=|@import|url\(", reply.text) == []


async def test_metrics_count_by_route_and_never_by_what_a_client_writes() -> None:
    """S0-63's neighbour: labels are bounded."""
    bench = Bench()
    async with bench.client() as client:
        await client.get("/made/up/by-a-client")
        await client.request("BREW", "/health")
        text = (await client.get("/metrics")).text
    assert 'route="unmatched"' in text
    assert "by-a-client" not in text
    assert "BREW" not in text


@pytest.mark.parametrize(("path", "body"), [("ping", {}), ("time", {"serverTime": 1_700_000_000_000})])
async def test_small_answers_of_binances_own_interface_are_there_too(path: str, body: dict[str, int]) -> None:
    """S0-4's neighbour."""
    async with Bench().client() as client:
        assert (await client.get(f"/api/v1/{path}")).json() == body
