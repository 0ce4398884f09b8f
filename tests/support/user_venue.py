"""A fake venue with the WebSocket API's user data methods and listen keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptotrader.core.errors import VenueRejected
from cryptotrader.net.clock import WaitingClock
from cryptotrader.testing import FakeRest, FakeVenue, FakeWire

API_KEY = "an-api-key-of-a-test"
SECRET = "a-secret-of-a-test"


class UserVenue(FakeVenue):
    def __init__(self, clock: WaitingClock) -> None:
        super().__init__(clock)
        self.subscribed: set[int] = set()
        self.greeting: dict[str, object] | None = None
        self.lists_nothing = False
        self.auth_error = False
        self.clock_errors = 0
        self._refusal_of_signature = ""
        self._keys = 0

    def refuse_signature(self, how: str) -> None:
        self._refusal_of_signature = how

    def serve_listen_keys(self, rest: FakeRest) -> None:
        def create(params: Mapping[str, Any]) -> object:
            self._keys += 1
            return {"listenKey": f"key-{self._keys}"}

        rest.on("POST /api/v3/userDataStream", create)
        rest.on("PUT /api/v3/userDataStream", lambda params: {})
        rest.on("DELETE /api/v3/userDataStream", lambda params: {})

    async def connect(self, url: str) -> FakeWire:
        if "ws-api" in url and self._refusal_of_signature == "handshake":
            self.attempts += 1
            raise VenueRejected("the upgrade was refused with 404", venue_code=0, http_status=404)
        return await super().connect(url)

    def emit(self, event: dict[str, object]) -> None:
        for wire in self.open_wires:
            if "/ws/" in wire.url:
                wire.push(event)
            elif wire.number in self.subscribed:
                wire.push({"subscriptionId": 0, "event": event})

    def on_frame(self, wire: FakeWire, frame: dict[str, object]) -> None:
        reply: dict[str, object] = {"id": frame["id"], "status": 200}
        match frame["method"]:
            case "userDataStream.subscribe.signature" if self.clock_errors:
                self.clock_errors -= 1
                text = "Timestamp for this request is outside of the recvWindow."
                reply |= {"status": 400, "error": {"code": -1021, "msg": text}}
            case "userDataStream.subscribe.signature" if self.auth_error:
                reply |= {"status": 401, "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions."}}
            case "userDataStream.subscribe.signature" if self._refusal_of_signature:
                reply |= {"status": 400, "error": {"code": -1100, "msg": "Unknown method."}}
            case "userDataStream.subscribe.signature":
                self.subscribed.add(wire.number)
                reply["result"] = {"subscriptionId": 0}
            case "session.subscriptions":
                listed = wire.number in self.subscribed and not self.lists_nothing
                reply["result"] = [{"subscriptionId": 0}] if listed else []
            case _:
                self.subscribed.discard(wire.number)
                reply["result"] = {}
        wire.push(reply)
        if self.greeting is not None:
            wire.push({"subscriptionId": 0, "event": self.greeting})
