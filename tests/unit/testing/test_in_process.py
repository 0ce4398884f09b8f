"""A paper exchange without sockets, on virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.testing import (
    ClosedByExchange,
    ExchangeOptions,
    InProcessExchange,
    InProcessSocket,
    PaperClock,
    run_exchange,
    simulate,
)

MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


async def last_of(socket: InProcessSocket) -> None:
    """Receive until nothing comes any more."""
    while True:
        await socket.receive()


def test_streams_and_the_rest_api_tell_the_same() -> None:
    async def scenario(exchange: InProcessExchange) -> None:
        async with await exchange.connect("/stream?streams=btcusdt@depth@100ms/btcusdt@trade") as socket:
            messages = [await socket.receive() for _ in range(60)]
            diffs = [each["data"] for each in messages if each["data"]["e"] == "depthUpdate"]
            assert all(left["u"] + 1 == right["U"] for left, right in pairwise(diffs))
            told = (await exchange.get("/api/v3/depth", symbol="BTCUSDT", limit=5)).data
            assert told["lastUpdateId"] >= diffs[-1]["u"]
        assert socket.closed == (1000, "")

    simulate(scenario)


def test_minutes_pass_in_a_moment_and_is_the_same_every_time() -> None:
    """Two runs of five simulated minutes with orders in it."""

    async def scenario(exchange: InProcessExchange) -> list[Any]:
        seen: list[Any] = []
        async with await exchange.connect("/ws-api/v3") as socket:
            await exchange.call(socket, "userDataStream.subscribe.signature")
            for _ in range(3):
                answer = await exchange.call(socket, "order.place", MARKET)
                seen.append(answer["result"]["fills"])
                await exchange.advance(100)
        seen.append((await exchange.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", limit=15)).data)
        seen.append((await exchange.get("/api/v3/account", omitZeroBalances="true")).data)
        return seen

    assert simulate(scenario) == simulate(scenario)


def test_events_of_an_account_arrive() -> None:
    async def scenario(exchange: InProcessExchange) -> None:
        who = exchange.open_account("alice", balances={"USDT": "5000"})
        async with await exchange.connect("/ws-api/v3") as socket:
            await exchange.call(socket, "userDataStream.subscribe.signature", access=who)
            reply = await exchange.request("POST", "/api/v3/order", MARKET, access=who)
            assert reply.status == 200
            # Filled at once, so it does not count as unfilled.
            assert reply.headers["x-mbx-order-count-10s"] == "0"
            kinds = [(await socket.receive())["event"]["e"] for _ in range(3)]
            assert set(kinds) == {"executionReport", "outboundAccountPosition"}
        refused = await exchange.delete("/api/v3/order", access=who, symbol="BTCUSDT", orderId=1_000_000)
        assert (refused.status, refused.data["code"]) == (400, -2011)

    simulate(scenario)


def test_latency_takes_virtual_time() -> None:
    async def scenario(exchange: InProcessExchange) -> int:
        before = exchange.now_ms()
        await exchange.request("POST", "/api/v3/order", MARKET)
        return exchange.now_ms() - before

    assert simulate(scenario, ExchangeOptions(latency="250")) in range(500, 505)
    assert simulate(scenario, ExchangeOptions()) == 0


def test_user_data_travels_as_long_as_an_answer() -> None:
    """Else a client a quarter of a second away would learn of its fills as if it stood beside the exchange."""

    async def scenario(exchange: InProcessExchange) -> list[int]:
        async with await exchange.connect("/ws-api/v3") as socket:
            await exchange.call(socket, "userDataStream.subscribe.signature")
            await exchange.request("POST", "/api/v3/order", MARKET)
            seen = []
            for _ in range(3):
                event = (await socket.receive())["event"]
                seen.append(exchange.now_ms() - event["E"])
        return seen

    assert all(late in range(250, 255) for late in simulate(scenario, ExchangeOptions(latency="250")))
    assert simulate(scenario, ExchangeOptions()) == [0, 0, 0]


def test_a_connection_that_breaks_is_told_to_both_ends() -> None:
    async def scenario(exchange: InProcessExchange) -> None:
        async with await exchange.connect("/ws/btcusdt@trade") as socket:
            await exchange.admin("POST", "/faults", {"kind": "cut"})
            with pytest.raises(ClosedByExchange):
                await last_of(socket)
            assert socket.closed == (1006, "")
        with pytest.raises(ClosedByExchange, match="404"):
            await exchange.connect("/nowhere")

    simulate(scenario)


async def test_it_runs_on_the_loop_of_a_test_as_well() -> None:
    async with InProcessExchange() as exchange:
        async with await exchange.connect("/ws") as socket:
            socket.send({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1})
            assert await socket.receive() == {"result": None, "id": 1}
        assert (await exchange.get("/api/v3/time")).data["serverTime"] <= exchange.now_ms()


def test_a_clock_that_is_turned_moves_the_market_with_it() -> None:
    clock = PaperClock()
    with run_exchange(clock=clock) as exchange:
        before = exchange.admin("GET", "/market")
        assert before["sources"][0]["kind"] == "synthetic"
        started_ms = clock.now_ms()
        clock.advance(120)
        assert clock.now_ms() == started_ms + 120_000
        with pytest.raises(ValueError, match="No such account"):
            exchange.deposit("USDT", "1", account="nobody")
    clock.advance(1)


def test_two_exchanges_side_by_side_know_nothing_of_each_other() -> None:
    with run_exchange() as first, run_exchange() as second:
        assert first.url != second.url
        access = first.open_account("alice", balances={"USDT": "1"}, kind="ed25519")
        assert access.credentials.api_key == access.api_key
        assert access.secret not in repr(access)
        assert [each["account"] for each in second.admin("GET", "/accounts")] == ["default"]
        first.reset({"USDT": "7"}, account="alice")
        first.clear_faults()
        assert first.market("pause")["sources"][0]["paused"]


def test_a_market_that_cannot_be_opened_is_an_error_of_the_start() -> None:
    with pytest.raises(ConfigError, match="weather"), run_exchange(ExchangeOptions(market="weather")):
        pass


def test_nothing_is_left_running() -> None:
    async def scenario(exchange: InProcessExchange) -> int:
        return len(asyncio.all_tasks())

    assert simulate(scenario) == simulate(scenario)
