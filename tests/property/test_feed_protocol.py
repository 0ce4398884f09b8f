"""Arbitrary clients of the price feed: nothing escapes, answers have the right shape (S2-5, S2-6, S2-10 to S2-14)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.dialects.actions import Close, Send
from cryptotrader.dialects.feed import messages
from cryptotrader.dialects.feed.protocol import Action, FeedProtocol, FeedProtocolPolicy, LookUp, Start, Stop

KNOWN = {"BTC/USD": "BTC/USD", "btc-usd": "BTC/USD", "BTCUSD": "BTC/USD", "ETH/USD": "ETH/USD", "SOL/USD": "SOL/USD"}
NAMES = [*KNOWN, "XYZ/USD"]
POLICY = FeedProtocolPolicy(max_symbols=2)
BUDGET = 40

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


class Client(RuleBasedStateMachine):
    """A client that does anything, and a model of what it should be getting."""

    @initialize()
    def connect(self) -> None:
        self.now_ns = 0
        self.spent = 0
        self.is_closed = False
        self.delivered: list[str] = []
        self.protocol = FeedProtocol(0, self.spend, POLICY)

    def spend(self) -> bool:
        self.spent += 1
        return self.spent <= BUDGET

    def obey(self, actions: list[Action]) -> list[dict[str, Any]]:
        told = []
        for action in actions:
            assert not self.is_closed
            match action:
                case Send(data):
                    message = json.loads(data)
                    msgspec.json.decode(data, type=ANSWERS[message["type"]], strict=True)
                    told.append(message)
                case Start(symbol):
                    assert symbol not in self.delivered
                    self.delivered.append(symbol)
                case Stop(symbol):
                    self.delivered.remove(symbol)
                case Close(code, _):
                    assert code in (1000, 1008)
                    self.is_closed = True
                case LookUp():
                    known = {text: KNOWN[text] for text in action.symbols if text in KNOWN}
                    told += self.obey(self.protocol.found(action, known, now_ms=0))
        return told

    def say(self, value: object) -> list[dict[str, Any]]:
        self.now_ns += NS_PER_S
        return self.obey(self.protocol.receive(json.dumps(value), now_ns=self.now_ns, now_ms=0))

    @rule(symbols=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))
    def subscribe(self, symbols: list[str]) -> None:
        before, was_closed, spent = list(self.delivered), self.is_closed, self.spent
        told = self.say({"type": "subscribe", "symbols": symbols})
        if was_closed or spent >= BUDGET:
            assert self.is_closed
            return
        wanted = dict.fromkeys(KNOWN[text] for text in symbols if text in KNOWN)
        if len(set(symbols)) > 2 or len({*before, *wanted}) > 2:
            assert [message.get("code") for message in told] == ["SUBSCRIPTION_LIMIT"]
            assert self.delivered == before
            return
        assert set(self.delivered) == {*before, *wanted}
        assert ("XYZ/USD" in symbols) == any(message.get("code") == "UNKNOWN_SYMBOL" for message in told)

    @rule(symbols=st.none() | st.lists(st.sampled_from(NAMES), max_size=3))
    def unsubscribe(self, symbols: list[str] | None) -> None:
        before, was_closed, spent = list(self.delivered), self.is_closed, self.spent
        told = self.say({"type": "unsubscribe"} if symbols is None else {"type": "unsubscribe", "symbols": symbols})
        if was_closed or spent >= BUDGET:
            return
        assert told[0]["type"] == "unsubscribed"
        if symbols is None:
            assert told[0]["symbols"] == before
            assert self.delivered == []
        else:
            assert set(before) - set(self.delivered) <= {KNOWN.get(text) for text in symbols}
            assert not {text for text in symbols if KNOWN.get(text) == text} & set(self.delivered)

    @rule(value=anything)
    def say_anything(self, value: object) -> None:
        was_closed = self.is_closed
        told = self.say(value)
        assert was_closed or told[0]["code"] == "VALIDATION_ERROR"
        assert self.is_closed == was_closed

    @rule(symbols=anything)
    def say_something_close(self, symbols: object) -> None:
        self.say({"type": "subscribe", "symbols": symbols})

    @rule()
    def ping(self) -> None:
        was_closed, spent = self.is_closed, self.spent
        told = self.say({"type": "ping"})
        assert was_closed or told[0]["type"] == "pong"
        assert self.spent == spent

    @rule(seconds=st.integers(1, 400), hears_prices=st.booleans())
    def wait(self, seconds: int, hears_prices: bool) -> None:
        self.now_ns += seconds * NS_PER_S
        price_ns = self.now_ns if hears_prices else 0
        was_closed = self.is_closed
        due = self.now_ns >= self.protocol.deadline_ns(price_ns)
        told = self.obey(self.protocol.tick(price_ns, now_ns=self.now_ns, now_ms=0))
        if not was_closed:
            assert due == bool(told or self.is_closed)
            assert not (self.is_closed and hears_prices)

    @invariant()
    def what_is_delivered_is_what_the_protocol_remembers(self) -> None:
        assert self.delivered == list(self.protocol.symbols)
        assert len(self.delivered) <= 2


Client.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestClient = Client.TestCase
