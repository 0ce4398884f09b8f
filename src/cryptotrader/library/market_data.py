"""Market streams of a venue for any number of local order books."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, TypeVar

import msgspec

from cryptotrader.bus import Subscription, Topic
from cryptotrader.core.errors import UnknownSymbol, VenueRejected
from cryptotrader.core.events import LinkChange
from cryptotrader.feeds import DEPTH, DepthFeed, FeedPolicy, Lease, LiveMarket, SymbolCatalogue
from cryptotrader.library.book import LocalOrderBook
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.net.backoff import ConnectionBudget
from cryptotrader.net.clock import WaitingClock
from cryptotrader.net.ws import Connector, connect_websocket
from cryptotrader.services.binance.endpoints import VenueEndpoints
from cryptotrader.services.binance.request import Params, RequestSpec
from cryptotrader.services.binance.streams import LinkDeps, MarketStreams, StreamPolicy, WireEvent
from cryptotrader.services.binance.websocketAPI.market_data_requests import symbol_price_ticker

MAX_CALLBACKS = 1_000
"""Callbacks that may be registered at a time. Reason: far more than a program has; a number that grows is a leak."""

INVALID_SYMBOL = (-1121, -1100)
"""What the venue answers for a symbol that it does not have, or that is none (``errors.md``)."""

P = TypeVar("P", bound=Params)
R = TypeVar("R")
T = TypeVar("T")


class Requester(Protocol):
    """Who asks the venue; ``BinanceWebSocketConnection`` is one."""

    async def request(self, spec: RequestSpec[P, R], params: P) -> R:
        """Send a request and answer its result; raises VenueError or NotConnected."""
        ...


@dataclass(frozen=True)
class _Asker:
    """``feeds.VenueRest`` over the WebSocket API: the feeds do not mind how they are answered."""

    connection: Requester

    async def call(self, spec: RequestSpec[P, R], params: P) -> R:
        return await self.connection.request(spec, params)


@dataclass(frozen=True)
class Surroundings:
    """What a test replaces.

    Attributes:
        clock: Time and waiting.
        connect: Opens a connection.
        draw: Random numbers of [0, 1).
    """

    clock: WaitingClock
    connect: Connector = connect_websocket
    draw: Callable[[], float] = random.random


class MarketData:
    """One set of stream connections, shared by all books; opened and closed by ``async with``.

    The streams reconnect for ever, with jitter inside Binance's budget, and are replaced before they are 24 hours old.
    Snapshots come over the WebSocket API (``depth``, weight 250 each), at most three at a time.

    Args:
        connection: Asks for snapshots. Whoever opened it closes it, after this object.
        endpoints: Where the streams are: ``endpoints_of("binance")``, ``"binance-testnet"``, ``paper(port=3100)``.
        policy: Limits of the feeds.
        streams: Limits of the stream connections.
        around: Clock, network and chance.
    """

    def __init__(
        self,
        connection: Requester,
        endpoints: VenueEndpoints,
        *,
        policy: FeedPolicy | None = None,
        streams: StreamPolicy | None = None,
        around: Surroundings | None = None,
    ) -> None:
        around = around or Surroundings(SystemClock())
        asker = _Asker(connection)
        self.links: Topic[LinkChange] = Topic("links")
        """State of the stream connections, whenever it changes."""
        deps = LinkDeps(
            venue=endpoints.name,
            url=f"{endpoints.stream_url}/stream",
            connect=around.connect,
            clock=around.clock,
            draw=around.draw,
            policy=streams or StreamPolicy(),
            budget=ConnectionBudget(),
            links=self.links,
        )
        self._asker = asker
        streams_of_venue = MarketStreams(deps)
        self._live = LiveMarket(
            asker,
            streams_of_venue,
            SymbolCatalogue(asker, around.clock),
            clock=around.clock,
            policy=policy or FeedPolicy(),
            draw=around.draw,
        )
        self._jobs = Supervisor("market data callbacks", max_jobs=MAX_CALLBACKS)
        self._open: set[LocalOrderBook] = set()
        self._streams = streams_of_venue
        self._listeners: dict[str, list[tuple[Callable[[msgspec.Raw], Any], Callable[[Any], None]]]] = {}
        self._listening: Subscription | None = None

    async def __aenter__(self) -> MarketData:
        await self._live.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every book, job and connection."""
        for book in tuple(self._open):
            book.close()
        await self._jobs.close()
        await self._live.close()

    @property
    def is_connected(self) -> bool:
        """Whether the streams are up."""
        return self._live.is_connected

    def book(self, symbol: str) -> LocalOrderBook:
        """A book of ``symbol``, closed; ``async with`` opens it. Books of one symbol share what is received."""
        return LocalOrderBook(symbol.upper(), self)

    def listen(self, stream: str, kind: type[T], callback: Callable[[T], None]) -> Subscription:
        """Call ``callback`` with every message of a stream, decoded into ``kind``, until the subscription is closed.

        The callback is called as the message is read, so nothing is queued: while it works, the venue waits. Around a
        replacement of the connection a message may come twice, never out of order; what was sent during an outage is
        lost to a bare stream. ``links`` tells of outages; a ``LocalOrderBook`` heals itself.

        Args:
            stream: The venue's name for it: ``btcusdt@trade``.
            kind: A msgspec type, such as ``TradeEvent``; ``dict`` for everything.
            callback: Short, and does not raise.
        """
        listener = (msgspec.json.Decoder(kind).decode, callback)

        if self._listening is None:
            self._listening = self._streams.events.subscribe(self._on_event)
        listeners = self._listeners.setdefault(stream, [])
        listeners.append(listener)
        self._streams.want(stream)

        def cancel() -> None:
            listeners.remove(listener)
            if not listeners:
                del self._listeners[stream]
                self._streams.unwant(stream)

        return Subscription(cancel)

    def _on_event(self, event: WireEvent) -> None:
        for decode, callback in self._listeners.get(event.stream, ()):
            callback(decode(event.payload))

    async def check_symbol(self, symbol: str) -> None:
        """Ask the venue whether it has a symbol (weight 2).

        Raises:
            UnknownSymbol: It has not.
            VenueError: It could not be asked.
        """
        spec = symbol_price_ticker.SPEC
        try:
            await self._asker.call(spec, symbol_price_ticker.PriceTickerParams(symbol=symbol))
        except VenueRejected as error:
            if error.venue_code in INVALID_SYMBOL:
                raise UnknownSymbol("Invalid symbol", param="symbol", problem="unknown") from None
            raise

    def attach(self, book: LocalOrderBook) -> tuple[Lease, DepthFeed]:
        """Feed a book until ``detach``; for ``LocalOrderBook``."""
        lease = self._live.lease(book.symbol, DEPTH)
        assert isinstance(lease.feed, DepthFeed)
        self._open.add(book)
        return lease, lease.feed

    def detach(self, book: LocalOrderBook, lease: Lease) -> None:
        """Feed it no more; for ``LocalOrderBook``."""
        lease.close()
        self._open.discard(book)

    def run(self, name: str, job: Callable[[], Awaitable[None]]) -> Subscription:
        """Run a callback's loop until the subscription is closed; for ``LocalOrderBook``."""
        task = self._jobs.start(name, job, restart=True)

        def cancel() -> None:
            task.cancel()

        return Subscription(cancel)
