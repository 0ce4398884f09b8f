"""Orders that change after they were placed: amended (``order.amend.keepPriority``) or replaced."""

from __future__ import annotations

from cryptotrader.services.binance.models.market import Wire
from cryptotrader.services.binance.models.order_lists import OrderList
from cryptotrader.services.binance.models.orders import CancelledItem, ConditionalFields, PlacedOrder


class AmendedOrder(ConditionalFields, frozen=True, kw_only=True):
    """The order after its amendment. Some fields have names of their own here, as at the venue."""

    symbol: str
    order_id: int
    order_list_id: int = -1
    orig_client_order_id: str
    client_order_id: str
    price: str
    qty: str
    executed_qty: str
    prevented_qty: str = "0.00000000"
    quote_order_qty: str = "0.00000000"
    cumulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    working_time: int | None = None
    self_trade_prevention_mode: str = "NONE"


class Amendment(Wire, frozen=True, kw_only=True):
    """Answer to ``order.amend.keepPriority``."""

    transact_time: int
    execution_id: int
    amended_order: AmendedOrder
    list_status: OrderList | None = None
    """Only where the order belongs to a list."""


class PastAmendment(Wire, frozen=True, kw_only=True):
    """A row of ``order.amendments``."""

    symbol: str
    order_id: int
    execution_id: int
    orig_client_order_id: str
    new_client_order_id: str
    orig_qty: str
    new_qty: str
    time: int
    """Epoch milliseconds."""


class ReplacedOrder(Wire, frozen=True, kw_only=True):
    """Answer to ``order.cancelReplace`` where both halves succeeded.

    Where one of them failed the venue answers with an error (-2021 or -2022) whose ``data`` tells of both.
    """

    cancel_result: str
    """``SUCCESS`` or ``FAILURE``."""
    new_order_result: str
    """``SUCCESS``, ``FAILURE`` or ``NOT_ATTEMPTED``."""
    cancel_response: CancelledItem
    new_order_response: PlacedOrder
