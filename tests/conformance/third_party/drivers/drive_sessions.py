"""binance-sdk-spot with a private key: signed REST, a session on the WebSocket API, and a server that is about to stop.

Usage: ``python drive_sessions.py 127.0.0.1:3100 KEY_ID PRIVATE_KEY_FILE``
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import requests
from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketAPI
from binance_sdk_spot.spot import Spot
from kit import SYMBOL, WAIT_S, Inbox, Report, run

MARKET = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": 0.001}

POLL_S = 0.02
"""Pause between two looks at the client's connections. Unit: seconds."""


class Driver:
    """One run with one key."""

    def __init__(self, host: str, key_id: str, key_file: str) -> None:
        self.report = Report()
        self.host = host
        keys = {"api_key": key_id, "private_key": key_file}
        self.client = Spot(
            ConfigurationRestAPI(base_path=f"http://{host}", timeout=10_000, **keys),
            ConfigurationWebSocketAPI(stream_url=f"ws://{host}/ws-api/v3", reconnect_delay=10, **keys),
        )
        self.events = Inbox()

    async def drive(self) -> None:
        """REST, then what the kind of key allows on the WebSocket API."""
        self.report.step("rest.account", lambda: self.client.rest_api.get_account().data().account_type)
        self.report.step("rest.order", lambda: self.client.rest_api.new_order(**MARKET).data().status)
        api = self.client.websocket_api
        await api.create_connection()
        await self.report.astep("signed", self._status(api.order_place(**MARKET)))
        await self.report.astep("logon", self._answer(api.session_logon()))
        if "error" not in self.report.value("logon"):
            await self.drive_session()

    async def drive_session(self) -> None:
        """Requests without a signature, user data of the session, and a planned move to another connection."""
        step, api = self.report.astep, self.client.websocket_api
        await step("status", self._answer(api.session_status()))
        subscribed = await api.user_data_stream_subscribe()
        subscribed.stream.on("message", self.events.put)
        await step("session.order", self._status(api.order_place(**MARKET)))
        await step("session.event", self._fill())
        self.report.step("announced", self._announce_shutdown)
        await step("moved", self._moved(api.connections[0]))
        await step("logged_on_again", self._answer(api.session_status()))
        self.events.messages.clear()
        await step("session.order_after", self._status(api.order_place(**MARKET)))
        await step("session.event_after", self._fill())
        await step("subscriptions_after", self._answer(api.session_subscriptions()))
        await step("logout", self._answer(api.session_logout()))

    def _announce_shutdown(self) -> Any:
        url = f"http://{self.host}/admin/streams"
        return requests.post(url, json={"action": "announce_shutdown"}, timeout=WAIT_S).json()

    async def _moved(self, old: Any) -> int:
        """Wait until the client has a new connection only; it uses the old one as long as that is there."""
        connections = self.client.websocket_api.connections
        while old in connections or not connections:
            await asyncio.sleep(POLL_S)
        return len(connections)

    async def _fill(self) -> str:
        event = await self.events.await_(lambda event: getattr(event.actual_instance, "x", None) == "TRADE")
        return str(event.actual_instance.i)

    async def _status(self, request: Any) -> dict[str, Any]:
        order = (await request).data().result
        return {"status": order.status, "id": str(order.order_id)}

    async def _answer(self, request: Any) -> Any:
        answer = (await request).data()
        return answer if isinstance(answer, dict) else answer.to_dict()


def main() -> None:
    """Drive everything and tell."""
    driver = Driver(*sys.argv[1:4])
    asyncio.run(driver.drive())
    driver.report.print()


if __name__ == "__main__":
    run(main)
