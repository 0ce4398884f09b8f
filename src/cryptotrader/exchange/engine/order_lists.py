"""Order lists: what is asked for and the engine's record of it (``rest-api.md``, "Order lists"; ``faqs/opo.md``)."""

from __future__ import annotations

import copy
from enum import StrEnum

import msgspec

from cryptotrader.core.orders import ListOrderStatus, ListStatusType
from cryptotrader.exchange.engine.orders import NewOrder, Order


class ListKind(StrEnum):
    """What the orders of a list are to each other."""

    OCO = "OCO"
    """Two orders, one cancels the other. Legs: above, below."""
    OTO = "OTO"
    """One order that, filled, lets another begin. Legs: working, pending."""
    OTOCO = "OTOCO"
    """One order that, filled, lets an OCO begin. Legs: working, pending above, pending below."""
    OPO = "OPO"
    """An OTO whose pending order sells what the working one bought. Legs: working, pending."""
    OPOCO = "OPOCO"
    """An OTOCO whose pending orders sell what the working one bought. Legs: working, pending above, pending below."""

    @property
    def contingency(self) -> str:
        """``contingencyType`` on the wire."""
        return "OCO" if self is ListKind.OCO else "OTO"

    @property
    def is_proportional(self) -> bool:
        """Whether the pending quantity follows from the working order's fills."""
        return self in (ListKind.OPO, ListKind.OPOCO)


class NewOrderList(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for."""

    symbol: str
    kind: ListKind
    legs: tuple[NewOrder, ...]
    """In the order that ``ListKind`` gives. The pending legs of OPO and OPOCO have ``qty`` 0."""
    client_list_id: str = ""
    """``listClientOrderId``. Empty: the engine makes one."""


class CancelList(msgspec.Struct, frozen=True, kw_only=True):
    """A command to cancel a whole list, named by either id."""

    symbol: str
    list_id: int | None = None
    client_list_id: str | None = None
    new_client_order_id: str = ""
    """Id of the cancel itself. Empty: the engine makes one."""


class Leg(msgspec.Struct, frozen=True):
    """One order of a list as the list names it."""

    order_id: int
    client_order_id: str


class OrderList(msgspec.Struct, kw_only=True):
    """The engine's record of a list. What leaves the engine is a copy that changes no more."""

    list_id: int
    client_list_id: str
    account: str
    symbol: str
    kind: ListKind
    time_ms: int
    legs: tuple[Leg, ...]
    status_type: ListStatusType = ListStatusType.EXEC_STARTED
    order_status: ListOrderStatus = ListOrderStatus.EXECUTING
    reject_reason: str = "NONE"

    @property
    def is_open(self) -> bool:
        """Whether it is still being carried out."""
        return self.order_status is ListOrderStatus.EXECUTING

    def snapshot(self) -> OrderList:
        """A copy for the outside."""
        return copy.copy(self)


class CancelledList(msgspec.Struct, frozen=True):
    """A list that a cancellation of all open orders took with it."""

    order_list: OrderList
    orders: tuple[Order, ...]
    """All its orders, as the cancellation of one gives them."""
