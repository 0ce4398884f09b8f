"""Order lists: pairs and triples of orders that depend on each other (``web-socket-api.md``, "Order lists").

An OCO is two orders of which one ends the other; an OTO is an order that sets another to work once it is filled.
"""

from __future__ import annotations

from cryptotrader.services.binance.models.market import Wire
from cryptotrader.services.binance.models.orders import CancelledOrder, ListedOrder, PlacedOrder


class OrderList(Wire, frozen=True, kw_only=True):
    """State of a list, as ``orderList.status``, ``openOrderLists.status`` and ``allOrderLists`` tell it."""

    order_list_id: int
    contingency_type: str
    """``OCO`` or ``OTO``."""
    list_status_type: str | None = None
    """``RESPONSE``, ``EXEC_STARTED``, ``UPDATED`` or ``ALL_DONE``; absent in the answer to an amendment."""
    list_order_status: str
    """``EXECUTING``, ``ALL_DONE`` or ``REJECT``."""
    list_client_order_id: str
    transaction_time: int | None = None
    """Epoch milliseconds; absent in the answer to an amendment."""
    symbol: str
    orders: tuple[ListedOrder, ...] = ()


class PlacedOrderList(OrderList, frozen=True, kw_only=True):
    """Answer to a new order list. A pending order has ``working_time`` -1 and, in an OPO, no quantity yet."""

    order_reports: tuple[PlacedOrder, ...] = ()


class CancelledOrderList(OrderList, frozen=True, kw_only=True):
    """Answer to the cancellation of an order list."""

    order_reports: tuple[CancelledOrder, ...] = ()
