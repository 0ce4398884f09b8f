"""``cryptotrader serve``: builds the graph of objects, runs it, and takes it down in order.

The order of stopping is the reverse of the flow of data: no new clients, 1001 to those who are there, open requests
end, the user stream is released, the market streams close, and last the paper exchange writes what it has.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack

from cryptotrader.config import get_logger
from cryptotrader.config.settings import Settings
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.limits import WindowLimit
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.gateway.app import create_gateway_app
from cryptotrader.gateway.http.protocol import GatewayHttp
from cryptotrader.gateway.listen_keys import ListenKeys
from cryptotrader.gateway.ports import GatewayServices
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.runtime.accounts import VenueAccounts, credentials_for
from cryptotrader.runtime.channels import ChannelParts, exchange_name, open_channels, open_journal
from cryptotrader.runtime.credentials import credentials_by_account, credentials_of
from cryptotrader.runtime.exchange import open_exchange
from cryptotrader.runtime.paths import generated_token, key_file
from cryptotrader.runtime.positions import open_keeping
from cryptotrader.runtime.process import STOP_TIMEOUT_S, run, stopped_within
from cryptotrader.runtime.upstream import Upstream, open_upstream
from cryptotrader.services.binance.endpoints import VenueEndpoints, endpoints_of, paper
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.exchanges import ExchangeFeeds
from cryptotrader.sessions.streams import StreamLimits, StreamSessions
from cryptotrader.sessions.tracing import answer_headers
from cryptotrader.sessions.ws import ConnectionSlots, SlotLimits, WebSocketRouter
from cryptotrader.transport.policy import TransportPolicy
from cryptotrader.transport.protocol import websocket_protocol
from cryptotrader.transport.server import PortServer

log = get_logger(__name__)

SAMPLE_TOKEN = "test_token_123"
"""The token of source 0's samples. It opens a loopback paper set-up where no token is configured."""

KEY_REFRESH_S = 1.0
"""How often the key file is looked at. Unit: seconds. Reason: a revoked key must stop working at once."""


def run_serve(settings: Settings) -> int:
    """Run until a signal; returns the exit code."""

    async def main(stop: asyncio.Event) -> None:
        await _Process(settings).run(stop)

    return run(main)


def bearer_tokens(settings: Settings) -> list[str]:
    """Tokens that open the gateway: the configured ones, or the generated one and on paper the documented one.

    Raises:
        ConfigError: The gateway would be reachable from other machines without a configured token.
    """
    configured = [token.get_secret_value() for token in settings.bearer_tokens]
    if configured:
        return configured
    if not settings.is_loopback:
        raise ConfigError(
            f"listening on {settings.host} needs a configured token: set HTTP_BEARER_TOKEN, or listen on 127.0.0.1"
        )
    tokens = [generated_token(settings.data_dir)]
    return [*tokens, SAMPLE_TOKEN] if settings.mode == "paper" else tokens


class _Process:
    """One run of ``serve``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._tokens = bearer_tokens(settings)
        self._credentials = credentials_of(settings)
        self._by_account = credentials_by_account(settings)
        self._started_ns = self._clock.monotonic_ns()

    async def run(self, stop: asyncio.Event) -> None:
        """Start everything, wait for ``stop``, end everything."""
        async with AsyncExitStack() as stack:
            exchange, endpoints = await self._venue(stack)
            upstream = await open_upstream(stack, endpoints, self._credentials, settings=self._settings)
            accounts = self._accounts(stack, upstream, exchange)
            server, router = await self._gateway(stack, upstream, accounts)
            accounts.open_watched()
            jobs = await stack.enter_async_context(Supervisor("gateway"))
            serving = jobs.start("port", server.serve)
            await server.wait_started()
            print(self._banner(server, exchange, endpoints), flush=True)
            await _first(stop, serving)
            log.info("stopping")
            router.drain()
            server.stop()
            await stopped_within(STOP_TIMEOUT_S, asyncio.wait([serving]), "the gateway")

    async def _venue(self, stack: AsyncExitStack) -> tuple[ExchangeServer | None, VenueEndpoints]:
        """Where the venue is; with the venue ``paper`` and no other address it is started here."""
        settings = self._settings
        addresses = {
            "rest_url": settings.binance_rest_url,
            "stream_url": settings.binance_stream_url,
            "ws_api_url": settings.binance_ws_api_url,
        }
        if settings.venue != "paper" or any(addresses.values()):
            return None, endpoints_of(settings.venue, **addresses)
        exchange = await open_exchange(stack, settings)
        jobs = await stack.enter_async_context(Supervisor("paper exchange"))
        serving = jobs.start("exchange", exchange.serve)

        async def stop() -> None:
            exchange.stop()
            await stopped_within(STOP_TIMEOUT_S, asyncio.wait([serving]), "the paper exchange")

        stack.push_async_callback(stop)
        await exchange.wait_started()
        return exchange, paper(exchange.host, exchange.port)

    def _accounts(self, stack: AsyncExitStack, upstream: Upstream, exchange: ExchangeServer | None) -> VenueAccounts:
        """Accounts of clients' keys; those of an embedded paper exchange are made when they are needed."""
        settings = self._settings
        endpoints = upstream.endpoints
        keeping = open_keeping(stack, settings.data_dir, endpoints=endpoints, may_trade=settings.may_trade)
        paper_venue = None if exchange is None else exchange.venue
        accounts = VenueAccounts(
            upstream,
            credentials_for(self._credentials, self._by_account, paper_venue),
            keeping=keeping,
            user_stream_mode=settings.user_stream_mode,
            timeout_s=settings.upstream_timeout_s,
            has_predecessor=settings.mode != "paper",
        )
        stack.push_async_callback(accounts.close)
        return accounts

    async def _gateway(
        self, stack: AsyncExitStack, upstream: Upstream, accounts: VenueAccounts
    ) -> tuple[PortServer, WebSocketRouter]:
        """The port and what stands behind it."""
        settings, clock = self._settings, self._clock
        name, shared = exchange_name(upstream.endpoints), upstream.shared
        journal = open_journal(name, shared.links, shared.reports)
        authenticator = Authenticator(self._tokens, key_file(settings), clock=clock)
        listen_keys = ListenKeys(clock, secrets.token_bytes)
        services = GatewayServices(
            upstream=upstream.rest,
            accounts=accounts.services,
            live=upstream.live,
            catalogue=upstream.catalogue,
            authenticator=authenticator,
            limits=WindowLimit(settings.rate_limit),
            listen_keys=listen_keys,
            clock=clock,
            mode=settings.mode,
            may_trade=settings.may_trade,
            started_ns=self._started_ns,
            exchange=name,
        )
        slots = ConnectionSlots(SlotLimits(settings.max_connections))
        sessions = StreamSessions(
            upstream.live,
            accounts.feeds,
            authenticator,
            catalogue=upstream.catalogue,
            limits=StreamLimits(max_connections=settings.max_ws_connections),
            clock=clock,
            slots=slots,
        )
        sessions.serve_listen_keys(listen_keys)
        # After the sessions, so that clients of a revoked key are told that, and not that their listen key is closed.
        authenticator.on_revoked.subscribe(listen_keys.close_of)
        stack.push_async_callback(sessions.close)
        jobs = await stack.enter_async_context(Supervisor("keys"))

        async def refresh_keys() -> None:
            while True:
                await asyncio.sleep(KEY_REFRESH_S)
                authenticator.refresh()

        jobs.start("refresh", refresh_keys, restart=True)
        exchanges = {name: ExchangeFeeds(name, upstream.live, upstream.catalogue, accounts.feeds)}
        router = await open_channels(
            stack, ChannelParts(exchanges, authenticator, journal, streams=sessions, slots=slots, clock=clock)
        )
        websockets = websocket_protocol(router.route, TransportPolicy(answer_headers=answer_headers))
        app = create_gateway_app(services)
        server = PortServer(app, websockets, host=settings.host, port=settings.port, http=GatewayHttp)
        server.bind()
        return server, router

    def _banner(self, server: PortServer, exchange: ExchangeServer | None, endpoints: VenueEndpoints) -> str:
        """What a newcomer needs first. The generated token is shown to whoever started the process, nowhere else."""
        settings = self._settings
        lines = [f"Gateway         {server.url}     mode: {settings.mode}"]
        if exchange is not None:
            lines.append(f"Paper exchange  {exchange.url}")
        else:
            lines.append(f"Venue           {endpoints.name} at {endpoints.rest_url}")
        if settings.bearer_tokens:
            lines.append("Bearer token    as configured in HTTP_BEARER_TOKEN")
        else:
            sample = f"   (also {SAMPLE_TOKEN}, since this is a paper set-up on loopback)"
            lines.append(f"Bearer token    {self._tokens[0]}{sample if settings.mode == 'paper' else ''}")
        if self._credentials is None:
            lines.append("Account         no BINANCE_API_KEY: market data only")
        elif not settings.may_trade:
            lines.append("Orders          refused; start with --live-trading to trade real money")
        lines.append(f"Documents       {server.url}/docs")
        return "\n".join(lines)


async def _first(stop: asyncio.Event, serving: asyncio.Task[None]) -> None:
    """Wait for the signal, or for the port to end by itself."""
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(stop.wait())
        await asyncio.wait([waiting, serving], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
