"""``/ws``, which several protocols share: who speaks which, limits over all connections, shutdown (C-1, C-2, C-10)."""

from cryptotrader.sessions.ws.dialect import Dialect, DialectSession
from cryptotrader.sessions.ws.router import RouterPolicy, WebSocketRouter
from cryptotrader.sessions.ws.slots import ConnectionSlots, SlotLimits
from cryptotrader.sessions.ws.timer import SharedTimer

__all__ = [
    "ConnectionSlots",
    "Dialect",
    "DialectSession",
    "RouterPolicy",
    "SharedTimer",
    "SlotLimits",
    "WebSocketRouter",
]
