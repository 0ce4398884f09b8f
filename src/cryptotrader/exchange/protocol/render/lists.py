"""Order lists as their answers tell them (``rest-api.md``, "Order lists")."""

from __future__ import annotations

from collections.abc import Iterable

from cryptotrader.exchange.engine.order_lists import OrderList
from cryptotrader.exchange.engine.orders import Amendment, Order
from cryptotrader.exchange.protocol.render.orders import Json, amended_order, cancelled_order


def order_list(told: OrderList) -> Json:
    """A row of ``GET orderList``, ``openOrderList`` and ``allOrderList``; the head of every other answer."""
    return {
        "orderListId": told.list_id,
        "contingencyType": told.kind.contingency,
        "listStatusType": told.status_type.value,
        "listOrderStatus": told.order_status.value,
        "listClientOrderId": told.client_list_id,
        "transactionTime": told.time_ms,
        "symbol": told.symbol,
        "orders": _members(told),
    }


def _members(told: OrderList) -> list[Json]:
    return [{"symbol": told.symbol, "orderId": leg.order_id, "clientOrderId": leg.client_order_id} for leg in told.legs]


def placed_list(told: OrderList, reports: Iterable[Json]) -> Json:
    """Answer to a new order list."""
    return {**order_list(told), "orderReports": list(reports)}


def cancelled_list(told: OrderList, orders: Iterable[Order]) -> Json:
    """Answer to the cancellation of a list, or of an order that belongs to one."""
    reports = [cancelled_order(order) for order in orders]
    times = [order.update_ms for order in orders]
    return {**order_list(told), "transactionTime": max(times, default=told.time_ms), "orderReports": reports}


def amended(amendment: Amendment, order: Order, member_of: OrderList | None) -> Json:
    """Answer to ``order.amend.keepPriority``."""
    answer: Json = {
        "transactTime": amendment.time_ms,
        "executionId": amendment.execution_id,
        "amendedOrder": amended_order(order, amendment),
    }
    if member_of is not None:
        answer["listStatus"] = {
            "orderListId": member_of.list_id,
            "contingencyType": member_of.kind.contingency,
            "listOrderStatus": member_of.order_status.value,
            "listClientOrderId": member_of.client_list_id,
            "symbol": member_of.symbol,
            "orders": _members(member_of),
        }
    return answer
