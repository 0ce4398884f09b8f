"""``cryptotrader doctor``: is it my machine, my network, my key, or the venue? One verdict a question, with a hint."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import msgspec

from cryptotrader.config.settings import Settings
from cryptotrader.core.clock import NS_PER_MS, to_ms
from cryptotrader.core.errors import ConfigError, CryptotraderError, VenueAuthError
from cryptotrader.net import SystemClock
from cryptotrader.net.http import HttpClient
from cryptotrader.net.ws import connect_websocket
from cryptotrader.runtime.credentials import credentials_of
from cryptotrader.services.binance.endpoints import VenueEndpoints, endpoints_of, paper
from cryptotrader.services.binance.restAPI.client import BinanceRest
from cryptotrader.services.binance.websocketAPI.account_requests import get_user_acct_info
from cryptotrader.services.binance.websocketAPI.general_requests import connectivity, server_time

CHECK_TIMEOUT_S = 15.0
"""Longest one check may take. Unit: seconds. Reason: more than the ten that the venue itself gets."""

MAX_SKEW_MS = 1_000
"""Clock difference that is worth a warning. Unit: milliseconds. Reason: the venue refuses timestamps further ahead."""

PROBE_STREAM = "btcusdt@bookTicker"
"""A stream that speaks several times a second wherever it exists."""


class Verdict(msgspec.Struct, frozen=True):
    """The answer to one question."""

    check: str
    ok: bool
    text: str
    hint: str = ""


async def examine(settings: Settings) -> list[Verdict]:
    """Ask every question, each with a bound; a failure of one does not keep the others from being asked."""
    async with AsyncExitStack() as stack:
        try:
            doctor = _Doctor(settings, await stack.enter_async_context(HttpClient()))
        except ConfigError as error:
            return [Verdict("settings", False, error.message, "mend the setting and ask again")]
        stack.push_async_callback(doctor.rest.close)
        verdicts = [doctor.settings_verdict()]
        for name, hint, check in doctor.checks():
            verdicts.append(await _ask(name, hint, check))
        return verdicts


Check = Callable[[], Awaitable[Verdict]]


async def _ask(name: str, hint: str, check: Check) -> Verdict:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return Verdict(name, False, f"no answer within {CHECK_TIMEOUT_S:.0f} s", hint)
    except CryptotraderError as error:
        return Verdict(name, False, error.message, hint)


class _Doctor:
    """Everything that the checks share."""

    def __init__(self, settings: Settings, http: HttpClient) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._http = http
        self._endpoints = _endpoints(settings)
        self._credentials = credentials_of(settings)
        self.rest = BinanceRest(http, self._endpoints, self._credentials, self._clock)

    def checks(self) -> list[tuple[str, str, Check]]:
        """Name, hint on failure, and the check itself."""
        reach = "is the venue's address right, and does a firewall or proxy let it through?"
        if self._endpoints.name == "paper":
            reach = "the paper exchange is not running; start it with `make run` or `cryptotrader exchange`"
        return [
            ("rest", reach, self._rest_ping),
            ("clock", reach, self._clock_skew),
            (
                "streams",
                f"REST works but streams do not? A proxy may block WebSockets. Otherwise: {reach}",
                self._streams,
            ),
            ("websocket api", reach, self._ws_api),
            ("credentials", "check key, secret, permissions and the key's IP list", self._account),
            ("gateway", "start it with `make run`, or give the --port it listens on", self._gateway),
        ]

    def settings_verdict(self) -> Verdict:
        """What is configured, and whether the data folder can be used."""
        folder = self._settings.data_dir
        usable = os.access(folder if folder.exists() else folder.parent, os.W_OK) or not folder.parent.exists()
        text = f"venue {self._endpoints.name} at {self._endpoints.rest_url}, mode {self._settings.mode}"
        return Verdict("settings", usable, text, "" if usable else "the data folder cannot be written; use --data-dir")

    async def _rest_ping(self) -> Verdict:
        started_ns = self._clock.monotonic_ns()
        await self.rest.call(connectivity.SPEC, connectivity.SPEC.params())
        took_ms = (self._clock.monotonic_ns() - started_ns) / NS_PER_MS
        return Verdict("rest", True, f"answered in {took_ms:.0f} ms")

    async def _clock_skew(self) -> Verdict:
        before = self._clock.now_ns()
        answer = await self.rest.call(server_time.SPEC, server_time.SPEC.params())
        after = self._clock.now_ns()
        skew_ms = to_ms((before + after) // 2) - answer.server_time
        direction = "ahead of" if skew_ms > 0 else "behind"
        text = f"this machine is {abs(skew_ms)} ms {direction} the venue"
        hint = "" if abs(skew_ms) <= MAX_SKEW_MS else "the gateway corrects it when signing, but switch on NTP"
        return Verdict("clock", abs(skew_ms) <= MAX_SKEW_MS, text, hint)

    async def _streams(self) -> Verdict:
        started_ns = self._clock.monotonic_ns()
        wire = await connect_websocket(f"{self._endpoints.stream_url}/ws/{PROBE_STREAM}")
        try:
            await wire.recv()
        finally:
            await wire.close()
        took_ms = (self._clock.monotonic_ns() - started_ns) / NS_PER_MS
        return Verdict("streams", True, f"first message after {took_ms:.0f} ms")

    async def _ws_api(self) -> Verdict:
        started_ns = self._clock.monotonic_ns()
        wire = await connect_websocket(self._endpoints.ws_api_url)
        try:
            await wire.send(json.dumps({"id": "doctor", "method": "ping"}).encode())
            answer = json.loads(await wire.recv())
        finally:
            await wire.close()
        took_ms = (self._clock.monotonic_ns() - started_ns) / NS_PER_MS
        return Verdict("websocket api", answer.get("status") == 200, f"answered in {took_ms:.0f} ms")

    async def _account(self) -> Verdict:
        if self._credentials is None:
            return Verdict("credentials", True, "none configured: market data only")
        try:
            account = await self.rest.call(get_user_acct_info.SPEC, get_user_acct_info.SPEC.params())
        except VenueAuthError as error:
            return Verdict("credentials", False, error.message, "the venue does not accept this key; see its API page")
        return Verdict("credentials", True, "accepted, may trade" if account.can_trade else "accepted, may not trade")

    async def _gateway(self) -> Verdict:
        url = f"http://{self._settings.host}:{self._settings.port}/health"
        reply = await self._http.request("GET", url)
        return Verdict("gateway", reply.status == 200, f"{url} answers {reply.status}")


def _endpoints(settings: Settings) -> VenueEndpoints:
    addresses = {
        "rest_url": settings.binance_rest_url,
        "stream_url": settings.binance_stream_url,
        "ws_api_url": settings.binance_ws_api_url,
    }
    if settings.venue == "paper" and not any(addresses.values()):
        return paper(settings.exchange_host, settings.exchange_port)
    return endpoints_of(settings.venue, **addresses)
