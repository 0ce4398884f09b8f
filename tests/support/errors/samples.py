"""Requests that are good but for one thing."""

from __future__ import annotations

from tests.support.errors.model import Ask

SYMBOL = {"symbol": "BTCUSDT"}
RESTING = SYMBOL | {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "44000.00", "quantity": "0.001"}
NAMED = RESTING | {"newClientOrderId": "mine"}

OCO = SYMBOL | {
    "side": "SELL",
    "quantity": "0.001",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "46000.00",
    "belowType": "STOP_LOSS",
    "belowStopPrice": "44000.00",
}
OPO = SYMBOL | {
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "44000.00",
    "workingQuantity": "0.001",
    "workingTimeInForce": "GTC",
    "pendingType": "LIMIT",
    "pendingSide": "SELL",
    "pendingPrice": "46000.00",
    "pendingTimeInForce": "GTC",
}


def pair(side: str, above: str, below: str) -> Ask:
    """An OCO of two types that don't go together."""
    shared = SYMBOL | {"side": side, "quantity": "0.001", "aboveType": above, "belowType": below}
    prices = {"abovePrice": "46000.00"} if above == "LIMIT_MAKER" else {"aboveStopPrice": "46000.00"}
    prices |= {"belowPrice": "44000.00"} if below == "LIMIT_MAKER" else {"belowStopPrice": "44000.00"}
    return Ask("orderList.place.oco", shared | prices)


def order(**changes: object) -> Ask:
    """A limit order that would rest, but for the changes; None leaves a parameter out."""
    return Ask("order.place", {name: value for name, value in (RESTING | changes).items() if value is not None})
