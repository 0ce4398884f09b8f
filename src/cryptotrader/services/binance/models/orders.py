"""Answers of the trading requests (``rest-api.md``, "Trading endpoints" and "Account Endpoints").

Fields that appear only under conditions ("Conditional fields in Order Responses") default to None.
"""

from __future__ import annotations

from cryptotrader.services.binance.models.commission import CommissionPair, Discount
from cryptotrader.services.binance.models.market import Wire


class ConditionalFields(Wire, frozen=True, kw_only=True):
    """What an order shows only where it applies."""

    iceberg_qty: str | None = None
    prevented_match_id: int | None = None
    prevented_quantity: str | None = None
    stop_price: str | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None
    trailing_delta: int | None = None
    trailing_time: int | None = None
    used_sor: bool | None = None
    working_floor: str | None = None
    peg_price_type: str | None = None
    peg_offset_type: str | None = None
    peg_offset_value: int | None = None
    pegged_price: str | None = None
    expiry_reason: str | None = None


class OrderFill(Wire, frozen=True, kw_only=True):
    """``{"price":"4000.0","qty":"1.0","commission":"4.0","commissionAsset":"USDT","tradeId":56}``."""

    price: str
    qty: str
    commission: str
    commission_asset: str
    trade_id: int = -1
    """-1 where the fill is an allocation of smart order routing."""
    match_type: str | None = None
    alloc_id: int | None = None


class PreventedFill(Wire, frozen=True, kw_only=True):
    """A match that self-trade prevention kept a new order from (``faqs/stp_faq.md``):
    ``{"preventedMatchId":0,"makerSymbol":"BTCUSDT","makerOrderId":2,"price":"1.2","makerPreventedQuantity":"1.2"}``.
    """

    prevented_match_id: int
    maker_symbol: str | None = None
    maker_order_id: int
    price: str
    taker_prevented_quantity: str | None = None
    maker_prevented_quantity: str | None = None


class PlacedOrder(ConditionalFields, frozen=True, kw_only=True):
    """Answer to a new order; an ``ACK`` has the first five fields only, a ``RESULT`` no fills."""

    symbol: str
    order_id: int
    order_list_id: int = -1
    client_order_id: str
    transact_time: int
    price: str | None = None
    orig_qty: str | None = None
    executed_qty: str | None = None
    orig_quote_order_qty: str | None = None
    cummulative_quote_qty: str | None = None
    status: str | None = None
    time_in_force: str | None = None
    type: str | None = None
    side: str | None = None
    working_time: int | None = None
    self_trade_prevention_mode: str | None = None
    fills: tuple[OrderFill, ...] = ()
    prevented_matches: tuple[PreventedFill, ...] = ()


class OrderReport(ConditionalFields, frozen=True, kw_only=True):
    """State of one order, as ``order.status``, ``openOrders.status`` and ``allOrders`` tell it."""

    symbol: str
    order_id: int
    order_list_id: int = -1
    client_order_id: str
    price: str
    orig_qty: str
    executed_qty: str
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    time: int
    update_time: int
    is_working: bool = True
    working_time: int | None = None
    orig_quote_order_qty: str = "0.00000000"
    self_trade_prevention_mode: str = "NONE"


class CancelledOrder(ConditionalFields, frozen=True, kw_only=True):
    """An order that was cancelled, alone or with its list."""

    symbol: str
    orig_client_order_id: str = ""
    """Its own name, while ``client_order_id`` names the cancellation; absent in the answer of ``orderList.cancel``."""
    order_id: int
    order_list_id: int = -1
    client_order_id: str
    transact_time: int = 0
    price: str
    orig_qty: str
    executed_qty: str
    orig_quote_order_qty: str = "0.00000000"
    cummulative_quote_qty: str
    status: str
    time_in_force: str
    type: str
    side: str
    self_trade_prevention_mode: str = "NONE"


class ListedOrder(Wire, frozen=True, kw_only=True):
    """A member of an order list."""

    symbol: str
    order_id: int
    client_order_id: str


class CancelledItem(ConditionalFields, frozen=True, kw_only=True):
    """What a cancellation ended: an order or, with any order of it, a whole order list.

    They are told apart by ``contingency_type``, which only a list has. Answer to ``order.cancel``, and a row of
    ``openOrders.cancelAll``.
    """

    symbol: str
    order_list_id: int = -1
    orig_client_order_id: str | None = None
    order_id: int | None = None
    client_order_id: str | None = None
    transact_time: int | None = None
    price: str | None = None
    orig_qty: str | None = None
    executed_qty: str | None = None
    orig_quote_order_qty: str | None = None
    cummulative_quote_qty: str | None = None
    status: str | None = None
    time_in_force: str | None = None
    type: str | None = None
    side: str | None = None
    self_trade_prevention_mode: str | None = None
    contingency_type: str | None = None
    list_status_type: str | None = None
    list_order_status: str | None = None
    list_client_order_id: str | None = None
    transaction_time: int | None = None
    orders: tuple[ListedOrder, ...] = ()
    order_reports: tuple[CancelledOrder, ...] = ()


class TestedOrder(Wire, frozen=True, kw_only=True):
    """Answer to ``order.test``: empty unless ``computeCommissionRates`` was asked for."""

    __test__ = False  # pytest collects classes whose names begin with Test

    standard_commission_for_order: CommissionPair | None = None
    special_commission_for_order: CommissionPair | None = None
    tax_commission_for_order: CommissionPair | None = None
    discount: Discount | None = None
