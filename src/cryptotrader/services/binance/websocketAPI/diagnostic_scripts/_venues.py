"""Which venue a diagnostic runs against, and with which key; by default a paper exchange that is started for it.

Nothing here can trade with real money: orders are placed only on the embedded exchange, on the testnet, and at another
address where ``--orders`` says so.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import cryptotrader
from cryptotrader.config.settings import load_settings
from cryptotrader.core.errors import ConfigError
from cryptotrader.services.binance.endpoints import VENUES, VenueEndpoints, endpoints_of
from cryptotrader.services.binance.signing import Credentials

START_TIMEOUT_S = 60.0
"""Longest start of the embedded exchange. Unit: seconds. Reason: a slow machine."""

STOP_TIMEOUT_S = 10.0
"""Longest stop of the embedded exchange. Unit: seconds. Reason: it promises to end within nine."""

MAX_ERROR_TEXT = 2_000
"""How much is shown of what a failed start printed. Unit: characters. Reason: the last lines tell why."""

SOURCE = str(Path(cryptotrader.__file__).resolve().parents[1])
"""The folder that holds the package; it need not be installed."""

NOT_FOR_THE_EXCHANGE = ("BINANCE_", "CRYPTOTRADER_", "HTTP_")
"""Environment names that are meant for the user's own server."""

_BANNER = re.compile(r"Paper exchange\s+http://(?P<host>\S+)\s+API key\s+(?P<key>\S+)\s+secret\s+(?P<secret>\S+)")


@dataclass(frozen=True)
class Choice:
    """What the command line says."""

    testnet: bool = False
    live: bool = False
    url: str | None = None
    orders: bool = False


@dataclass(frozen=True)
class Venue:
    """Where requests go."""

    text: str
    """For the reader."""
    endpoints: VenueEndpoints
    credentials: Credentials | None
    may_trade: bool
    """Whether nothing real can be lost by placing an order."""
    is_embedded: bool = False


def parse_choice(usage: str | None, arguments: Sequence[str] | None = None) -> Choice:
    """Read the command line of a script.

    Args:
        usage: The script's docstring, shown by ``--help``.
        arguments: Without the program's name; those of the process where None.
    """
    parser = argparse.ArgumentParser(description=usage, formatter_class=argparse.RawDescriptionHelpFormatter)
    venue = parser.add_mutually_exclusive_group()
    venue.add_argument("--testnet", action="store_true", help="run against Binance's testnet")
    venue.add_argument("--live", action="store_true", help="run against Binance; reads only, never places an order")
    venue.add_argument("--url", help="run against the WebSocket API at this address")
    parser.add_argument("--orders", action="store_true", help="with --url: place and cancel orders there as well")
    given = parser.parse_args(arguments)
    return Choice(testnet=given.testnet, live=given.live, url=given.url, orders=given.orders)


@asynccontextmanager
async def open_venue(choice: Choice) -> AsyncIterator[Venue]:
    """The chosen venue; the embedded exchange lives as long as the context.

    Raises:
        ConfigError: An address or a key will not do, or the embedded exchange does not start.
    """
    if choice.orders and not choice.url:
        raise ConfigError("--orders belongs to --url; the embedded exchange and the testnet take orders anyway")
    if choice.testnet:
        endpoints = VENUES["binance-testnet"]
        yield Venue("Binance testnet", endpoints, _credentials(), may_trade=True)
    elif choice.live:
        yield Venue("Binance, reading only", VENUES["binance"], _credentials(), may_trade=False)
    elif choice.url:
        yield _venue_at(choice.url, orders=choice.orders)
    else:
        async with _embedded_exchange() as venue:
            yield venue


def _venue_at(url: str, *, orders: bool) -> Venue:
    """A venue by the address of its WebSocket API."""
    parts = urlsplit(url)
    remote = (venue for venue in VENUES.values() if venue.name != "paper")
    known = next((venue for venue in remote if urlsplit(venue.ws_api_url).hostname == parts.hostname), None)
    if known is not None and orders and not known.is_paper:
        raise ConfigError(f"{parts.hostname} trades with real money; a diagnostic places no orders there")
    if known is not None:
        endpoints = endpoints_of(known.name, ws_api_url=url)
    else:
        rest_url = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}"
        endpoints = endpoints_of("paper", ws_api_url=url, rest_url=rest_url)
    text = f"{endpoints.ws_api_url}{'' if orders else ', reading only'}"
    return Venue(text, endpoints, _credentials(), may_trade=orders)


def _credentials() -> Credentials | None:
    """From the environment; None means that requests which need a key are passed over."""
    settings = load_settings()
    key, secret = settings.binance_api_key, settings.binance_private_key or settings.binance_api_secret
    if key is None and secret is None:
        return None
    if key is None or secret is None:
        raise ConfigError("BINANCE_API_KEY and BINANCE_API_SECRET (or BINANCE_PRIVATE_KEY) must be set together")
    password = settings.binance_private_key_password
    return Credentials.of(
        key.get_secret_value(), secret.get_secret_value(), password=password.get_secret_value() if password else None
    )


@asynccontextmanager
async def _embedded_exchange() -> AsyncIterator[Venue]:
    """A paper exchange of its own on a free port, in a process of its own so that latencies are honest."""
    with tempfile.TemporaryDirectory(prefix="cryptotrader-diagnostic-") as folder:
        log = Path(folder) / "exchange.log"
        with log.open("wb") as sink:
            process = await _start_exchange(Path(folder) / "data", sink.fileno())
            try:
                banner = await _banner(process, log)
                endpoints = endpoints_of(
                    "paper", rest_url=f"http://{banner['host']}", ws_api_url=f"ws://{banner['host']}/ws-api/v3"
                )
                credentials = Credentials.of(banner["key"], banner["secret"])
                text = f"paper exchange, started for this run at {endpoints.rest_url}"
                yield Venue(text, endpoints, credentials, may_trade=True, is_embedded=True)
            finally:
                await _stop(process)


async def _start_exchange(data_dir: Path, log: int) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_FOR_THE_EXCHANGE)}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (SOURCE, environment.get("PYTHONPATH"))))
    environment["LOG_LEVEL"] = "ERROR"
    place = ["--host", "127.0.0.1", "--port", "0", "--market", "default", "--data-dir", str(data_dir)]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cryptotrader", "exchange", *place),
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=log,
        # Ctrl-C is for the diagnostic, which stops the exchange once its connection is closed.
        start_new_session=True,
    )


async def _banner(process: asyncio.subprocess.Process, log: Path) -> dict[str, str]:
    """Address, key and secret, as the exchange prints them when it is ready."""
    assert process.stdout is not None
    text = ""
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not (found := _BANNER.search(text)):
                line = await process.stdout.readline()
                if not line:
                    raise ConfigError(f"the embedded exchange ended: {_last_words(log)}")
                text += line.decode()
    except TimeoutError:
        raise ConfigError(f"the embedded exchange did not start within {START_TIMEOUT_S:.0f} s") from None
    return found.groupdict()


def _last_words(log: Path) -> str:
    return log.read_text("utf-8")[-MAX_ERROR_TEXT:].strip()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
