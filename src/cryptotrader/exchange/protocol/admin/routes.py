"""All routes under ``/admin``."""

from __future__ import annotations

from starlette.routing import Route

from cryptotrader.exchange.protocol.admin.accounts import AccountRoutes
from cryptotrader.exchange.protocol.admin.faults import FaultRoutes
from cryptotrader.exchange.protocol.admin.fills import FillRoutes
from cryptotrader.exchange.protocol.admin.guard import Guard
from cryptotrader.exchange.protocol.admin.keys import KeyRoutes
from cryptotrader.exchange.protocol.admin.market import MarketRoutes
from cryptotrader.exchange.protocol.admin.streams import StreamRoutes
from cryptotrader.exchange.protocol.operations import Operations
from cryptotrader.exchange.protocol.upgrade import WebSocketFront


class Admin:
    """The back door of one exchange.

    Args:
        operations: What the exchange does.
        front: Its WebSockets.
        token: What requests from other machines must bear; None keeps them out.
    """

    def __init__(self, operations: Operations, front: WebSocketFront, token: str | None = None) -> None:
        self._desk = operations.desk
        self._front = front
        self.guard = Guard(token)

    def routes(self) -> list[Route]:
        """For the exchange's application."""
        desk, guard = self._desk, self.guard
        return [
            *FaultRoutes(self._front).routes(guard),
            *StreamRoutes(desk, self._front.house).routes(guard),
            *AccountRoutes(desk).routes(guard),
            *FillRoutes(desk).routes(guard),
            *KeyRoutes(desk).routes(guard),
            *MarketRoutes(desk).routes(guard),
        ]
