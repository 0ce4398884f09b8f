"""A paper exchange for test suites, running on a free port of this machine in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from cryptotrader.core.clock import Clock
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET, PaperAccount
from cryptotrader.exchange.latency import read_latency
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.spec import open_market
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.testing.clock import PaperClock

DEFAULT_MARKET = "synthetic?seed=1&symbols=BTCUSDT,ETHUSDT"
"""Small, so that an exchange per test starts fast."""

START_S = 30.0
"""How long the start may take. Unit: seconds. Reason: a large recording on a slow machine."""

TURN_S = 30.0
"""How long the market may take to follow a clock that was turned. Unit: seconds."""

ADMIN_S = 30.0
"""How long the exchange may take to answer the back door. Unit: seconds."""


@dataclass(frozen=True)
class ExchangeOptions:
    """How a paper exchange is set up for a test.

    Attributes:
        market: Who moves it, as ``cryptotrader exchange --market`` takes it; ``mirror:`` is not possible.
        balances: What the default account holds, as text; None is a generous default.
        limits: Whether requests are limited as at Binance.
        latency: How long requests are on their way: ``MS[+JITTER_MS][@SEED]``.
    """

    market: str = DEFAULT_MARKET
    balances: Mapping[str, str] | None = None
    limits: bool = True
    latency: str = "0"

    def build(self, clock: Clock) -> ExchangeServer:
        """The exchange, in memory, not yet on a port."""
        sources = open_market(self.market)
        rules = rules_for(symbol for source in sources for symbol in source.symbols)
        account = PaperAccount()
        if self.balances is not None:
            account = PaperAccount(balances={name: parse_scaled(amount) for name, amount in self.balances.items()})
        venue = PaperVenue(rules, sources, clock=clock, accounts=[account])
        server = ExchangeServer(venue, port=0, limits=None if self.limits else LimitPolicy.off())
        server.operations.desk.roads.set_default(read_latency(self.latency))
        return server


@dataclass(frozen=True)
class PaperAccess:
    """An account's way in.

    Attributes:
        account: Its name.
        api_key: What goes into ``X-MBX-APIKEY``.
        secret: The shared secret, or the private key as PEM.
    """

    account: str = "default"
    api_key: str = SAMPLE_KEY_ID
    secret: str = field(default=SAMPLE_SECRET, repr=False)

    @property
    def credentials(self) -> Credentials:
        """For this product's own client."""
        return Credentials.of(self.api_key, self.secret)


class RunningExchange:
    """A paper exchange on a port. Use ``run_exchange`` or the fixture ``paper_exchange`` to get one.

    Attributes:
        url: Base URL of the REST API: ``http://127.0.0.1:34567``.
        stream_url: Base URL of the streams: ``ws://127.0.0.1:34567``, in front of ``/ws`` and ``/stream``.
        ws_api_url: Address of the WebSocket API.
        clock: Its time.
        default: The way into the default account.
    """

    def __init__(self, server: ExchangeServer, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self.clock = clock
        self.default = PaperAccess()
        self.host, self.port = server.host, server.port
        self.url = server.url
        self.stream_url = f"ws://{server.host}:{server.port}"
        self.ws_api_url = f"{self.stream_url}/ws-api/v3"
        self._server = server
        self._loop = loop

    @property
    def api_key(self) -> str:
        """Key of the default account."""
        return self.default.api_key

    @property
    def api_secret(self) -> str:
        """Its secret."""
        return self.default.secret

    def admin(self, method: str, path: str, body: object = None) -> Any:
        """Ask the back door: ``admin("POST", "/market", {"action": "pause"})``.

        Raises:
            ValueError: It refuses; the text says why.
        """
        content = {} if method in ("GET", "DELETE") else {"json": {} if body is None else body}
        answer = httpx2.request(method, f"{self.url}/admin{path}", timeout=ADMIN_S, **content)  # type: ignore[arg-type]
        told = answer.json()
        if answer.is_error:
            raise ValueError(told.get("msg", told))
        return told

    def open_account(
        self, name: str, *, balances: Mapping[str, str] | None = None, kind: str = "hmac", **terms: object
    ) -> PaperAccess:
        """Open an account with one key.

        Args:
            name: Its name.
            balances: Asset to amount; None is a generous default.
            kind: ``hmac``, ``ed25519`` or ``rsa``.
            terms: Anything else that ``POST /admin/accounts`` takes, such as ``taker_bps=5``.
        """
        body = {"account": name, "keys": [kind], **terms}
        made = self.admin("POST", "/accounts", body if balances is None else body | {"balances": dict(balances)})
        key = made["keys"][0]
        return PaperAccess(account=name, api_key=key["key"], secret=key.get("secret") or key["private_key"])

    def deposit(self, asset: str, amount: str, *, account: str = "default") -> None:
        """Add paper money, or with a negative amount take it."""
        self.admin("POST", f"/accounts/{account}/deposit", {"asset": asset, "amount": amount})

    def reset(self, balances: Mapping[str, str] | None = None, *, account: str = "default") -> None:
        """Cancel an account's open orders and set what it holds."""
        self.admin("POST", f"/accounts/{account}/reset", {} if balances is None else {"balances": dict(balances)})

    def add_fault(self, kind: str, **fields: object) -> int:
        """Let a fault wait: ``add_fault("error", operation="order.place", code=-1001)``; returns its number."""
        return int(self.admin("POST", "/faults", {"kind": kind, **fields})["id"])

    def clear_faults(self) -> None:
        """Forget all faults."""
        self.admin("DELETE", "/faults")

    def market(self, action: str, **fields: object) -> Any:
        """Control the market: ``market("pause")``, ``market("step", count=10)``, ``market("speed", speed="5")``."""
        return self.admin("POST", "/market", {"action": action, **fields})

    def catch_up(self) -> None:
        """Return when the market has handed over everything that is due by the exchange's clock."""
        asyncio.run_coroutine_threadsafe(self._catch_up(), self._loop).result(TURN_S)

    async def _catch_up(self) -> None:
        self._server.venue.catch_up()


@contextmanager
def run_exchange(
    options: ExchangeOptions | None = None, *, clock: PaperClock | None = None
) -> Iterator[RunningExchange]:
    """A paper exchange on a free port of this machine, for as long as it is wanted.

    Args:
        options: How it is set up.
        clock: Its time; None is real time.

    Raises:
        ConfigError: The options will not do.
    """
    started: Future[tuple[RunningExchange, Callable[[], None]]] = Future()

    async def serve() -> None:
        time = clock or SystemClock()
        server = (options or ExchangeOptions()).build(time)
        server.bind()
        loop = asyncio.get_running_loop()
        async with Supervisor("paper exchange") as jobs:
            serving = jobs.start("port", server.serve)
            await server.wait_started()
            started.set_result((RunningExchange(server, loop, time), lambda: _call(loop, server.stop)))
            await serving

    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="paper-exchange")
    serving = pool.submit(lambda: asyncio.run(serve()))
    try:
        either: list[Future[Any]] = [started, serving]
        wait(either, START_S, return_when=FIRST_COMPLETED)
        if serving.done():
            serving.result()
        exchange, stop = started.result(0)
        stop_following = clock.call_on_turn(exchange.catch_up) if clock is not None else None
        try:
            yield exchange
        finally:
            if stop_following is not None:
                stop_following()
            stop()
            serving.result(START_S)
    finally:
        pool.shutdown(wait=False)


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(callback)
