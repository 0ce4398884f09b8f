"""What a program does in some simulated runs beyond the simple requests: lists, amendments, replacements, a session."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.services.binance.websocketAPI.trading_requests import (
    amend_order,
    cancel_oco_order,
    create_new_oco_order,
    replace_order,
)
from cryptotrader.testing.order_desk import SYMBOL

if TYPE_CHECKING:
    from tests.support.ws_api_world import Client, Op

_KEY = Ed25519PrivateKey.from_private_bytes(b"simulation" + bytes(22))
PRIVATE_PEM = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC_PEM = _KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
"""A key pair of the simulations, which opens nothing."""

KINDS = ("replace", "replace", "amend", "amend", "list", "list", "unlist")
TRADES = frozenset({"place", "cancel", *KINDS})
"""Kinds that could trade, so that they may end as unknown."""


def script(random: Random, burst_s: float) -> tuple[tuple[str, float], ...]:
    """What the program does besides, and when."""
    return tuple((random.choice(KINDS), random.uniform(0, burst_s)) for _ in range(random.randint(3, 15)))


def key_of(method: str, params: Mapping[str, Any]) -> str:
    """From a request on the wire to the wish behind it; empty where nothing tells."""
    match method:
        case "order.cancelReplace":
            return f"replace:{params.get('strategyId')}"
        case "orderList.place.oco":
            return f"list:{params.get('aboveStrategyId')}"
        case "order.amend.keepPriority":
            return f"amend:{params.get('newQty')}"
        case "orderList.cancel":
            return f"unlist:{params.get('orderListId') or params.get('listClientOrderId')}"
    return ""


def wish(client: Client, op: Op, earlier: Sequence[Op], random: Random) -> Awaitable[object] | None:
    """The request; None where there is nothing that it could be about."""
    known = [each.result for each in earlier if each.kind == "place" and each.way == "answer"]
    lists = [each.result for each in earlier if each.kind == "list" and each.way == "answer"]
    op.key = f"{op.kind}:{op.number}"
    match op.kind:
        case "list":
            return client.request(create_new_oco_order.SPEC, _oco(op))
        case "unlist" if lists:
            old_list = random.choice(lists)
            number = old_list.order_list_id
            if any(each.kind == "unlist" and each.target == old_list.orders[0].order_id for each in earlier):
                return None
            by_name = random.random() < 0.5
            op.key = f"unlist:{old_list.list_client_order_id if by_name else number}"
            op.target = old_list.orders[0].order_id
            gone = cancel_oco_order.CancelOrderListParams(
                symbol=SYMBOL,
                order_list_id=None if by_name else number,
                list_client_order_id=old_list.list_client_order_id if by_name else None,
            )
            return client.request(cancel_oco_order.SPEC, gone)
        case "replace" if known:
            return client.request(replace_order.SPEC, _replacement(op, random.choice(known).order_id, random))
        case "amend" if known:
            old = random.choice(known)
            if any(each.kind == "amend" and each.target == old.order_id for each in earlier):
                # A second one would rename what the first is asked for by.
                return None
            # No two amendments ask for the same quantity, which tells their frames apart.
            qty = f"0.{op.number:03d}"
            op.key, op.target = f"amend:{qty}", old.order_id
            by_name = random.random() < 0.5
            change = amend_order.AmendOrderParams(
                symbol=SYMBOL,
                order_id=None if by_name else old.order_id,
                orig_client_order_id=old.client_order_id if by_name else None,
                new_qty=qty,
            )
            return client.request(amend_order.SPEC, change)
    return None


def _oco(op: Op) -> create_new_oco_order.NewOcoParams:
    return create_new_oco_order.NewOcoParams(
        symbol=SYMBOL,
        side=Side.SELL,
        quantity=f"{op.number}.000",
        above_type="LIMIT_MAKER",
        above_price="103.00",
        above_strategy_id=op.number,
        below_type="STOP_LOSS_LIMIT",
        below_stop_price="90.00",
        below_price="89.00",
        below_time_in_force=TimeInForce.GTC,
    )


def _replacement(op: Op, order_id: int, random: Random) -> replace_order.ReplaceOrderParams:
    return replace_order.ReplaceOrderParams(
        symbol=SYMBOL,
        side=random.choice((Side.BUY, Side.SELL)),
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=f"{op.number}.000",
        price=random.choice(("98.00", "100.00", "102.00")),
        strategy_id=op.number,
        cancel_replace_mode=random.choice(("STOP_ON_FAILURE", "ALLOW_FAILURE")),
        cancel_order_id=order_id,
    )
