#!/usr/bin/env python3
"""
Binance WebSocket Base Operations Diagnostic Script
---------------------------------------------------
Tests the connection that all requests share: connecting and closing, message ids and callbacks, security types and
signatures, errors, rate limits, sessions, recovery from a broken connection, and its latency beside REST. It is also
the reference for the scripts of the categories.

Usage:
    To run this script from the project root directory:
    python src/cryptotrader/services/binance/websocketAPI/diagnostic_scripts/binance_websocket_diagnostic.py

Without a flag it starts a paper exchange for itself and needs no network and no key; elsewhere the key comes from
BINANCE_API_KEY and BINANCE_API_SECRET (or BINANCE_PRIVATE_KEY).
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from colorama import init

# Six parents up is the folder that holds the package; as a module it is found anyway.
if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[5]))

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_MS, to_ms
from cryptotrader.core.errors import VenueError, VenueRejected
from cryptotrader.net.http import HttpClient
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.account_requests import get_user_acct_info
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection, SecurityType
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._common import (
    exit_code_of,
    parse_choice,
    print_banner,
    print_test_header,
    print_test_result,
    run_diagnostics,
    run_script,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._tester import (
    REPLY_TIMEOUT_S,
    TEST_SYMBOL,
    UNKNOWN_SYMBOL,
    NotHere,
    RequestsTester,
    expect,
    opened,
)
from cryptotrader.services.binance.websocketAPI.general_requests import connectivity, exchange_information, server_time
from cryptotrader.services.binance.websocketAPI.market_data_requests import order_book
from cryptotrader.services.binance.websocketAPI.session_requests import (
    log_on,
    log_out,
    session_status,
    session_subscriptions,
)

__all__ = ["TEST_SYMBOL", "BaseRequestsTester", "main", "print_test_header", "print_test_result"]

project_root = Path(__file__).resolve().parents[5]
logger = get_logger(__name__)

PIPELINED = 10
"""Requests on the way at a time. Reason: each asks for another number of levels, so that answers can be told apart."""

MAX_SKEW_MS = 1_000
"""Clock difference worth a word. Unit: milliseconds. Reason: the venue refuses timestamps further ahead."""

BAD_SIGNATURE = -1022
NOT_ED25519 = -4056
"""Codes of ``errors.md``."""

RATE_LIMIT_FIELDS = {"rateLimitType", "interval", "intervalNum", "limit", "count"}


class BaseRequestsTester(RequestsTester):
    """Tests the base WebSocket functionality."""

    category = "Base"

    async def test_connect_and_close(self) -> str:
        """Connecting and closing: the state follows."""
        connection = BinanceWebSocketConnection(url=self.venue.endpoints.ws_api_url)
        expect(not connection.is_connected, "it is connected before it was told to")
        async with connection:
            expect(connection.is_connected, "it is not connected")
        expect(not connection.is_connected, "it is still connected")
        return f"connected to {self.venue.endpoints.ws_api_url} and closed"

    async def test_not_connected(self) -> str:
        """A request without a connection: a ConnectionError."""
        connection = BinanceWebSocketConnection(url=self.venue.endpoints.ws_api_url)
        try:
            await connectivity.process_request(connection, {}, _ignore)
        except ConnectionError as error:
            return f"refused: {error}"
        raise AssertionError("a request went out without a connection")

    async def test_missing_parameter(self) -> str:
        """A required parameter that is missing: a ValueError, before anything is sent."""
        return await self.missing(order_book, {}, "symbol")

    async def test_ping(self) -> str:
        """Connectivity (ping)."""
        result = await self.ask(connectivity)
        expect(result == {}, f"the answer is not empty: {result}")
        return "answered"

    async def test_server_time(self) -> str:
        """Server time (time) beside the clock of this machine."""
        before_ns = self.clock.now_ns()
        server_ms = (await self.ask(server_time))["serverTime"]
        skew_ms = to_ms((before_ns + self.clock.now_ns()) // 2) - server_ms
        advice = "; the connection corrects it, but switch on NTP" if abs(skew_ms) > MAX_SKEW_MS else ""
        return f"this machine is {abs(skew_ms)} ms {'ahead of' if skew_ms > 0 else 'behind'} the venue{advice}"

    async def test_exchange_information(self) -> str:
        """Exchange information (exchangeInfo): limits, and the rules of a symbol."""
        info = await self.ask(exchange_information, {"symbol": TEST_SYMBOL})
        symbols = [symbol["symbol"] for symbol in info["symbols"]]
        expect(symbols == [TEST_SYMBOL], f"asked for {TEST_SYMBOL}, got {symbols}")
        return f"{len(info['rateLimits'])} limits, {len(info['symbols'][0]['filters'])} filters of {TEST_SYMBOL}"

    async def test_callbacks(self) -> str:
        """Callbacks: many requests at once, and each callback gets the reply to its own."""
        replies: dict[int, dict[str, Any]] = {}
        ids: dict[int, str] = {}
        done = asyncio.Event()

        async def ask_for(levels: int) -> None:
            async def callback(reply: dict[str, Any]) -> None:
                expect(levels not in replies, "a callback was called twice")
                replies[levels] = reply
                if len(replies) == PIPELINED:
                    done.set()

            params = {"symbol": TEST_SYMBOL, "limit": levels}
            ids[levels] = await order_book.process_request(self.connection, params, callback)

        await asyncio.gather(*(ask_for(levels) for levels in range(1, PIPELINED + 1)))
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            await done.wait()
        expect(len(set(ids.values())) == PIPELINED, f"the ids are not unique: {ids}")
        for levels, reply in replies.items():
            expect(reply["id"] == ids[levels], f"the callback of {ids[levels]} got the reply to {reply['id']}")
            expect(len(reply["result"]["bids"]) <= levels, f"the callback for {levels} levels got another reply")
        return f"{PIPELINED} requests at once, {PIPELINED} right replies"

    async def test_send(self) -> str:
        """Sending by method name (send): returns the message id."""
        replies: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=1)

        async def callback(reply: dict[str, Any]) -> None:
            replies.put_nowait(reply)

        message_id = await self.connection.send(
            method="time", params={}, security_type=SecurityType.NONE, callback=callback
        )
        async with asyncio.timeout(REPLY_TIMEOUT_S):
            reply = await replies.get()
        expect(reply["id"] == message_id, f"the reply has the id {reply['id']!r}, not {message_id!r}")
        return f"message {message_id} was answered"

    async def test_signed_request(self) -> str:
        """Security types: a signed request gets key, timestamp and signature by itself."""
        account = await self.ask(get_user_acct_info, {"omitZeroBalances": True})
        return f"signed and accepted; {len(account['balances'])} balances"

    async def test_wrong_signature(self) -> str:
        """Security types: a wrong signature is refused and does no harm."""
        self.need_key()
        assert self.venue.credentials is not None
        wrong = Credentials.of(self.venue.credentials.api_key, "a-secret-of-nobody")
        async with opened(self.venue, credentials=wrong) as connection:
            reply = await self.reply_on(connection, get_user_acct_info)
            expect(reply["status"] != 200, "a wrong signature was accepted")
            expect(reply["error"]["code"] == BAD_SIGNATURE, f"refused with {reply['error']}")
        return f"refused: {reply['error']['msg']}"

    async def test_error_reply(self) -> str:
        """Errors: the callback gets the venue's own, a typed call raises it."""
        refusal = await self.refusal(order_book, {"symbol": UNKNOWN_SYMBOL})
        try:
            await order_book.SPEC.call(self.connection, order_book.OrderBookParams(symbol=UNKNOWN_SYMBOL))
        except VenueRejected as error:
            expect(error.venue_code == refusal.venue_code, f"{error.venue_code} is not {refusal.venue_code}")
            return f"{error.venue_code}: {error.message}"
        raise AssertionError("the typed call raised nothing")

    async def test_typed_call(self) -> str:
        """Typed results: attributes with exact decimals."""
        book = await order_book.SPEC.call(self.connection, order_book.OrderBookParams(symbol=TEST_SYMBOL, limit=1))
        return f"{book.bids[0][0]} bid, {book.asks[0][0]} asked"

    async def test_rate_limits(self) -> str:
        """Rate limits: replies tell how much of the venue's weight is used."""
        async with opened(self.venue, return_rate_limits=True) as connection:
            limits = (await self.reply_on(connection, connectivity)).get("rateLimits") or []
            expect(bool(limits), "the reply tells nothing about limits")
            limit = limits[0]
            expect(set(limit) >= RATE_LIMIT_FIELDS, f"fields are missing: {limit}")
        return f"{limit['count']} of {limit['limit']} used in {limit['intervalNum']} {limit['interval']}"

    async def test_session_status(self) -> str:
        """Session (session.status, session.subscriptions): who is logged on, what is subscribed."""
        async with opened(self.venue) as connection:
            status = await self.ask_on(connection, session_status)
            held = await self.ask_on(connection, session_subscriptions)
        expect(status["apiKey"] is None, f"a new connection is logged on as {status['apiKey']}")
        return f"nobody is logged on, {len(held)} subscriptions"

    async def test_session_log_on(self) -> str:
        """Session (session.logon, session.logout): Ed25519 keys only, others are refused."""
        self.need_key()
        async with opened(self.venue) as connection:
            reply = await self.reply_on(connection, log_on)
            if not self.is_ed25519:
                expect(reply["status"] != 200, "a key that is not Ed25519 was logged on")
                expect(reply["error"]["code"] == NOT_ED25519, f"refused with {reply['error']}")
                await self.ask_on(connection, log_out)
                return f"refused, as it must be: {reply['error']['msg']}"
            expect(reply["status"] == 200, f"the logon was refused: {reply}")
            expect((await self.ask_on(connection, log_out))["apiKey"] is None, "still logged on")
        return "logged on and out"

    async def test_recovery(self) -> str:
        """Recovery: the connection breaks, comes back by itself, and the request is answered."""
        if not self.venue.is_embedded:
            raise NotHere("only the embedded exchange can be told to break a connection")
        back = asyncio.Event()

        async def on_reconnect() -> None:
            back.set()

        async with opened(self.venue, on_reconnect=on_reconnect) as connection:
            await self._break_next("time")
            before_ns = self.clock.monotonic_ns()
            await server_time.SPEC.call(connection, server_time.SPEC.params())
            took_ms = (self.clock.monotonic_ns() - before_ns) / NS_PER_MS
            async with asyncio.timeout(REPLY_TIMEOUT_S):
                await back.wait()
        return f"answered over a new connection after {took_ms:.0f} ms"

    async def test_latency(self) -> str:
        """Connectivity (ping): latency of the WebSocket API beside REST."""
        return await self.compare_with_rest(connectivity)

    async def _break_next(self, method: str) -> None:
        """Let the embedded exchange drop the connection that next asks for this."""
        fault = json.dumps({"operation": method, "kind": "drop_and_close", "count": 1}).encode()
        async with HttpClient() as http:
            url = f"{self.venue.endpoints.rest_url}/admin/faults"
            reply = await http.request("POST", url, headers={"content-type": "application/json"}, body=fault)
        if reply.status != 201:
            raise VenueError(f"the exchange takes no fault: {reply.status}")


async def _ignore(reply: dict[str, Any]) -> None:
    """A callback that is not called."""


async def main() -> int:
    """Run the diagnostic tests; returns the exit code."""
    choice = parse_choice(__doc__)
    print_banner("WebSocket Base Operations", project_root)
    return exit_code_of(await run_diagnostics([BaseRequestsTester], choice))


if __name__ == "__main__":
    init(autoreset=True)
    sys.exit(run_script(main))
