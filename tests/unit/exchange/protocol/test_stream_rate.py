"""How often a client may speak ("WebSocket Limits")."""

from __future__ import annotations

from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.exchange.protocol.streams.policy import WsPolicy
from cryptotrader.exchange.protocol.streams.rate import MessageRate

POLICY = WsPolicy()


def test_five_messages_a_second_are_allowed_and_a_sixth_is_not() -> None:
    rate = MessageRate(POLICY.control_messages, POLICY.control_window_s)
    assert [rate.allow(n) for n in range(6)] == [True] * 5 + [False]


def test_a_client_that_keeps_the_limit_exactly_is_never_thrown_out() -> None:
    rate = MessageRate(POLICY.control_messages, POLICY.control_window_s)
    assert all(rate.allow(n * 200 * NS_PER_MS) for n in range(100))
