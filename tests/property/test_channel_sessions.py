"""Arbitrary clients of two accounts on one hub: each gets exactly what it is subscribed to, and nobody else's (S1-7,
S1-12, S1-14).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from cryptotrader.core.events import LinkChange, LinkState, SystemEvent, Trade
from cryptotrader.dialects.channels.protocol import ChannelPolicy
from cryptotrader.sessions.channel_protocol import ChannelSettings
from tests.support.channels import BoundedConnection, ChannelStage, FakeAccount, Peer, position, settle
from tests.support.streams import Who, ticker

SYMBOLS = ("BTCUSDT", "ETHUSDT")
PEOPLE = {"alice": "default", "carol": "default", "bob": "bobs"}
CHANNELS = ("market_data", "trades", "orders", "positions", "system_events")
MAX_CLIENTS = 4

names = st.sampled_from(sorted(PEOPLE))
numbers = st.integers(0, MAX_CLIENTS - 1)
channel_lists = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=5, unique=True)
symbol_lists = st.lists(st.sampled_from(SYMBOLS), min_size=1, max_size=2, unique=True)


class Model:
    """What one client should be getting: (channel, symbol), the symbol empty for all."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.name: str | None = None
        self.wanted: set[tuple[str, str]] = set()

    @property
    def account(self) -> str | None:
        return PEOPLE[self.name] if self.name is not None else None

    def gets(self, channel: str, symbol: str) -> bool:
        return bool(self.wanted & {(channel, symbol), (channel, "")})


class Clients(RuleBasedStateMachine):
    """Anybody does anything; then something happens, and who is told is compared with the model."""

    @initialize()
    def start(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.models: dict[int, Model] = {}
        self.events = 0

        async def build() -> ChannelStage:
            people = [Who(name, account=account) for name, account in PEOPLE.items()]
            policy = ChannelPolicy(messages_per_s=100_000, authenticate_s=1e6, idle_s=1e6)
            stage = ChannelStage(*people, settings=ChannelSettings(policy))
            stage.accounts["bobs"] = FakeAccount("bobs")
            return stage

        self.stage = self.loop.run_until_complete(build())
        for number, name in enumerate(("alice", "bob", "carol")):
            self.connect(number)
            self.log_in(number, name)

    def pick(self, number: int) -> Model | None:
        """Somebody who is there, if anybody is."""
        models = list(self.models.values())
        return models[number % len(models)] if models else None

    def run(self, work: Any) -> Any:
        async def and_settle() -> Any:
            result = await work
            await settle()
            return result

        return self.loop.run_until_complete(and_settle())

    # What clients do

    @rule(number=numbers)
    def connect(self, number: int) -> None:
        if number not in self.models:
            self.models[number] = Model(self.run(self.stage.connect(BoundedConnection(id=f"c{number}"))))

    @rule(number=numbers)
    def hang_up(self, number: int) -> None:
        if number in self.models:
            self.models.pop(number).peer.hang_up()

    @rule(number=numbers, name=names)
    def log_in(self, number: int, name: str) -> None:
        model = self.pick(number)
        if model is None:
            return
        message: dict[str, object] = {"action": "authenticate", "api_key": name, "timestamp": 1, "signature": "right"}
        self.run(self._say(model, message))
        if model.name != name:
            model.wanted.clear()
        model.name = name

    @rule(number=numbers, channels=channel_lists, symbols=symbol_lists | st.none())
    def subscribe(self, number: int, channels: list[str], symbols: list[str] | None) -> None:
        self._subscribe(number, channels, symbols)

    def _subscribe(self, number: int, channels: list[str], symbols: list[str] | None) -> None:
        model = self.pick(number)
        if model is None:
            return
        needs = {"market_data", "trades"} & set(channels)
        self.run(self._say(model, self._message("subscribe", channels, symbols)))
        if model.name is None or (needs and symbols is None):
            return
        for channel in channels:
            if channel == "system_events":
                model.wanted.add((channel, ""))
            else:
                model.wanted |= {(channel, symbol) for symbol in (symbols or [""])}

    @rule(number=numbers, channels=channel_lists, symbols=symbol_lists | st.none())
    def unsubscribe(self, number: int, channels: list[str], symbols: list[str] | None) -> None:
        model = self.pick(number)
        if model is None or model.name is None:
            return
        self.run(self._say(model, self._message("unsubscribe", channels, symbols)))
        model.wanted = {
            (channel, symbol)
            for channel, symbol in model.wanted
            if channel not in channels or not (channel == "system_events" or symbols is None or symbol in symbols)
        }

    @rule(number=numbers, symbols=symbol_lists | st.none())
    def subscribe_to_all_that_is_ones_own(self, number: int, symbols: list[str] | None) -> None:
        self._subscribe(number, ["orders", "positions", "system_events"], symbols)

    @rule(number=numbers, text=st.text(max_size=10))
    def babble(self, number: int, text: str) -> None:
        model = self.pick(number)
        if model is not None:
            model.peer.handler.on_text(text)

    @rule(name=names)
    def revoke(self, name: str) -> None:
        self.stage.logins.on_revoked.publish(name)
        for number, model in tuple(self.models.items()):
            if model.name == name:
                assert model.peer.connection.closed == (1008, "API key is no longer valid")
                model.peer.handler.on_close(1008, "")
                del self.models[number]
            else:
                assert model.peer.connection.closed is None

    @rule(seconds=st.integers(1, 20))
    def wait(self, seconds: int) -> None:
        self.run(self._pass(seconds))

    # What happens

    @rule(account=st.sampled_from(["default", "bobs"]), symbol=st.sampled_from(SYMBOLS))
    def an_order_changes(self, account: str, symbol: str) -> None:
        self.events += 1
        number = self.events
        self._tell(
            lambda: self.stage.accounts[account].report(s=symbol, i=number),
            lambda model: model.account == account and model.gets("orders", symbol),
        )

    @rule(account=st.sampled_from(["default", "bobs"]), symbol=st.sampled_from(SYMBOLS))
    def a_position_changes(self, account: str, symbol: str) -> None:
        self._tell(
            lambda: self.stage.accounts[account].positions.topic.publish(position(symbol)),
            lambda model: model.account == account and model.gets("positions", symbol),
        )

    @rule(account=st.sampled_from(["default", "bobs", None]))
    def something_is_reported(self, account: str | None) -> None:
        event = SystemEvent(event="x", status="y", at_ms=1, account=account)
        self._tell(
            lambda: self.stage.reports.publish(event),
            lambda model: model.gets("system_events", "") and account in (None, model.account),
        )

    @rule(link=st.sampled_from(["market-1", "user", "user:bobs"]))
    def a_connection_changes(self, link: str) -> None:
        owner = {"user": "default", "user:bobs": "bobs"}.get(link)
        change = LinkChange("paper", link, LinkState.CONNECTED, 1)
        self._tell(
            lambda: self.stage.links.publish(change),
            lambda model: model.gets("system_events", "") and owner in (None, model.account),
        )

    @rule()
    def the_market_moves(self) -> None:
        trade = Trade("BTCUSDT", 1, 1, 1, 1, False, 1)

        def move() -> None:
            self.stage.live.ticker_feed.put(ticker())
            self.stage.live.trade_feed.topic.publish(trade)

        # The fakes have one feed for all symbols: each subscription is told once.
        self._hear()
        self.run(self._later(move))
        for model in self.models.values():
            told = Counter(row.get("channel") for row in model.peer.hear())
            wanted = Counter(channel for channel, _ in model.wanted if channel in ("market_data", "trades"))
            assert told == wanted

    # Helpers

    def _tell(self, happen: Any, is_told: Any) -> None:
        self._hear()
        self.run(self._later(happen))
        for model in self.models.values():
            assert len(model.peer.hear()) == bool(is_told(model)), (model.name, model.wanted)

    def _hear(self) -> None:
        """Forget what came before."""
        for model in self.models.values():
            model.peer.hear()

    async def _say(self, model: Model, message: dict[str, object]) -> None:
        model.peer.say(message)

    async def _pass(self, seconds: int) -> None:
        self.stage.pass_time(seconds)

    async def _later(self, happen: Any) -> None:
        happen()

    @staticmethod
    def _message(action: str, channels: list[str], symbols: list[str] | None) -> dict[str, object]:
        params: dict[str, object] = {"exchange": "binance"}
        if symbols is not None:
            params["symbols"] = symbols
        return {"action": action, "channels": channels, "params": params}

    @invariant()
    def nothing_is_kept_for_who_has_gone(self) -> None:
        assert self.stage.slots.taken == len(self.models)
        people = Counter(model.name for model in self.models.values())
        assert all(self.stage.slots.of_key(name) == people[name] for name in PEOPLE)

    def teardown(self) -> None:
        for number in tuple(self.models):
            self.hang_up(number)
        self.run(self._pass(6))
        self.run(self._pass(6))
        assert self.stage.hub.registry.open_count == 0
        assert self.stage.live.open_leases == []
        assert all(account.user.open_leases == [] for account in self.stage.accounts.values())
        assert all(account.positions.watched == [] for account in self.stage.accounts.values())
        self.run(self.stage.close())
        self.loop.close()


Clients.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestClients = Clients.TestCase
