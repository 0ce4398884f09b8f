"""Arbitrary clients of the signal protocol: nothing escapes, answers have the right shape (S3-2, S3-8 to S3-10)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.dialects.actions import Close, Send
from cryptotrader.dialects.signals import messages
from cryptotrader.dialects.signals.messages import Channel
from cryptotrader.dialects.signals.protocol import Action, LookUp, SignalProtocol, SignalProtocolPolicy, Start, Stop

KNOWN = {"btc": "btc", "BTCUSDT": "btc", "eth": "eth", "sol": "sol", "xrp": "xrp"}
NAMES = [*KNOWN, "xyz"]
POLICY = SignalProtocolPolicy(max_symbols=3, messages_per_s=2, max_refused=3)

ANSWERS: dict[str, type[msgspec.Struct]] = {
    "subscribed": messages.Subscribed,
    "unsubscribed": messages.Subscribed,
    "pong": messages.Pong,
    "error": messages.ErrorMessage,
}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
channel_choices = st.none() | st.lists(st.sampled_from(list(Channel)), min_size=1, max_size=3)
symbol_lists = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4)


class Client(RuleBasedStateMachine):
    """A client that does anything, and a model of what it should be getting."""

    @initialize()
    def connect(self) -> None:
        self.now_ns = 0
        self.is_closed = False
        self.delivered: set[tuple[str, Channel]] = set()
        self.protocol = SignalProtocol(0, POLICY)

    def obey(self, actions: list[Action]) -> list[dict[str, Any]]:
        told = []
        for action in actions:
            assert not self.is_closed
            match action:
                case Send(data):
                    message = json.loads(data)
                    msgspec.json.decode(data, type=ANSWERS[message["type"]], strict=True)
                    told.append(message)
                case Start(channel, symbol):
                    assert (symbol, channel) not in self.delivered
                    self.delivered.add((symbol, channel))
                case Stop(channel, symbol):
                    self.delivered.remove((symbol, channel))
                case Close(code, _):
                    assert code in (1000, 1008)
                    self.is_closed = True
                case LookUp():
                    known = {text: KNOWN[text] for text in action.symbols if text in KNOWN}
                    told += self.obey(self.protocol.found(action, known))
        return told

    def say(self, value: object, *, after_s: float = 1) -> list[dict[str, Any]]:
        self.now_ns += int(after_s * NS_PER_S)
        return self.obey(self.protocol.receive(json.dumps(value), now_ns=self.now_ns, now_ms=0))

    @rule(symbols=symbol_lists, channels=channel_choices, name=st.sampled_from(["symbols", "assets"]))
    def subscribe(self, symbols: list[str], channels: list[Channel] | None, name: str) -> None:
        before, was_closed = set(self.delivered), self.is_closed
        asked: dict[str, object] = {"type": "subscribe", name: symbols}
        if channels is not None:
            asked["channels"] = channels
        told = self.say(asked)
        if was_closed:
            return
        wanted = {KNOWN[text] for text in symbols if text in KNOWN}
        if len({symbol for symbol, _ in before} | wanted) > 3:
            assert [message.get("code") for message in told] == ["subscription_limit"]
            assert self.delivered == before
            return
        chosen = channels or [Channel.PRICE, Channel.SIGNALS]
        assert self.delivered == before | {(symbol, channel) for symbol in wanted for channel in chosen}
        assert ("xyz" in symbols) == any(message.get("code") == "invalid_symbol" for message in told)

    @rule(symbols=symbol_lists, channel=st.none() | st.sampled_from(list(Channel)))
    def unsubscribe(self, symbols: list[str], channel: Channel | None) -> None:
        before, was_closed = set(self.delivered), self.is_closed
        asked: dict[str, object] = {"type": "unsubscribe", "symbols": symbols}
        if channel is not None:
            asked["channel"] = channel
        self.say(asked)
        if was_closed:
            return
        lower = {text for text in symbols if KNOWN.get(text) == text}
        assert not {(symbol, each) for symbol, each in self.delivered if symbol in lower and channel in (None, each)}
        assert before - self.delivered <= {
            (KNOWN[text], each) for text in symbols if text in KNOWN for each in Channel if channel in (None, each)
        }

    @rule(value=anything)
    def say_anything(self, value: object) -> None:
        was_closed = self.is_closed
        told = self.say(value)
        assert was_closed or told[0]["code"] == "invalid_message"

    @rule(times=st.integers(1, 8))
    def shout(self, times: int) -> None:
        for _ in range(times):
            for message in self.say({"type": "ping"}, after_s=0.01):
                assert message["type"] == "pong" or message["code"] == "rate_limited"

    @rule(seconds=st.integers(1, 400))
    def wait(self, seconds: int) -> None:
        self.now_ns += seconds * NS_PER_S
        was_closed, due = self.is_closed, self.now_ns >= self.protocol.deadline_ns()
        self.obey(self.protocol.tick(now_ns=self.now_ns))
        assert self.is_closed == (was_closed or due)

    @invariant()
    def what_is_delivered_is_what_the_protocol_remembers(self) -> None:
        remembered = {(symbol, channel) for symbol, each in self.protocol.symbols.items() for channel in each}
        assert self.delivered == remembered
        assert len(self.protocol.symbols) <= 3


Client.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestClient = Client.TestCase
