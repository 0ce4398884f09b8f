"""The simulated venue tells the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import msgspec
import pytest

from cryptotrader.core.errors import NotConnected, VenueBanned
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.services.binance.signing import HmacSigner, signing_payload_ws
from cryptotrader.testing import FaultyNetwork, FaultyWire, LinkPlan, SimulatedClock, run_simulated
from cryptotrader.testing.ws_api import API_KEY, SECRET, Fault, Receipt, SimulatedVenue

ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "price": "98.00",
    "quantity": "2",
    "strategyId": 7,
}


class Scene:
    def __init__(self, fault: Fault, policy: LimitPolicy | None = None) -> None:
        self.clock = SimulatedClock()
        self.faults = [fault]
        self.venue = SimulatedVenue(self.clock, policy=policy, fault=self._fault)
        self.network = FaultyNetwork(self.venue, lambda number: LinkPlan(), Random(1))

    def _fault(self, receipt: Receipt) -> Fault:
        return self.faults.pop(0) if self.faults else Fault()

    async def open(self) -> FaultyWire:
        return await self.network.connect("ws://venue/ws-api/v3")

    async def ask(self, wire: FaultyWire, method: str, **params: object) -> dict[str, Any]:
        await self.write(wire, method, params)
        async with asyncio.timeout(60):
            reply: dict[str, Any] = msgspec.json.decode(await wire.recv())
        return reply

    async def write(self, wire: FaultyWire, method: str, params: dict[str, object]) -> None:
        await wire.send(msgspec.json.encode({"id": 1, "method": method, "params": params}))

    def signed(self, late_ms: int = 0, **params: object) -> dict[str, object]:
        full: dict[str, object] = {**params, "apiKey": API_KEY, "timestamp": self.clock.now_ms() - late_ms}
        payload = signing_payload_ws({name: str(value) for name, value in full.items()})
        return {**full, "signature": HmacSigner(SECRET).sign(payload)}


def play(
    act: Callable[[Scene], Awaitable[None]], fault: Fault | None = None, policy: LimitPolicy | None = None
) -> None:
    async def main() -> None:
        await act(Scene(fault or Fault(), policy))

    run_simulated(main)


def test_an_order_is_carried_out_once_and_told_with_the_counts() -> None:
    async def act(scene: Scene) -> None:
        wire = await scene.open()
        placed = await scene.ask(wire, "order.place", **scene.signed(**ORDER, newClientOrderId="mine"))
        assert placed["status"] == 200
        assert [row["count"] for row in placed["rateLimits"]] == [1, 1, 3]
        [order] = scene.venue.desk.orders()
        assert (order.strategy_id, order.client_order_id) == (7, "mine")
        assert scene.venue.desk.find("mine") == order
        assert scene.venue.desk.find("yours") is None
        found = await scene.ask(wire, "order.status", **scene.signed(symbol="BTCUSDT", origClientOrderId="mine"))
        assert found["result"]["orderId"] == order.order_id

    play(act)


@pytest.mark.parametrize(("late_ms", "code"), [(5_100, -1021), (-1_100, -1021), (4_000, 0), (-900, 0)])
def test_timestamps_are_checked_against_the_venues_clock(late_ms: int, code: int) -> None:
    async def act(scene: Scene) -> None:
        wire = await scene.open()
        reply = await scene.ask(wire, "order.place", **scene.signed(late_ms, **ORDER))
        assert reply.get("error", {}).get("code", 0) == code
        assert len(scene.venue.executed) == (0 if code else 1)

    play(act)


def test_a_wrong_signature_or_key_is_refused() -> None:
    async def act(scene: Scene) -> None:
        wire = await scene.open()
        reply = await scene.ask(wire, "order.place", **{**scene.signed(**ORDER), "quantity": "3"})
        assert reply["error"]["code"] == -1022
        reply = await scene.ask(wire, "order.place", **{**scene.signed(**ORDER), "apiKey": "else"})
        assert reply["error"]["code"] == -2015

    play(act)


@pytest.mark.parametrize("executes", [False, True])
def test_silence_and_failures_are_with_or_without_effect(executes: bool) -> None:
    async def act(scene: Scene) -> None:
        scene.faults.append(Fault(executes=executes, status=504, code=-1007, text="Timeout"))
        wire = await scene.open()
        with pytest.raises(TimeoutError):
            await scene.ask(wire, "order.place", **scene.signed(**ORDER))
        reply = await scene.ask(wire, "order.place", **scene.signed(**ORDER))
        assert (reply["status"], reply["error"]["code"]) == (504, -1007)
        assert len(scene.venue.desk.orders()) == (2 if executes else 0)

    play(act, Fault(executes=executes, is_answered=False))


def test_limits_are_counted_and_overruns_remembered() -> None:
    async def act(scene: Scene) -> None:
        wire = await scene.open()
        for _ in range(2):
            assert (await scene.ask(wire, "order.place", **scene.signed(**ORDER)))["status"] == 200
        reply = await scene.ask(wire, "order.place", **scene.signed(**ORDER))
        assert (reply["status"], reply["error"]["code"]) == (429, -1015)
        assert reply["error"]["data"]["retryAfter"] > reply["error"]["data"]["serverTime"]
        assert [overrun.method for overrun in scene.venue.overruns] == ["order.place"]
        assert len(scene.venue.pauses) == 1

    play(act, policy=LimitPolicy(orders_10s=2))


def test_a_ban_refuses_everything_and_closes_the_connection() -> None:
    async def act(scene: Scene) -> None:
        wire = await scene.open()
        reply = await scene.ask(wire, "time")
        assert reply["status"] == 418
        with pytest.raises(NotConnected):
            await wire.recv()
        with pytest.raises(VenueBanned) as refused:
            await scene.open()
        assert refused.value.retry_after_s == 30
        await asyncio.sleep(30)
        assert (await scene.ask(await scene.open(), "time"))["status"] == 200

    play(act, Fault(executes=False, status=418, code=-1003, text="banned", retry_after_s=30, bans=True))


def test_a_shutdown_is_announced_and_answers_are_repeated_where_asked() -> None:
    async def act(scene: Scene) -> None:
        wire = await scene.open()
        assert (await scene.ask(wire, "time"))["status"] == 200
        assert msgspec.json.decode(await wire.recv())["status"] == 200
        scene.venue.shut_down(5)
        assert b"serverShutdown" in await wire.recv()
        assert (await scene.ask(wire, "time"))["status"] == 200
        with pytest.raises(NotConnected):
            await wire.recv()

    play(act, Fault(copies=2))


def test_account_events_go_to_those_who_subscribed() -> None:
    async def act(scene: Scene) -> None:
        wire = await scene.open()
        reply = await scene.ask(wire, "userDataStream.subscribe.signature", **scene.signed())
        assert reply["result"] == {"subscriptionId": 0}
        await scene.write(wire, "order.place", scene.signed(**ORDER))
        event = msgspec.json.decode(await wire.recv())
        assert (event["subscriptionId"], event["event"]["x"]) == (0, "NEW")

    play(act)
