"""Orders and fills. Prices and quantities are scaled integers (``core.scaled``), times epoch milliseconds."""

from __future__ import annotations

import copy

import msgspec

from cryptotrader.core.orders import OrderStatus, OrderType, Side, TimeInForce

NO_ORDER_LIST = -1
"""``orderListId`` of an order that belongs to no list."""


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for: ``POST /api/v3/order`` after its parameters were read.

    A MARKET order has either ``qty`` or ``quote_order_qty``; an order of any other type has ``price`` and ``qty``.
    """

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce = TimeInForce.GTC
    price: int = 0
    """Scaled; 0 for MARKET."""
    qty: int = 0
    """Scaled; 0 where ``quote_order_qty`` is given."""
    quote_order_qty: int = 0
    """Scaled; MARKET only: how much of the quote asset to spend or to receive."""
    client_order_id: str = ""
    """Empty: the engine makes one."""
    self_trade_prevention_mode: str = "NONE"
    strategy_id: int | None = None
    strategy_type: int | None = None


class CancelOrder(msgspec.Struct, frozen=True):
    """A command to cancel one open order, named by either id."""

    symbol: str
    order_id: int | None = None
    client_order_id: str | None = None
    new_client_order_id: str = ""
    """Id of the cancel itself. Empty: the engine makes one."""


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One account's side of one trade: a row of ``myTrades``."""

    trade_id: int
    order_id: int
    account: str
    symbol: str
    price: int
    qty: int
    quote_qty: int
    """price * qty, cut to eight places."""
    commission: int
    commission_asset: str
    is_maker: bool
    is_buyer: bool
    time_ms: int


class Order(msgspec.Struct, kw_only=True):
    """The engine's record of one order. What leaves the engine is a copy that changes no more."""

    order_id: int
    client_order_id: str
    account: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: int
    qty: int
    """Scaled (``origQty``). For MARKET by ``quote_order_qty``: what that amount bought or sold."""
    time_ms: int
    """When it was accepted."""
    update_ms: int
    working_ms: int
    """When it went on the book or to match."""
    executed: int = 0
    quote_executed: int = 0
    """``cummulativeQuoteQty``."""
    status: OrderStatus = OrderStatus.NEW
    quote_order_qty: int = 0
    order_list_id: int = NO_ORDER_LIST
    self_trade_prevention_mode: str = "NONE"
    strategy_id: int | None = None
    strategy_type: int | None = None
    orig_client_order_id: str = ""
    """Only in the answer to a cancel: the order's own id, while ``client_order_id`` there names the cancel."""
    fills: tuple[Fill, ...] = ()

    @property
    def remaining(self) -> int:
        """What is still to be traded."""
        return self.qty - self.executed

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status.is_open

    def snapshot(self) -> Order:
        """A copy for the outside."""
        return copy.copy(self)
