"""The paper exchange as a process of its own, and as a part of ``serve``."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from cryptotrader.config import REDACTOR
from cryptotrader.config.settings import Settings, is_loopback
from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.accounts import DEFAULT_ACCOUNT_ID, SAMPLE_KEY_ID, ApiKey, KeyKind, sample_key
from cryptotrader.exchange.latency import read_latency
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.source import MarketSource
from cryptotrader.exchange.market.spec import MirrorSpec, open_market, parse_market
from cryptotrader.exchange.market.synthetic import SyntheticSource
from cryptotrader.exchange.protocol.faults import FaultRules, read_rules
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.exchange.server import ExchangeServer
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import Supervisor, SystemClock
from cryptotrader.runtime.mirror import open_mirror
from cryptotrader.runtime.paths import ADMIN_TOKEN, exchange_store, generated_token, make_data_dir
from cryptotrader.runtime.process import STOP_TIMEOUT_S, run, stopped_within


async def open_exchange(stack: AsyncExitStack, settings: Settings) -> ExchangeServer:
    """The exchange as the settings describe it, with its port taken; ``stack`` ends what it follows.

    Raises:
        ConfigError: The market cannot be read or reached, the port is taken, or the journal cannot be used.
    """
    wanted = [part for part in parse_market(settings.market) if isinstance(part, MirrorSpec)]
    return build_exchange(settings, {part: await open_mirror(stack, part, settings) for part in wanted})


def build_exchange(settings: Settings, mirrors: Mapping[MirrorSpec, MarketSource] | None = None) -> ExchangeServer:
    """As ``open_exchange``, with whatever is mirrored opened already."""
    make_data_dir(settings.data_dir)
    key = exchange_key(settings)
    sources = open_market(settings.market, mirrors)
    rules = rules_for(symbol for source in sources for symbol in source.symbols)
    store = exchange_store(settings.data_dir)
    venue = PaperVenue(rules, sources, clock=SystemClock(), keys=[key], store_path=store)
    server = ExchangeServer(
        venue,
        host=settings.exchange_host,
        port=settings.exchange_port,
        limits=LimitPolicy.off() if settings.exchange_limits == "off" else None,
        faults=exchange_faults(settings),
        block_symbols=[symbol for each in sources if isinstance(each, SyntheticSource) for symbol in each.symbols],
        admin_token=admin_token(settings),
    )
    server.operations.desk.roads.set_default(read_latency(settings.exchange_latency))
    server.bind()
    return server


def exchange_faults(settings: Settings) -> FaultRules:
    """The rules file, and how late market data is; the setting counts where the file says nothing about it.

    Raises:
        ConfigError: The file cannot be read, or a field in it is wrong; the text names it.
    """
    rules = FaultRules()
    if settings.exchange_faults is not None:
        try:
            text = settings.exchange_faults.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read the faults in {settings.exchange_faults}: {error}") from None
        rules = read_rules(text, settings.exchange_faults.name)
    if not rules.market_latency.is_none:
        return rules
    return msgspec.structs.replace(rules, market_latency=read_latency(settings.exchange_market_latency))


def admin_token(settings: Settings) -> str | None:
    """What the back door wants of other machines: as configured, else made once where there can be any."""
    if settings.exchange_admin_token is not None:
        return settings.exchange_admin_token.get_secret_value()
    return None if is_loopback(settings.exchange_host) else generated_token(settings.data_dir, ADMIN_TOKEN)


def exchange_key(settings: Settings) -> ApiKey:
    """The documented sample key on loopback; elsewhere one that is made once and kept in the data folder."""
    if is_loopback(settings.exchange_host):
        return sample_key()
    make_data_dir(settings.data_dir)
    path = settings.data_dir / "exchange-key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f"{secrets.token_hex(32)}\n{secrets.token_hex(32)}\n", "utf-8")
    key_id, _, secret = path.read_text("utf-8").strip().partition("\n")
    if not key_id or not secret:
        raise ConfigError("the exchange-key file in the data folder is broken; delete it to get a new one")
    REDACTOR.learn(secret)
    return ApiKey(id=key_id, account=DEFAULT_ACCOUNT_ID, kind=KeyKind.HMAC, secret=secret)


def run_exchange(settings: Settings) -> int:
    """``cryptotrader exchange``; returns the exit code."""

    async def main(stop: asyncio.Event) -> None:
        async with AsyncExitStack() as stack:
            server = await open_exchange(stack, settings)
            jobs = await stack.enter_async_context(Supervisor("process"))
            serving = jobs.start("exchange", server.serve)
            await server.wait_started()
            print(exchange_banner(server, settings), flush=True)
            await stop.wait()
            server.stop()
            await stopped_within(STOP_TIMEOUT_S, asyncio.wait([serving]), "the exchange")

    return run(main)


def exchange_banner(server: ExchangeServer, settings: Settings) -> str:
    """What a newcomer needs to point a client at it."""
    key = exchange_key(settings)
    secret = "your_binance_secret_key" if key.id == SAMPLE_KEY_ID else f"see {Path('exchange-key')} in the data folder"
    lines = [f"Paper exchange  {server.url}", f"  API key       {key.id}", f"  secret        {secret}"]
    if settings.exchange_admin_token is None and not is_loopback(settings.exchange_host):
        lines.append(f"  admin token   see {ADMIN_TOKEN} in the data folder")
    return "\n".join(lines)
