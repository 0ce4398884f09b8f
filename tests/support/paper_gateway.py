"""The gateway's HTTP half on a real port, before a paper exchange on another one, in the test's own process.

Market data always comes from the exchange's REST here; the streams are proven elsewhere.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx2
import uvicorn

from cryptotrader.core.limits import WindowLimit
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.feeds.catalogue import SymbolCatalogue
from cryptotrader.gateway import AccountServices, GatewayServices, ListenKeys, create_gateway_app
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.net.http import HttpClient
from cryptotrader.services.binance.endpoints import paper
from cryptotrader.services.binance.restAPI import BinanceRest, RestPolicy
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.keys import DEFAULT_ACCOUNT
from cryptotrader.trading.orders import OrderDesk
from tests.support.gateway import AUTH, TOKEN, FakeLive
from tests.support.paper import running_exchange
from tests.support.waiting import eventually


@dataclass
class PaperGateway:
    """A running gateway and the exchange behind it."""

    base: str
    exchange: ExchangeServer
    client: httpx2.AsyncClient

    async def fault(self, **fault: object) -> None:
        """Have the exchange misbehave."""
        async with httpx2.AsyncClient(base_url=self.exchange.url) as admin:
            (await admin.post("/admin/faults", json=fault)).raise_for_status()


@asynccontextmanager
async def running_gateway(*, timeout_s: float = 10.0) -> AsyncIterator[PaperGateway]:
    """Boot both, and stop both.

    Args:
        timeout_s: How long the gateway waits for the exchange.
    """
    clock = SystemClock()
    async with running_exchange() as exchange, Supervisor("test-gateway") as jobs:
        http = HttpClient(answer_timeout_s=timeout_s)
        credentials = Credentials.of(SAMPLE_KEY_ID, SAMPLE_SECRET)
        policy = RestPolicy(timeout_s=timeout_s)
        rest = BinanceRest(http, paper("127.0.0.1", exchange.port), credentials, clock, policy=policy)
        orders = OrderDesk(rest, clock, entropy=secrets.token_bytes)
        services = GatewayServices(
            upstream=rest,
            accounts={DEFAULT_ACCOUNT: AccountServices(rest, orders)}.__getitem__,
            live=FakeLive(),
            catalogue=SymbolCatalogue(rest, clock),
            authenticator=Authenticator([TOKEN]),
            limits=WindowLimit(1_000_000),
            listen_keys=ListenKeys(clock, secrets.token_bytes),
            clock=clock,
            mode="paper",
            may_trade=True,
            started_ns=clock.monotonic_ns(),
        )
        config = uvicorn.Config(
            create_gateway_app(services), host="127.0.0.1", port=0, lifespan="off", log_config=None, ws="none"
        )
        server = uvicorn.Server(config)
        server.capture_signals = _no_signals  # type: ignore[method-assign]
        task = jobs.start("gateway", server.serve)
        await eventually(lambda: server.started)
        base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        try:
            async with httpx2.AsyncClient(base_url=base, headers=AUTH, timeout=30) as client:
                yield PaperGateway(base, exchange, client)
        finally:
            server.should_exit = True
            await asyncio.wait([task], timeout=5)
            await orders.close()
            await rest.close()
            await http.close()


@contextmanager
def _no_signals() -> Iterator[None]:
    yield
