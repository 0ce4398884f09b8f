"""How a diagnostic sends a request and judges the answer: through the real ``process_request`` and its callback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from statistics import median
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

import msgspec

from cryptotrader.config import REDACTOR, get_logger
from cryptotrader.config.settings import is_loopback
from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.core.errors import CryptotraderError, VenueRejected, VenueUnreachable
from cryptotrader.net import SystemClock
from cryptotrader.net.http import HttpClient
from cryptotrader.services.binance.request import RequestSpec, SecurityType
from cryptotrader.services.binance.restAPI.client import BinanceRest
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._venues import Venue
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy

logger = get_logger(__name__)

TEST_SYMBOL = "BTCUSDT"
"""What market data is asked for and paper orders are placed in."""

UNKNOWN_SYMBOL = "NOSUCHSYMBOL"

CONNECT_TIMEOUT_S = 10.0
"""Longest wait for a connection. Unit: seconds. Reason: a few attempts over a slow network."""

LOCAL_CONNECT_TIMEOUT_S = 2.0
"""The same on this machine. Reason: a server that runs here answers at once."""

CLOSE_TIMEOUT_S = 10.0
"""Longest farewell. Unit: seconds. Reason: the connection itself drops the socket sooner."""

REPLY_TIMEOUT_S = 15.0
"""Longest wait for a callback. Unit: seconds. Reason: more than the ten that the venue gives itself (-1007)."""

UNSUPPORTED_OPERATION = -1020
"""Source: ``errors.md``."""

HARMLESS = frozenset({"order.test", "sor.order.test"})
"""Requests of the security type TRADE that never reach a matching engine."""

REMOTE_SAMPLES = 10
"""Most latency samples against a venue of others. Unit: pairs of requests. Reason: they cost its request weight."""


Callback = Callable[[dict[str, Any]], Awaitable[None]]


class NotHere(Exception):
    """This venue or this key cannot do what the test needs; the text says what would be needed."""


class RequestModule(Protocol):
    """A module of a request category."""

    @property
    def SPEC(self) -> RequestSpec[Any, Any]:  # noqa: N802 - the name that all request modules share
        """What the request is."""
        ...

    @property
    def process_request(self) -> Callable[[BinanceWebSocketConnection, dict[str, Any], Callback], Awaitable[str]]:
        """Sends it."""
        ...


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """The same request over both APIs, taken in turns. Unit: milliseconds."""

    method: str
    samples: int
    websocket_median_ms: float
    websocket_worst_ms: float
    rest_median_ms: float
    rest_worst_ms: float

    @property
    def text(self) -> str:
        """For the reader."""
        ratio = self.rest_median_ms / self.websocket_median_ms if self.websocket_median_ms else 0.0
        return (
            f"{self.method}, {self.samples} of each in turns: WebSocket API {self.websocket_median_ms:.2f} ms "
            f"(worst {self.websocket_worst_ms:.2f}), REST {self.rest_median_ms:.2f} ms "
            f"(worst {self.rest_worst_ms:.2f}); REST takes {ratio:.1f} times as long"
        )


@asynccontextmanager
async def opened(venue: Venue, **options: Any) -> AsyncIterator[BinanceWebSocketConnection]:
    """A connection to the venue that is closed in any case; ``options`` are those of the connection."""
    url = venue.endpoints.ws_api_url
    patience_s = LOCAL_CONNECT_TIMEOUT_S if is_loopback(urlsplit(url).hostname or "") else CONNECT_TIMEOUT_S
    policy = ConnectionPolicy(connect_timeout_s=patience_s)
    settings = {"url": url, "credentials": venue.credentials, "policy": policy, **options}
    connection = BinanceWebSocketConnection(**settings)
    try:
        async with asyncio.timeout(2 * CONNECT_TIMEOUT_S):
            await connection.connect()
        yield connection
    finally:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await connection.close()


def describe(error: BaseException) -> str:
    """What went wrong, in one line and without secrets."""
    if isinstance(error, VenueRejected):
        text = f"{error.message} (code {error.venue_code}, status {error.http_status})"
    elif isinstance(error, CryptotraderError):
        text = error.message
    elif isinstance(error, TimeoutError):
        text = "no answer in time"
    else:
        text = f"{type(error).__name__}: {error}"
    return REDACTOR.clean(text)


def expect(condition: bool, otherwise: str) -> None:
    """Fail the test with this text unless the condition holds."""
    if not condition:
        raise AssertionError(otherwise)


class RequestsTester:
    """Base of the testers: one category against one venue.

    Attributes:
        category: What the banner and the summary call it.
        answered: Methods to which the venue has answered.
        latencies: Comparisons with REST.
    """

    category: ClassVar[str] = ""

    def __init__(self, venue: Venue, connection: BinanceWebSocketConnection) -> None:
        self.venue = venue
        self.connection = connection
        self.answered: set[str] = set()
        self.latencies: list[Latency] = []
        self.clock = SystemClock()

    @classmethod
    def test_names(cls) -> list[str]:
        """In the order in which they stand in the source."""
        return [name for name in vars(cls) if name.startswith("test_")]

    async def reply(self, module: RequestModule, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request through its module and return the whole reply, whatever its status.

        Raises:
            NotHere: There is no key for it, or it would trade where this run may not.
            AssertionError: The reply is not the one to this request.
            TimeoutError: The callback was not called.
        """
        return await self.reply_on(self.connection, module, params)

    async def reply_on(
        self, connection: BinanceWebSocketConnection, module: RequestModule, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The same over another connection."""
        self._admit(module.SPEC)
        replies: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=1)

        async def callback(reply: dict[str, Any]) -> None:
            replies.put_nowait(reply)

        async with asyncio.timeout(REPLY_TIMEOUT_S):
            message_id = await module.process_request(connection, dict(params or {}), callback)
            reply = await replies.get()
        expect(reply.get("id") == message_id, f"the reply has the id {reply.get('id')!r}, not {message_id!r}")
        self.answered.add(module.SPEC.method)
        return reply

    async def ask(self, module: RequestModule, params: Mapping[str, Any] | None = None) -> Any:
        """Send a request, check that its result has the promised form, and return the result as it came.

        Raises:
            VenueRejected: The venue refused it.
            NotHere: The venue does not offer it, or as for ``reply``.
            ValidationError: The result is not what the module promises.
        """
        return await self.ask_on(self.connection, module, params)

    async def ask_on(
        self, connection: BinanceWebSocketConnection, module: RequestModule, params: Mapping[str, Any] | None = None
    ) -> Any:
        """The same over another connection."""
        reply = await self.reply_on(connection, module, params)
        if reply["status"] != 200:
            refusal = refusal_of(reply)
            if is_unsupported(refusal):
                raise NotHere(f"the venue does not offer it: {refusal.message}")
            raise refusal
        msgspec.convert(reply["result"], module.SPEC.result, strict=False)
        return reply["result"]

    async def refusal(self, module: RequestModule, params: Mapping[str, Any] | None = None) -> VenueRejected:
        """Send a request that the venue must refuse, and return its refusal."""
        reply = await self.reply(module, params)
        expect(reply["status"] != 200, f"{module.SPEC.method} was not refused")
        return refusal_of(reply)

    async def missing(self, module: RequestModule, params: Mapping[str, Any], name: str) -> str:
        """A request without a required parameter must be refused here (S4-7)."""

        async def callback(reply: dict[str, Any]) -> None:
            raise AssertionError(f"it was sent and answered: {reply}")

        try:
            await module.process_request(self.connection, dict(params), callback)
        except ValueError as error:
            expect(str(error) == f"Missing required parameter: {name}", f"refused with the text: {error}")
            return f"refused: {error}"
        raise AssertionError(f"{module.SPEC.method} was sent without {name}")

    async def compare_with_rest(
        self, module: RequestModule, params: Mapping[str, Any] | None = None, *, samples: int = 50
    ) -> str:
        """Take the latency of the same request over the WebSocket API and over REST, in turns (S4-23).

        Args:
            samples: Pairs of requests against the embedded exchange; fewer elsewhere.
        """
        count = samples if self.venue.is_embedded else min(samples, REMOTE_SAMPLES)
        wire = dict(params or {})
        typed = msgspec.convert(wire, module.SPEC.params)
        websocket_ms: list[float] = []
        rest_ms: list[float] = []
        async with HttpClient() as http:
            rest = BinanceRest(http, self.venue.endpoints, self.venue.credentials, self.clock)
            try:
                await self.ask(module, wire)
                await rest.call(module.SPEC, typed)
                for _ in range(count):
                    started_ns = self.clock.monotonic_ns()
                    await self.reply(module, wire)
                    websocket_ms.append(self._since_ms(started_ns))
                    started_ns = self.clock.monotonic_ns()
                    await rest.call(module.SPEC, typed)
                    rest_ms.append(self._since_ms(started_ns))
            except VenueUnreachable:
                raise NotHere(f"no REST API at {self.venue.endpoints.rest_url} to compare with") from None
            finally:
                await rest.close()
        latency = Latency(
            method=module.SPEC.method,
            samples=count,
            websocket_median_ms=median(websocket_ms),
            websocket_worst_ms=max(websocket_ms),
            rest_median_ms=median(rest_ms),
            rest_worst_ms=max(rest_ms),
        )
        self.latencies.append(latency)
        return latency.text

    @property
    def is_ed25519(self) -> bool:
        """Whether the key can log on to a session; other kinds cannot."""
        return self.venue.credentials is not None and self.venue.credentials.signer.kind == "ed25519"

    def need_orders(self) -> None:
        """Pass the test over where it would place orders that this run may not place."""
        self.need_key()
        if not self.venue.may_trade:
            raise NotHere("it would place or change orders, which this run does not do here")

    def need_key(self) -> None:
        """Pass the test over where there is no key."""
        if self.venue.credentials is None:
            raise NotHere("it needs a key: set BINANCE_API_KEY and BINANCE_API_SECRET (or BINANCE_PRIVATE_KEY)")

    def _admit(self, spec: RequestSpec[Any, Any]) -> None:
        """The one gate before every request that is sent: nothing that could trade passes where it may not."""
        if spec.needs_key:
            self.need_key()
        if spec.security is SecurityType.TRADE and spec.method not in HARMLESS:
            self.need_orders()

    def _since_ms(self, started_ns: int) -> float:
        return (self.clock.monotonic_ns() - started_ns) / NS_PER_MS


def is_unsupported(refusal: VenueRejected) -> bool:
    """Whether the venue, or the symbol there, does not know such requests at all."""
    return refusal.venue_code == UNSUPPORTED_OPERATION or "not supported for this symbol" in refusal.message


def refusal_of(reply: Mapping[str, Any]) -> VenueRejected:
    """The error that a reply carries."""
    error = reply.get("error") or {}
    return VenueRejected(
        str(error.get("msg", "no text")), venue_code=int(error.get("code", 0)), http_status=int(reply.get("status", 0))
    )
