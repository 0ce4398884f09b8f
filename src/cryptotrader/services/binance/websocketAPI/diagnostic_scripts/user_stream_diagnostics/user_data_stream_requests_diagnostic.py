#!/usr/bin/env python3
"""
Binance User Data Stream WebSocket Requests Diagnostic Script
-------------------------------------------------------------
Tests the user data stream requests of the WebSocket API: subscriptions by signature and by session, the event that an
order brings, and the listen keys of venues that still have them.

Usage:
    To run this script from the project root directory:
    python src/cryptotrader/services/binance/websocketAPI/diagnostic_scripts/user_stream_diagnostics/user_data_stream_requests_diagnostic.py

Without a flag it starts a paper exchange for itself and needs no network and no key; elsewhere the key comes from
BINANCE_API_KEY and BINANCE_API_SECRET (or BINANCE_PRIVATE_KEY).
"""  # noqa: E501 - a command to copy is one line

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from colorama import init

# Seven parents up is the folder that holds the package; as a module it is found anyway.
if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parents[6]))

from cryptotrader.config import get_logger
from cryptotrader.core.errors import VenueRejected
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._common import (
    exit_code_of,
    parse_choice,
    print_banner,
    print_test_header,
    print_test_result,
    run_diagnostics,
    run_script,
)
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._orders import OrdersTester
from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._tester import TEST_SYMBOL, NotHere, expect, opened
from cryptotrader.services.binance.websocketAPI.session_requests import session_subscriptions
from cryptotrader.services.binance.websocketAPI.user_data_stream_requests import (
    ping_user_data_stream,
    start_user_data_stream,
    stop_user_data_stream,
    subscribe_by_signature,
    subscribe_user_data_stream,
    unsubscribe_user_data_stream,
)
from cryptotrader.services.binance.wsapi.calls import MethodRetired

__all__ = ["TEST_SYMBOL", "UserDataStreamRequestsTester", "main", "print_test_header", "print_test_result"]

project_root = Path(__file__).resolve().parents[6]
logger = get_logger(__name__)

EVENT_TIMEOUT_S = 15.0
"""Longest wait for an event. Unit: seconds. Reason: it comes a moment after the answer to its order."""


class UserDataStreamRequestsTester(OrdersTester):
    """Tests the user data stream WebSocket requests."""

    category = "User Data Stream"

    async def test_subscription_by_signature(self) -> str:
        """Subscribe (userDataStream.subscribe.signature) and unsubscribe (userDataStream.unsubscribe)."""
        async with opened(self.venue) as connection:
            number = (await self.ask_on(connection, subscribe_by_signature))["subscriptionId"]
            held = await self.ask_on(connection, session_subscriptions)
            expect({"subscriptionId": number} in held, f"subscription {number} is not among {held}")
            await self.ask_on(connection, unsubscribe_user_data_stream, {"subscriptionId": number})
            held = await self.ask_on(connection, session_subscriptions)
            expect({"subscriptionId": number} not in held, f"subscription {number} did not end")
        return f"subscription {number} began and ended"

    async def test_second_subscription(self) -> str:
        """Subscribe (userDataStream.subscribe.signature) to the same account twice: refused with -2035."""
        async with opened(self.venue) as connection:
            await self.ask_on(connection, subscribe_by_signature)
            reply = await self.reply_on(connection, subscribe_by_signature)
            expect(reply["status"] != 200, "a second subscription was granted")
            error = reply["error"]
            expect(error["code"] == -2035, f"refused with {error}")
        return f"refused: {error['msg']}"

    async def test_unsubscribe_from_nothing(self) -> str:
        """Unsubscribe (userDataStream.unsubscribe) without a subscription: refused with -2036."""
        async with opened(self.venue) as connection:
            reply = await self.reply_on(connection, unsubscribe_user_data_stream)
        expect(reply["status"] != 200 and reply["error"]["code"] == -2036, f"the answer was {reply}")
        return f"refused: {reply['error']['msg']}"

    async def test_subscription_by_session(self) -> str:
        """Subscribe (userDataStream.subscribe) as whoever is logged on: Ed25519 keys only, else refused."""
        async with opened(self.venue) as connection:
            if self.is_ed25519:
                await connection.logon()
                number = (await self.ask_on(connection, subscribe_user_data_stream))["subscriptionId"]
                await connection.logout()
                return f"subscription {number} began with the session"
            reply = await self.reply_on(connection, subscribe_user_data_stream)
            expect(reply["status"] != 200, "a subscription was granted although nobody is logged on")
        return f"refused, since nobody is logged on: {reply['error']['msg']}"

    async def test_events_of_an_order(self) -> str:
        """Events: placing and cancelling an order is told on the subscription."""
        self.need_orders()
        async with opened(self.venue) as connection, connection.user_data() as events:
            async with self.resting_order() as placed:
                first = await _report_of(events, placed["orderId"])
            last = await _report_of(events, placed["orderId"])
        expect((first["x"], last["x"]) == ("NEW", "CANCELED"), f"told were {first['x']} and {last['x']}")
        return f"order {placed['orderId']} was told as NEW and as CANCELED"

    async def test_listen_key(self) -> str:
        """Listen key (userDataStream.start, .ping, .stop), or an error that names what replaced it."""
        self.need_key()
        try:
            key = (await self.ask(start_user_data_stream))["listenKey"]
        except (NotHere, VenueRejected):
            return await self._all_retired()
        await self.ask(ping_user_data_stream, {"listenKey": key})
        await self.ask(stop_user_data_stream, {"listenKey": key})
        refusal = await self.refusal(ping_user_data_stream, {"listenKey": key})
        expect(refusal.venue_code < 0, "a listen key that was given back still works")
        return "began, was renewed, and ended"

    async def test_missing_parameter(self) -> str:
        """A required parameter that is missing: refused here, before anything is sent."""
        await self.missing(stop_user_data_stream, {}, "listenKey")
        return await self.missing(ping_user_data_stream, {}, "listenKey")

    async def _all_retired(self) -> str:
        """Each of the three fails with an error that says what to use instead."""
        listen_key = "x" * 64
        calls = {
            "userDataStream.start": start_user_data_stream.SPEC.call(
                self.connection, start_user_data_stream.StartStreamParams()
            ),
            "userDataStream.ping": ping_user_data_stream.SPEC.call(
                self.connection, ping_user_data_stream.PingStreamParams(listen_key=listen_key)
            ),
            "userDataStream.stop": stop_user_data_stream.SPEC.call(
                self.connection, stop_user_data_stream.StopStreamParams(listen_key=listen_key)
            ),
        }
        text = ""
        for method, call in calls.items():
            try:
                await call
            except MethodRetired as error:
                text = error.message
                expect(error.replacement in text, f"{method} does not say what replaced it: {text}")
                self.answered.add(method)
            else:
                raise AssertionError(f"{method} works although userDataStream.start does not")
        return f"the venue has no listen keys: {text}"


async def _report_of(events: AsyncIterator[Mapping[str, Any]], order_id: int) -> Mapping[str, Any]:
    """The next report of this order."""
    async with asyncio.timeout(EVENT_TIMEOUT_S):
        async for event in events:
            if event.get("e") == "executionReport" and event.get("i") == order_id:
                return event
    raise AssertionError("the subscription ended")


async def main() -> int:
    """Run the diagnostic tests; returns the exit code."""
    choice = parse_choice(__doc__)
    print_banner("User Data Stream WebSocket Requests", project_root)
    return exit_code_of(await run_diagnostics([UserDataStreamRequestsTester], choice))


if __name__ == "__main__":
    init(autoreset=True)
    sys.exit(run_script(main))
