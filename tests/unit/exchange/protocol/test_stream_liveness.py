"""Pings, pongs, the day a connection lives, and how often a client may speak ("General WSS information", "Limits")."""

from __future__ import annotations

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S
from cryptotrader.exchange.protocol.streams.liveness import Due, Liveness, MessageRate
from cryptotrader.exchange.protocol.streams.policy import WsPolicy

POLICY = WsPolicy()


def test_a_ping_is_due_every_twenty_seconds() -> None:
    life = Liveness(POLICY, 0)
    assert life.poll(19 * NS_PER_S) is Due.NOTHING
    assert life.deadline_ns == 20 * NS_PER_S
    assert life.poll(20 * NS_PER_S) is Due.PING
    life.pinged(b"1", 20 * NS_PER_S)
    assert life.poll(39 * NS_PER_S) is Due.NOTHING
    assert life.poll(40 * NS_PER_S) is Due.PING


def test_a_minute_without_a_pong_is_the_end() -> None:
    life = Liveness(POLICY, 0)
    for second in (20, 40, 60):
        life.pinged(str(second).encode(), second * NS_PER_S)
    assert life.poll(79 * NS_PER_S) is Due.NOTHING
    assert life.poll(80 * NS_PER_S) is Due.DEAD


def test_a_pong_answers_its_ping_and_those_before_it() -> None:
    life = Liveness(POLICY, 0)
    for second in (20, 40, 60):
        life.pinged(str(second).encode(), second * NS_PER_S)
    life.ponged(b"40")
    assert life.poll(80 * NS_PER_S) is Due.PING
    life.pinged(b"80", 80 * NS_PER_S)
    assert life.poll(120 * NS_PER_S) is Due.DEAD


def test_an_unsolicited_pong_prevents_nothing() -> None:
    life = Liveness(POLICY, 0)
    life.pinged(b"1", 20 * NS_PER_S)
    life.ponged(b"")
    assert life.poll(80 * NS_PER_S) is Due.DEAD


def test_a_connection_is_over_after_a_day() -> None:
    life = Liveness(POLICY, 0)
    assert life.poll(86_400 * NS_PER_S - 1) is Due.PING
    assert life.poll(86_400 * NS_PER_S) is Due.OVER


def test_five_messages_a_second_are_allowed_and_a_sixth_is_not() -> None:
    rate = MessageRate(POLICY.control_messages, POLICY.control_window_s)
    assert [rate.allow(n) for n in range(6)] == [True] * 5 + [False]


def test_a_client_that_keeps_the_limit_exactly_is_never_thrown_out() -> None:
    rate = MessageRate(POLICY.control_messages, POLICY.control_window_s)
    assert all(rate.allow(n * 200 * NS_PER_MS) for n in range(100))
