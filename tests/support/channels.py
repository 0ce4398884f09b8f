"""The channel protocol on fakes: time, market, accounts and the connection are in the test's hands."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from cryptotrader.bus import Topic
from cryptotrader.core.errors import NotAuthenticated, SubscriptionLimit
from cryptotrader.core.events import LinkChange, SystemEvent
from cryptotrader.feeds.user import UserEvent
from cryptotrader.services.binance.models.commission import Commission, CommissionRates, Discount
from cryptotrader.services.binance.models.exchange_info import SymbolInfo
from cryptotrader.sessions.channel_protocol import ChannelHub, ChannelSettings, SystemJournal
from cryptotrader.sessions.exchanges import AccountFeeds, ExchangeFeeds
from cryptotrader.sessions.ws import ConnectionSlots, Dialect, SharedTimer, SlotLimits, WebSocketRouter
from cryptotrader.sessions.ws.router import RouterPolicy
from cryptotrader.trading.positions.ports import PositionView
from cryptotrader.transport.frames import Frame
from cryptotrader.transport.outbox import Outbox, Put
from cryptotrader.transport.types import Accept, Refuse, UpgradeRequest, WebSocketHandler
from tests.support.gateway import FakeClock
from tests.support.streams import FakeCatalogue, FakeConnection, FakeLease, FakeLive, FakeUserFeed, Who


@dataclass(eq=False)
class BoundedConnection(FakeConnection):
    """What waits for a client that is behind is bounded and conflated as in the real one."""

    outbox: Outbox = field(default_factory=lambda: Outbox(max_frames=4, max_bytes=100_000))

    def send(self, frame: Frame, *, key: str | None = None) -> None:
        if self.closed is None and self.is_behind:
            if self.outbox.put(frame, key=key) is Put.OVERFLOW:
                self.outbox.drain()
                self.is_behind = False
                self.close(1008, "client reads too slowly")
        else:
            super().send(frame, key=key)

    def catch_up(self) -> None:
        self.kept += self.outbox.drain()
        super().catch_up()


class FakeLogins:
    """Whoever signs ``right`` is who its key says: ``alice``, ``bob``, ..."""

    def __init__(self, *people: Who) -> None:
        self.people = {who.key_id: who for who in people or (Who("alice"),)}
        self.on_revoked: Topic[str] = Topic("revoked")

    def login(self, api_key: str, timestamp_ms: int, signature: str, *, now_ms: int, client: str | None = None) -> Who:
        if signature != "right" or api_key not in self.people:
            raise NotAuthenticated("Authentication failed")
        return self.people[api_key]


class LazyCatalogue(FakeCatalogue):
    """Knows nothing before it was asked, and answers when the test lets it."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_loaded = True
        self.error: Exception | None = None

    async def require(self, symbol_text: str) -> str:
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return await super().require(symbol_text)

    def known(self, symbol: str) -> SymbolInfo | None:
        return super().known(symbol) if self.is_loaded else None


class FullLive(FakeLive):
    """May have no room for another feed."""

    is_full = False

    def lease(self, symbol: str, kind: str) -> FakeLease:
        if self.is_full:
            raise SubscriptionLimit("Too many symbols are subscribed at the venue")
        return super().lease(symbol, kind)


class FakePositions:
    """Positions that the test changes."""

    def __init__(self, *held: PositionView) -> None:
        self.topic: Topic[PositionView] = Topic("positions")
        self.held = list(held)
        self.watched: list[str | None] = []

    @property
    def protections(self) -> Any:
        raise AssertionError("nobody asks for protections here")

    def current(self) -> list[PositionView]:
        return self.held

    def watch(self, symbol: str | None = None) -> None:
        self.watched.append(symbol)

    def unwatch(self, symbol: str | None = None) -> None:
        self.watched.remove(symbol)


def position(symbol: str = "BTCUSDT", *, pnl: int = 12_500_000_000) -> PositionView:
    """The position of the document's sample."""
    return PositionView(
        symbol=symbol,
        base=symbol[:3],
        quote="USDT",
        event_ms=1647356789123,
        amount=50_000_000,
        cost=2_132_500_000_000,
        average_price=4_265_000_000_000,
        mark=4_290_000_000_000,
        unrealised_pnl=pnl,
        unrealised_percent=58_000_000,
        realised_pnl=0,
    )


COMMISSION = Commission(
    symbol="BTCUSDT",
    standard_commission=CommissionRates(maker="0.00100000", taker="0.00200000"),
    discount=Discount(enabled_for_account=True, enabled_for_symbol=True, discount_asset="BNB", discount="0.75000000"),
)


class FakeAccount:
    """One account: its events, its positions, its rates."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.user = FakeUserFeed()
        self.positions = FakePositions()
        self.asked: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error: Exception | None = None
        self.has_positions = True

    async def commission(self, symbol: str) -> Commission:
        self.asked.append(symbol)
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return COMMISSION

    @property
    def feeds(self) -> AccountFeeds:
        positions = self.positions if self.has_positions else None
        return AccountFeeds(self.name, self.user, positions, self.commission)

    def report(self, **changes: object) -> None:
        """An ``executionReport`` of an order that is half filled, unless changed."""
        report = {
            "e": "executionReport", "E": 1647356789123, "s": "BTCUSDT", "S": "BUY", "o": "LIMIT", "f": "GTC",
            "q": "0.10000000", "p": "42500.00000000", "x": "TRADE", "X": "PARTIALLY_FILLED", "i": 123456789,
            "z": "0.05000000", "Z": "2125.00000000", "m": True, "N": "USDT",
        } | changes  # fmt: skip
        self.user.topic.publish(UserEvent("executionReport", b"{}", report))


class OtherStreams:
    """Every path but ``/ws``."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.is_drained = False

    async def route(self, request: UpgradeRequest) -> Accept | Refuse:
        self.paths.append(request.path)
        return Refuse(404, b"")

    def drain(self) -> None:
        self.is_drained = True


class Peer:
    """One client."""

    def __init__(self, handler: WebSocketHandler, connection: FakeConnection) -> None:
        self.handler = handler
        self.connection = connection
        self._read = 0

    def say(self, message: object) -> list[dict[str, Any]]:
        """Send something, and get what came since the last time."""
        self.handler.on_text(message if isinstance(message, str) else json.dumps(message))
        return self.hear()

    def hear(self) -> list[dict[str, Any]]:
        """What came since the last time."""
        rows = self.connection.messages()
        self._read, start = len(rows), self._read
        return rows[start:]

    def login(self, api_key: str = "alice", signature: str = "right") -> list[dict[str, Any]]:
        return self.say({"action": "authenticate", "api_key": api_key, "timestamp": 1, "signature": signature})

    def subscribe(self, *channels: str, symbols: list[str] | None = None, **params: object) -> list[dict[str, Any]]:
        given = {"exchange": "binance", **params} | ({} if symbols is None else {"symbols": symbols})
        return self.say({"action": "subscribe", "channels": list(channels), "params": given})

    def unsubscribe(self, *channels: str, symbols: list[str] | None = None) -> list[dict[str, Any]]:
        given: dict[str, object] = {"exchange": "binance"} | ({} if symbols is None else {"symbols": symbols})
        return self.say({"action": "unsubscribe", "channels": list(channels), "params": given})

    def hang_up(self) -> None:
        self.connection.close(1006)
        self.handler.on_close(1006, "")


class ChannelStage:
    """A router with the channel protocol on fakes."""

    def __init__(
        self,
        *people: Who,
        settings: ChannelSettings | None = None,
        dialects: tuple[Dialect, ...] = (),
        max_connections: int = 100,
        policy: RouterPolicy | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.live = FullLive()
        self.catalogue = LazyCatalogue()
        self.accounts: dict[str, FakeAccount] = {"default": FakeAccount("default")}
        self.logins = FakeLogins(*people)
        self.links: Topic[LinkChange] = Topic("links")
        self.reports: Topic[SystemEvent] = Topic("reports")
        self.journal = SystemJournal()
        self.journal.follow_links("binance", self.links)
        self.journal.follow("binance", self.reports)
        self.slots = ConnectionSlots(SlotLimits(max_connections))
        self.timer = SharedTimer(self.clock, tick_s=0.1)
        exchange = ExchangeFeeds("binance", self.live, self.catalogue, self._account)
        self.hub = ChannelHub(
            {"binance": exchange}, self.logins, journal=self.journal, slots=self.slots, timer=self.timer,
            clock=self.clock, settings=settings,
        )  # fmt: skip
        self.streams = OtherStreams()
        self.router = WebSocketRouter(
            [self.hub.dialect, *dialects], self.streams, slots=self.slots, clock=self.clock, timer=self.timer,
            on_revoked=self.logins.on_revoked, policy=policy,
        )  # fmt: skip

    def _account(self, name: str) -> AccountFeeds | None:
        account = self.accounts.get(name)
        return None if account is None else account.feeds

    async def ask(self, path: str = "/ws", *, query: str = "", subprotocols: tuple[str, ...] = ()) -> Accept | Refuse:
        return await self.router.route(UpgradeRequest(path, query, {}, "127.0.0.1", subprotocols))

    async def connect(self, connection: FakeConnection | None = None, **options: Any) -> Peer:
        """A client whose handshake is done."""
        accept = await self.ask(**options)
        assert isinstance(accept, Accept)
        peer = Peer(accept.handler, connection or BoundedConnection())
        accept.handler.on_open(peer.connection)
        return peer

    async def client(self, api_key: str = "alice", connection: FakeConnection | None = None) -> Peer:
        """A client that is authenticated."""
        peer = await self.connect(connection)
        assert [row["event"] for row in peer.login(api_key)] == ["authenticated"]
        return peer

    def pass_time(self, seconds: float) -> None:
        """Turn the clock, in steps of a tick, and look at what is due; that may come two ticks late."""
        while seconds > 0:
            self.clock.advance(min(seconds, 0.1))
            self.timer.run_due()
            seconds -= 0.1

    async def close(self) -> None:
        await self.router.close()
        self.timer.close()
        await self.hub.close()
        self.journal.close()


async def settle() -> None:
    """Let what was published go out, and jobs have their turn."""
    for _ in range(6):
        await asyncio.sleep(0)
