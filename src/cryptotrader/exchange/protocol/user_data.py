"""What happens in an account, as Binance tells it on a user data stream. Pure: an event goes in, JSON comes out.

Binance: ``user-data-stream.md``. Fields that the document calls conditional appear under its conditions only.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from cryptotrader.core.orders import ExecutionType
from cryptotrader.core.scaled import format_scaled
from cryptotrader.exchange.engine.events import BalanceAdjusted, BalancesChanged, ListUpdate, OrderUpdate, UserEvent
from cryptotrader.exchange.protocol.render import expiry_reason

NO_PRICE = format_scaled(0)
NO_REASON = "NONE"
NO_TRADE_ID = -1
"""``t`` of a report without a trade."""

_ENCODER = msgspec.json.Encoder()


def render_user_event(event: UserEvent, *, event_ms: int, unit: int = 1) -> bytes:
    """The bare JSON of an event, as on ``/ws/<listenKey>``.

    Args:
        event: From the engine.
        event_ms: When it is sent (``E``), epoch milliseconds.
        unit: Units of time in a millisecond: 1, or 1000 for ``timeUnit=MICROSECOND``.
    """
    match event:
        case OrderUpdate():
            return _ENCODER.encode(execution_report(event, event_ms=event_ms, unit=unit))
        case ListUpdate():
            return _ENCODER.encode(list_status(event, event_ms=event_ms, unit=unit))
        case BalancesChanged():
            return _ENCODER.encode(account_position(event, event_ms=event_ms, unit=unit))
        case BalanceAdjusted():
            return _ENCODER.encode(balance_update(event, event_ms=event_ms, unit=unit))
        case _:
            assert_never(event)


def execution_report(update: OrderUpdate, *, event_ms: int, unit: int = 1) -> dict[str, object]:
    """``executionReport`` ("Order Update"), raw:
    ``{"e":"executionReport","E":1499405658658,"s":"ETHBTC","c":"mUvoqJxFIILMdfAW5iGSOW","S":"BUY","o":"LIMIT",...}``.
    """
    order, fill = update.order, update.fill
    report: dict[str, object] = {
        "e": "executionReport",
        "E": event_ms * unit,
        "s": order.symbol,
        "c": update.client_order_id,
        "S": order.side,
        "o": order.type,
        "f": order.time_in_force,
        "q": format_scaled(order.qty),
        "p": format_scaled(order.price),
        "P": NO_PRICE,
        "F": NO_PRICE,
        "g": order.order_list_id,
        "C": update.orig_client_order_id,
        "x": update.execution,
        "X": order.status,
        "r": update.reason if update.execution is ExecutionType.REJECTED else NO_REASON,
        "i": order.order_id,
        "l": format_scaled(fill.qty if fill else 0),
        "z": format_scaled(order.executed),
        "L": format_scaled(fill.price if fill else 0),
        "n": format_scaled(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else None,
        "T": update.time_ms * unit,
        "t": fill.trade_id if fill else NO_TRADE_ID,
        "I": update.execution_id,
        "w": order.is_open,
        "m": fill.is_maker if fill else False,
        # The document says "Ignore"; on the wire it is true for trades.
        "M": fill is not None,
        "O": order.time_ms * unit,
        "Z": format_scaled(order.quote_executed),
        "Y": format_scaled(fill.quote_qty if fill else 0),
        "Q": format_scaled(order.quote_order_qty),
    }
    if order.working_ms > 0:
        report["W"] = order.working_ms * unit
    report["V"] = order.self_trade_prevention_mode
    if order.strategy_id is not None:
        report["j"] = order.strategy_id
    if order.strategy_type is not None:
        report["J"] = order.strategy_type
    if update.execution is ExecutionType.EXPIRED:
        # The engine's own word, or what the kind of order says.
        report["eR"] = update.reason if update.reason != NO_REASON else expiry_reason(order.time_in_force)
    return report


def list_status(update: ListUpdate, *, event_ms: int, unit: int = 1) -> dict[str, object]:
    """``listStatus`` ("Order Update"), raw:
    ``{"e":"listStatus","E":1564035303637,"s":"ETHBTC","g":2,"c":"OCO","l":"EXEC_STARTED","L":"EXECUTING",...}``.
    """
    told = update.order_list
    return {
        "e": "listStatus",
        "E": event_ms * unit,
        "s": told.symbol,
        "g": told.list_id,
        "c": told.kind.contingency,
        "l": told.status_type,
        "L": told.order_status,
        "r": told.reject_reason,
        "C": told.client_list_id,
        "T": update.time_ms * unit,
        "O": [{"s": told.symbol, "i": leg.order_id, "c": leg.client_order_id} for leg in told.legs],
    }


def account_position(changed: BalancesChanged, *, event_ms: int, unit: int = 1) -> dict[str, object]:
    """``outboundAccountPosition`` ("Account Update"), raw:
    ``{"e":"outboundAccountPosition","E":..,"u":..,"B":[{"a":"ETH","f":"10000.000000","l":"0.000000"}]}``.
    """
    return {
        "e": "outboundAccountPosition",
        "E": event_ms * unit,
        "u": changed.time_ms * unit,
        "B": [
            {"a": asset, "f": format_scaled(free), "l": format_scaled(locked)}
            for asset, free, locked in changed.balances
        ],
    }


def balance_update(adjusted: BalanceAdjusted, *, event_ms: int, unit: int = 1) -> dict[str, object]:
    """``balanceUpdate`` ("Balance Update"), raw:
    ``{"e":"balanceUpdate","E":1573200697110,"a":"BTC","d":"100.00000000","T":1573200697068}``.
    """
    return {
        "e": "balanceUpdate",
        "E": event_ms * unit,
        "a": adjusted.asset,
        "d": format_scaled(adjusted.delta),
        "T": adjusted.time_ms * unit,
    }


def listen_key_expired(key: str, *, event_ms: int, unit: int = 1) -> bytes:
    """``listenKeyExpired``: nothing more will come for this key."""
    return _ENCODER.encode({"e": "listenKeyExpired", "E": event_ms * unit, "listenKey": key})


def stream_terminated(*, event_ms: int, unit: int = 1) -> bytes:
    """``eventStreamTerminated`` ("Event Stream Terminated"), without its envelope."""
    return _ENCODER.encode({"e": "eventStreamTerminated", "E": event_ms * unit})


def enveloped(payload: bytes, subscription_id: int | None) -> bytes:
    """``{"subscriptionId":0,"event":{..}}``, as the WebSocket API sends it; without an id for connection events."""
    head = b"{" if subscription_id is None else b'{"subscriptionId":%d,' % subscription_id
    return head + b'"event":' + payload + b"}"
