"""User data events that the stream did not bring, made from what REST tells. No I/O.

Binance: ``user-data-stream.md``, "Order Update" and "Account Update". Events made here bear ``"recovered":true``; what
REST does not tell (execution id, reject reason) has the value that the venue uses for "none".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from cryptotrader.core.orders import ExecutionType, OrderStatus
from cryptotrader.feeds.user_memory import KnownOrder
from cryptotrader.services.binance.models.account import AccountTrade
from cryptotrader.services.binance.models.orders import OrderReport

Event = dict[str, object]

_ZERO = "0.00000000"

ENDINGS = {
    OrderStatus.CANCELED: ExecutionType.CANCELED,
    OrderStatus.EXPIRED: ExecutionType.EXPIRED,
    OrderStatus.EXPIRED_IN_MATCH: ExecutionType.TRADE_PREVENTION,
    OrderStatus.REJECTED: ExecutionType.REJECTED,
}
"""The execution type that leads to a status which no fill leads to."""


def missed_reports(
    order: OrderReport, fills: Iterable[AccountTrade], *, known: KnownOrder, is_new: bool, now_ms: int
) -> list[Event]:
    """What a client has to be told about one order, in the order in which it happened.

    Args:
        order: Its state now, asked for after ``fills``.
        fills: Its fills that were not told yet, by ascending id.
        known: What has been told.
        is_new: Whether it was placed while nobody could listen.
        now_ms: Event time of the reports.
    """
    qty, executed = Decimal(order.orig_qty), Decimal(order.executed_qty)
    done, done_quote = known.executed, known.quote
    events: list[Event] = []
    if is_new and not known.was_announced:
        new = _report(order, now_ms=now_ms) | {"x": "NEW", "X": "NEW", "T": order.time, "w": True}
        events.append(new | {"z": _ZERO, "Z": _ZERO})
    for fill in fills:
        done += Decimal(fill.qty)
        done_quote += Decimal(fill.quote_qty)
        is_whole = done >= qty > 0
        events.append(
            _report(order, now_ms=now_ms)
            | {
                "x": "TRADE",
                "X": "FILLED" if is_whole else "PARTIALLY_FILLED",
                "l": fill.qty,
                "z": f"{done:.8f}",
                "L": fill.price,
                "n": fill.commission,
                "N": fill.commission_asset,
                "T": fill.time,
                "t": fill.id,
                "w": not is_whole,
                "m": fill.is_maker,
                "M": True,
                "Z": f"{done_quote:.8f}",
                "Y": fill.quote_qty,
            }
        )
    ending = ENDINGS.get(OrderStatus(order.status)) if order.status in list(OrderStatus) else None
    # Where fills are missing they came after the question about fills, so the stream brings them, and the end as well.
    if ending is not None and not known.was_ended and done == executed:
        end = _report(order, now_ms=now_ms) | {"x": ending.value, "X": order.status, "T": order.update_time, "w": False}
        if ending is ExecutionType.CANCELED:
            end["C"] = order.client_order_id
        if order.expiry_reason is not None:
            end["eR"] = order.expiry_reason
        events.append(end)
    return events


def _report(order: OrderReport, *, now_ms: int) -> Event:
    report: Event = {
        "e": "executionReport",
        "E": now_ms,
        "s": order.symbol,
        "c": order.client_order_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": order.orig_qty,
        "p": order.price,
        "P": order.stop_price or _ZERO,
        "F": order.iceberg_qty or _ZERO,
        "g": order.order_list_id,
        "C": "",
        "x": "NEW",
        "X": order.status,
        "r": "NONE",
        "i": order.order_id,
        "l": _ZERO,
        "z": order.executed_qty,
        "L": _ZERO,
        "n": "0",
        "N": None,
        "T": order.update_time,
        "t": -1,
        "I": -1,
        "w": order.is_working,
        "m": False,
        "M": False,
        "O": order.time,
        "Z": order.cummulative_quote_qty,
        "Y": _ZERO,
        "Q": order.orig_quote_order_qty,
        "V": order.self_trade_prevention_mode,
        "recovered": True,
    }
    if order.working_time is not None:
        report["W"] = order.working_time
    return report


def account_position(changed: Mapping[str, tuple[str, str]], *, update_ms: int, now_ms: int) -> Event:
    """``outboundAccountPosition`` of the assets whose (free, locked) changed."""
    return {
        "e": "outboundAccountPosition",
        "E": now_ms,
        "u": update_ms,
        "B": [{"a": asset, "f": free, "l": locked} for asset, (free, locked) in changed.items()],
        "recovered": True,
    }
