"""Whether what a client was told over its life agrees with itself, to the last unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]

LIST_ORDERS = 2
"""An order list has at least as many orders."""

OVER = {"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}


def check_books(before: Row, after: Row, orders: Iterable[Row], fills: Iterable[Row]) -> None:
    """Balances are what fills and commissions leave, orders are filled as their fills say, nothing is left open.

    Args:
        before: The account as it was, as ``GET /api/v3/account`` tells it.
        after: The account as it is.
        orders: All orders of it, as ``GET /api/v3/allOrders`` tells them, of pairs of BTC and USDT.
        fills: All trades and allocations, as ``GET /api/v3/myTrades`` and ``myAllocations`` tell them.

    Raises:
        AssertionError: Something does not agree.
    """
    fills = list(fills)
    due: dict[str, Decimal] = defaultdict(Decimal, {row["asset"]: Decimal(row["free"]) for row in before["balances"]})
    qty: dict[int, Decimal] = defaultdict(Decimal)
    quote: dict[int, Decimal] = defaultdict(Decimal)
    for fill in fills:
        sign = 1 if fill["isBuyer"] else -1
        due["BTC"] += sign * Decimal(fill["qty"])
        due["USDT"] -= sign * Decimal(fill["quoteQty"])
        due[fill["commissionAsset"]] -= Decimal(fill["commission"])
        qty[fill["orderId"]] += Decimal(fill["qty"])
        quote[fill["orderId"]] += Decimal(fill["quoteQty"])
        assert Decimal(fill["price"]) * Decimal(fill["qty"]) - Decimal(fill["quoteQty"]) < Decimal("0.00000001")
    assert {row["asset"]: Decimal(row["free"]) for row in after["balances"]} == dict(due)
    assert {Decimal(row["locked"]) for row in after["balances"]} == {Decimal(0)}
    for order in orders:
        number = order["orderId"]
        assert order["status"] in OVER, order
        assert Decimal(order["executedQty"]) == qty[number], order
        assert Decimal(order["cummulativeQuoteQty"]) == quote[number], order
        if order["status"] == "FILLED":
            assert Decimal(order["origQty"]) == qty[number], order


def check_told_again(placed: Row, queried: Row) -> None:
    """What the answer to a new order said of it is what the question for it says, unless that is about time."""
    shared = placed.keys() & queried.keys()
    assert {name: placed[name] for name in shared} == {name: queried[name] for name in shared}


def check_run(steps: Mapping[str, Any], over: str) -> None:
    """All of the above for a run of ``drivers/order_run.py`` over one of a client's APIs."""
    mine = {name.partition(".")[2]: value for name, value in steps.items() if name.startswith(f"{over}.")}
    check_books(mine["before"], mine["after"], mine["orders"], [*mine["trades"], *mine.get("allocations", ())])
    kinds = [name.removeprefix("order.") for name in mine if name.startswith("order.")]
    for kind in kinds:
        if f"get.{kind}" in mine:
            check_told_again(mine[f"order.{kind}"], mine[f"get.{kind}"])
            assert (f"cancel.{kind}" in mine) is (mine[f"get.{kind}"]["status"] == "NEW")
    assert [row["orderId"] for row in mine["open"]] == [row["orderId"] for row in mine["clear"]]
    assert mine["open.none"] == []
    for name, value in mine.items():
        if name.startswith("list.") and name.count(".") == name.endswith(".get") + 1 + (".at_once" in name):
            assert len(value["orders"]) >= LIST_ORDERS
            assert value["listOrderStatus"] in ("EXECUTING", "ALL_DONE")
    assert all(row["listOrderStatus"] == "ALL_DONE" for row in mine["lists"])
