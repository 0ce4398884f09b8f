"""Arbitrary clients of the channel protocol: no exception escapes, every answer has the right shape (S1-5 to S1-8)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.dialects.actions import Close, Send
from cryptotrader.dialects.channels import messages
from cryptotrader.dialects.channels.messages import ChannelName
from cryptotrader.dialects.channels.protocol import (
    Action,
    ChannelPolicy,
    ChannelProtocol,
    LookUp,
    Pair,
    Start,
    Stop,
    Verify,
)

SYMBOLS = ("BTCUSDT", "ETHUSDT", "XRPUSDT", "ADAUSDT")
KNOWN = frozenset(SYMBOLS[:3])
MAX_PAIRS = 6
POLICY = ChannelPolicy(max_subscriptions=MAX_PAIRS, messages_per_s=5, max_refused=4)

ANSWERS: dict[str, type[msgspec.Struct]] = {
    "authenticated": messages.Authenticated,
    "subscribed": messages.Subscribed,
    "unsubscribed": messages.Subscribed,
    "error": messages.ErrorMessage,
    "ping": messages.Ping,
    "close": messages.CloseMessage,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
channel_lists = st.lists(st.sampled_from([channel.value for channel in ChannelName]), min_size=1, max_size=6)
symbol_lists = st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=4)


class Client(RuleBasedStateMachine):
    """A client that does anything, and a model of what it should be getting."""

    @initialize()
    def connect(self) -> None:
        self.now_ns = 0
        self.protocol = ChannelProtocol(0, ["binance", "kraken"], POLICY)
        self.delivered: dict[Pair, int] = {}
        self.is_closed = False
        self.pending: list[Verify | LookUp] = []

    def obey(self, actions: list[Action]) -> list[dict[str, Any]]:
        """Do what the protocol says, as a session would, and check every message."""
        told = []
        for action in actions:
            assert not self.is_closed, "nothing comes after a close"
            match action:
                case Send(data):
                    message = json.loads(data)
                    msgspec.json.decode(data, type=ANSWERS[message["event"]], strict=True)
                    if message["event"] == "error":
                        assert message["code"] in (400, 401, 403, 404, 429, 500)
                        assert message["message"]
                    told.append(message)
                case Start(pair, depth):
                    assert pair not in self.delivered
                    assert self.protocol.is_ready
                    self.delivered[pair] = depth
                case Stop(pair):
                    del self.delivered[pair]
                case Close(code, _):
                    assert code in (1000, 1001, 1008, 1011)
                    assert told[-1]["event"] == "close"
                    self.is_closed = True
                case Verify() | LookUp():
                    self.pending.append(action)
        return told

    def say(self, text: str) -> list[dict[str, Any]]:
        self.now_ns += NS_PER_S
        told = self.obey(self.protocol.receive(text, now_ns=self.now_ns, now_ms=self.now_ns // 10**6))
        while self.pending:
            match self.pending.pop():
                case Verify(message):
                    answer = self.protocol.accepted if message.signature == "right" else self.protocol.rejected
                    told += self.obey(answer(now_ms=0))
                case LookUp(request):
                    told += self.obey(self.protocol.found(request, KNOWN & set(request.symbols), now_ms=0))
        return told

    @rule(signature=st.sampled_from(["right", "right", "wrong"]))
    def authenticate(self, signature: str) -> None:
        was_closed, was_ready = self.is_closed, self.protocol.is_ready
        told = self.say(json.dumps({"action": "authenticate", "api_key": "k", "timestamp": 1, "signature": signature}))
        if was_closed:
            assert told == []
        elif signature == "right":
            assert told[0]["event"] == "authenticated"
        else:
            assert (told[0]["message"], told[0]["code"]) == ("Authentication failed", 401)
            assert self.protocol.is_ready is was_ready

    @rule(channels=channel_lists, symbols=symbol_lists, depth=st.sampled_from([1, 10, 100]))
    def subscribe(self, channels: list[str], symbols: list[str], depth: int) -> None:
        was_closed, was_ready = self.is_closed, self.protocol.is_ready
        before = dict(self.delivered)
        params = {"exchange": "binance", "symbols": symbols, "depth": depth, "extra": [1.50, None]}
        told = self.say(json.dumps({"action": "subscribe", "channels": channels, "params": params}))
        if was_closed or not was_ready:
            assert self.delivered == before
            assert was_closed or told[0]["code"] == 401
            return
        wanted = {
            Pair(ChannelName(channel), "", "")
            if channel == "system_events"
            else Pair(ChannelName(channel), "binance", symbol)
            for channel in channels
            for symbol in symbols
            if channel == "system_events" or symbol in KNOWN
        }
        if len(before.keys() | wanted) > MAX_PAIRS:
            assert self.delivered == before
            assert told[-1]["code"] == 429
            return
        assert self.delivered == {**before, **dict.fromkeys(wanted, depth)}
        if wanted:
            assert (told[0]["channels"], told[0]["params"]) == (channels, params)
        assert ("ADAUSDT" in symbols) == (told[-1].get("code") == 404)

    @rule(channels=channel_lists, symbols=st.none() | symbol_lists, exchange=st.sampled_from(["binance", "kraken"]))
    def unsubscribe(self, channels: list[str], symbols: list[str] | None, exchange: str) -> None:
        was_ready = self.protocol.is_ready and not self.is_closed
        before = dict(self.delivered)
        params = {"exchange": exchange} if symbols is None else {"exchange": exchange, "symbols": symbols}
        self.say(json.dumps({"action": "unsubscribe", "channels": channels, "params": params}))
        if not was_ready:
            return
        for pair, depth in before.items():
            is_named = pair.channel.value in channels and (
                pair.channel is ChannelName.SYSTEM_EVENTS
                or (pair.exchange == exchange and (symbols is None or pair.symbol in symbols))
            )
            assert (pair not in self.delivered) == is_named
            assert is_named or self.delivered[pair] == depth

    @rule(value=json_values)
    def say_any_json(self, value: object) -> None:
        self.say(json.dumps(value))

    @rule(
        action=st.sampled_from(["authenticate", "subscribe", "unsubscribe", "pong", "dance"]),
        channels=json_values,
        params=json_values,
    )
    def say_something_close(self, action: str, channels: object, params: object) -> None:
        self.say(json.dumps({"action": action, "channels": channels, "params": params, "api_key": 5}))

    @rule(text=st.text(max_size=20))
    def say_any_text(self, text: str) -> None:
        told = self.say(text)
        assert all(message["event"] in ("error", "close", "authenticated") for message in told)

    @rule(seconds=st.integers(1, 60))
    def wait(self, seconds: int) -> None:
        self.now_ns += seconds * NS_PER_S
        deadline = self.protocol.deadline_ns(0)
        told = self.obey(self.protocol.tick(0, now_ns=self.now_ns, now_ms=0))
        assert self.now_ns >= deadline or told == []

    @precondition(lambda self: not self.is_closed)
    @invariant()
    def what_is_delivered_is_what_the_protocol_remembers(self) -> None:
        assert self.delivered == self.protocol.pairs
        assert len(self.delivered) <= MAX_PAIRS

    @invariant()
    def nothing_is_delivered_to_who_is_not_authenticated(self) -> None:
        assert self.protocol.is_ready or not self.delivered


Client.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestClient = Client.TestCase


@given(st.binary(max_size=200))
def test_bytes_that_are_no_text_are_answered_with_an_error(data: bytes) -> None:
    protocol = ChannelProtocol(0, ["binance"])
    actions = protocol.receive(data, now_ns=1, now_ms=1)
    assert all(isinstance(action, Send) for action in actions)


def test_a_deeply_nested_message_is_answered_with_an_error() -> None:
    protocol = ChannelProtocol(0, ["binance"])
    [answer] = protocol.receive("[" * 60_000, now_ns=1, now_ms=1)
    assert isinstance(answer, Send)
    assert json.loads(answer.data)["code"] == 400


def test_who_keeps_shouting_is_closed_after_sustained_abuse() -> None:
    """C-11."""
    protocol = ChannelProtocol(0, ["binance"], POLICY)
    seen: list[Action] = []
    for _ in range(20):
        seen += protocol.receive('{"action":"pong"}', now_ns=1, now_ms=1)
    assert [json.loads(action.data)["code"] for action in seen if isinstance(action, Send)] == [429] * 3 + [1008]
    assert seen[-1] == Close(1008, "Too many requests")
