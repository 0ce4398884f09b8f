"""The network that breaks on purpose keeps its word about what arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from cryptotrader.core.errors import NotConnected, VenueError, VenueUnreachable
from cryptotrader.testing import FaultyNetwork, FaultyWire, LinkPlan, run_simulated
from cryptotrader.testing.network import DirectFaultyWire, frame_bytes

UP = frame_bytes(10, masked=True)
DOWN = frame_bytes(10, masked=False)
MESSAGE = b"0123456789"


class Echo:
    """Answers every message with itself."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.gone = 0

    def admit(self) -> VenueError | None:
        return None

    def opened(self, wire: FaultyWire) -> None:
        pass

    def received(self, wire: FaultyWire, data: bytes, sent_ns: int) -> None:
        self.got.append(data)
        wire.push(data)

    def closed(self, wire: FaultyWire) -> None:
        self.gone += 1


def play(plan: LinkPlan, act: Callable[[FaultyNetwork, FaultyWire], Awaitable[None]]) -> Echo:
    async def main() -> Echo:
        echo = Echo()
        network = FaultyNetwork(echo, lambda number: plan, Random(1))
        await act(network, await network.connect("ws://venue"))
        await asyncio.sleep(30)
        return echo

    return run_simulated(main)


@pytest.mark.parametrize(("size", "masked", "expected"), [(0, False, 2), (125, True, 131), (126, True, 134)])
def test_frames_are_as_long_as_rfc_6455_makes_them(size: int, masked: bool, expected: int) -> None:
    assert frame_bytes(size, masked=masked) == expected


@pytest.mark.parametrize("cut_at", range(1, 2 * UP + 1))
def test_a_request_arrives_exactly_where_all_its_bytes_passed(cut_at: int) -> None:
    async def act(network: FaultyNetwork, wire: FaultyWire) -> None:
        with pytest.raises(NotConnected):
            await asyncio.gather(*(wire.send(MESSAGE) for _ in range(3)))

    echo = play(LinkPlan(up_bytes=cut_at), act)
    assert len(echo.got) == cut_at // UP
    assert echo.gone == 1


@pytest.mark.parametrize("cut_at", range(1, 2 * DOWN + 1))
def test_an_answer_arrives_exactly_where_all_its_bytes_passed(cut_at: int) -> None:
    async def act(network: FaultyNetwork, wire: FaultyWire) -> None:
        for _ in range(3):
            await wire.send(MESSAGE)
        for _ in range(cut_at // DOWN):
            assert await wire.recv() == MESSAGE
        with pytest.raises(NotConnected):
            await wire.recv()
        assert len(network.delivered) == cut_at // DOWN

    assert len(play(LinkPlan(down_bytes=cut_at), act).got) == 3


def test_a_silent_break_tells_the_client_nothing() -> None:
    async def act(network: FaultyNetwork, wire: FaultyWire) -> None:
        await wire.send(MESSAGE)
        await wire.send(MESSAGE)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(100):
                await wire.recv()
        assert not wire.is_closed
        assert wire.silent_s() == pytest.approx(100)

    assert len(play(LinkPlan(up_bytes=UP + 1, is_silent=True), act).got) == 1


def test_messages_keep_their_order_however_slow_they_are() -> None:
    texts = [b"%d" % number for number in range(50)]

    async def act(network: FaultyNetwork, wire: FaultyWire) -> None:
        for text in texts:
            await wire.send(text)
        assert [await wire.recv() for _ in texts] == texts

    assert play(LinkPlan(slow=0.3, stall=0.3), act).got == texts


@pytest.mark.parametrize("cut_at", range(1, 2 * DOWN + 1))
def test_a_direct_connection_calls_with_what_came(cut_at: int) -> None:
    async def main() -> int:
        network = FaultyNetwork(Echo(), lambda number: LinkPlan(down_bytes=cut_at), Random(1), is_direct=True)
        wire = await network.connect("ws://venue")
        assert isinstance(wire, DirectFaultyWire)
        got: list[bytes] = []
        for _ in range(3):
            wire.post(MESSAGE)
        with pytest.raises(NotConnected):
            await wire.run(got.append)
        with pytest.raises(NotConnected):
            wire.post(MESSAGE)
        assert [each.data for each in network.delivered] == got
        return len(got)

    assert run_simulated(main) == cut_at // DOWN


def test_pings_are_answered_and_a_hanging_handshake_ends() -> None:
    async def act(network: FaultyNetwork, wire: FaultyWire) -> None:
        await asyncio.sleep(65)
        assert wire.silent_s() < 6
        await wire.ping()
        await asyncio.sleep(1)
        assert 0.9 < wire.silent_s() < 1
        network.plan = lambda number: LinkPlan(hangs=True)
        with pytest.raises(VenueUnreachable):
            await network.connect("ws://venue")
        assert len(network.attempts) == 2

    play(LinkPlan(), act)
