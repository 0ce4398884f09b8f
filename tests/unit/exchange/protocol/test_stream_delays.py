"""Messages that are sent late."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from cryptotrader.exchange.latency import Latency
from cryptotrader.exchange.protocol.streams import delays as module
from cryptotrader.exchange.protocol.streams.delays import Delays
from cryptotrader.net import SystemClock
from tests.support.waiting import eventually


@pytest.fixture
async def delays() -> Delays:
    return Delays(SystemClock())


async def test_without_latency_everything_is_sent_at_once(delays: Delays) -> None:
    sent: list[int] = []
    delays.send("a", 0, partial(sent.append, 1))
    assert sent == [1]
    assert delays.is_idle


async def test_a_late_message_is_not_overtaken_on_its_own_stream_but_by_others(delays: Delays) -> None:
    sent: list[str] = []
    for lane, extra_ms, text in (("a", 30, "a1"), ("a", 0, "a2"), ("b", 0, "b1")):
        delays.send(lane, extra_ms, partial(sent.append, text))
    assert sent == ["b1"]
    await eventually(lambda: len(sent) == 3)
    assert sent == ["b1", "a1", "a2"]
    assert delays.is_idle


async def test_latency_with_jitter_keeps_the_order_of_all_streams(delays: Delays) -> None:
    delays.latency = Latency(fixed_ms=1, jitter_ms=20)
    sent: list[int] = []
    for number in range(50):
        delays.send("ab"[number % 2], 0, partial(sent.append, number))
    assert sent == []
    await eventually(lambda: len(sent) == 50)
    assert sent == list(range(50))


async def test_what_waits_is_bounded(delays: Delays, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 3)
    sent: list[int] = []
    for number in range(5):
        delays.send("a", 60_000, partial(sent.append, number))
    assert sent == [0, 1]
    delays.close()
    await asyncio.sleep(0)
    assert sent == [0, 1]
