"""What the exchange does for each request, whichever way it came in."""

from cryptotrader.exchange.protocol.operations.call import Desk
from cryptotrader.exchange.protocol.operations.dispatch import Operations
from cryptotrader.exchange.protocol.operations.refusals import (
    UNKNOWN,
    UNKNOWN_TEXT,
    DetailedRefusal,
    FaultRefusal,
    Silence,
    http_status,
)

__all__ = ["UNKNOWN", "UNKNOWN_TEXT", "Desk", "DetailedRefusal", "FaultRefusal", "Operations", "Silence", "http_status"]
