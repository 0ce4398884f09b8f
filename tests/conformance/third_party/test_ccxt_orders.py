"""ccxt and ccxt.pro: orders of every type they offer, every raw call, and what the caches of their streams say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_before_still_markets, run_driver

CONTRACTS = "of futures, swaps or options, on other hosts"
MARGIN = "of margin accounts, under /sapi"
WALLET = "of wallets, fees or transfers, under /sapi"
FLAGS = {"future", "margin", "option", "privateAPI", "publicAPI", "sandbox", "spot", "swap", "ws"}
"""No calls, but things that the library can do."""

REASONS: dict[str, tuple[str, ...]] = {
    CONTRACTS: (
        "ADL", "Greeks", "Funding", "Leverage", "Liquidation", "MarkOHLCV", "IndexOHLCV", "MarkPrice", "OpenInterest",
        "Option", "Position", "Settlement", "LongShort", "MarginMode", "cancelOrders", "createOrders", "editOrders",
        "createReduceOnlyOrder", "fetchOpenOrder", "fetchOrderBookWs", "fetchTickerWs", "watchOrdersForSymbols",
    ),
    MARGIN: ("Margin", "Borrow"),
    WALLET: (
        "Convert", "Deposit", "ithdraw", "Ledger", "ransfer", "TradingFee", "TransactionFee", "fetchStatus",
        "fetchCurrenciesWs",
    ),
}  # fmt: skip
"""What the library has and is not called here, by parts of the names.

``cancelOrders`` and ``createOrders``, ``fetchOpenOrder``, ``fetchOrderBookWs`` and ``fetchTickerWs`` the library itself
refuses for spot; ``watchOrdersForSymbols`` it does not have, though it says so."""

Order = Mapping[str, Any]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return run_before_still_markets("ccxt", "ccxt_orders")


@pytest.fixture(scope="module")
def steps(report: dict[str, Any]) -> dict[str, Any]:
    return dict(report["steps"])


def test_orders_of_every_type_are_taken_and_every_call_is_answered(report: dict[str, Any]) -> None:
    assert report["failures"] == {}
    assert report["warnings"] == []


def test_every_call_for_spot_is_made(exchange: str, steps: dict[str, Any]) -> None:
    """A method that a new version of the library brings makes this fail until it is called, or named with a reason."""
    called = {name.replace("_", "") for name in (*steps["called"], *run_driver("ccxt", exchange)["steps"]["called"])}
    left = {name for name in steps["offered"] if name.lower() not in called}
    reasoned = {name for name in left - FLAGS for parts in REASONS.values() if any(part in name for part in parts)}
    assert left - FLAGS - reasoned == set()
    assert len(set(steps["offered"]) - left) >= 70


def test_every_raw_call_that_the_library_lists_is_made(steps: dict[str, Any]) -> None:
    assert [name for name in steps["raw.offered"] if name not in steps] == []
    assert len(steps["raw.offered"]) >= 48


@pytest.mark.parametrize("api", ["rest", "ws"])
def test_an_order_ends_as_its_type_says(api: str, steps: dict[str, Any]) -> None:
    """In the library's words: open, closed, canceled, expired; a stop is an order to sell at the market, or limited."""
    ends = {"limit.ioc": "closed", "limit.fok": "expired", "market": "closed", "market.deep": "closed"}
    ends |= {"market.quote": "closed", "cost": "closed", "priced": "closed", "sor": "closed"}
    kinds = {
        name.removeprefix(f"{api}.").removesuffix(".told")
        for name in steps
        if name.startswith(f"{api}.") and name.endswith(".told")
    }
    assert len(kinds) == (33 if api == "rest" else 18)
    for kind in kinds:
        told = steps[f"{api}.{kind}.told"]
        assert told["status"] == ends.get(kind, "open"), kind
        if told["status"] == "open":
            assert steps[f"{api}.{kind}.cancel"]["status"] == "canceled"
    types = {"stop": "market", "stop.limit": "limit", "profit": "market", "profit.limit": "limit", "maker": "limit"}
    for kind, name in types.items():
        assert steps[f"{api}.{kind}.told"]["type"] == name


@pytest.mark.parametrize("api", ["rest", "ws"])
def test_what_was_told_at_once_is_what_is_told_later(api: str, steps: dict[str, Any]) -> None:
    """Amount, filled, remaining, cost, average; of what is only acknowledged the library knows the number alone."""
    compared = 0
    for name, told in steps.items():
        if not name.startswith(f"{api}.") or not name.endswith(".told"):
            continue
        placed = steps[name.removesuffix(".told")]
        assert placed["id"] == told["id"]
        for field in ("status", "type", "side", "price", "amount", "filled", "remaining", "cost", "average"):
            if placed[field] is not None:
                assert placed[field] == told[field], (name, field)
                compared += 1
    assert compared > 80


@pytest.mark.parametrize("api", ["rest", "ws"])
def test_an_edited_order_takes_the_place_of_the_one_before(api: str, steps: dict[str, Any]) -> None:
    for change in ("price", "amount", "maker", "stop", "market"):
        edited, before = steps[f"{api}.edit.{change}"], steps[f"{api}.edit.{change}.before"]
        assert before["status"] == "canceled"
        assert edited["id"] == steps[f"{api}.edit.{change}.after"]["id"] != before["id"]
    assert steps[f"{api}.edit.price"]["price"] == 43_000
    assert steps[f"{api}.edit.amount"]["amount"] == 0.002
    assert steps[f"{api}.edit.market.after"]["status"] == "closed"


def test_both_apis_and_the_stream_tell_the_same_of_every_order(steps: dict[str, Any]) -> None:
    rest, asked, watched = steps["orders"], steps["orders.ws"], steps["orders.watched"]
    assert rest == asked
    assert len(rest) > 100
    assert len(watched) > 30
    for number, order in watched.items():
        for field in ("clientOrderId", "status", "type", "side", "amount", "filled", "cost", "timeInForce"):
            assert order[field] == rest[number][field], (field, order, rest[number])
        if order["filled"]:
            assert order["average"] == pytest.approx(rest[number]["average"], rel=1e-9)


def test_both_apis_and_the_stream_tell_the_same_of_every_trade(steps: dict[str, Any]) -> None:
    rest = {row["id"]: row for row in steps["trades"]}
    assert steps["trades.ws"] == steps["trades"]
    assert len(steps["trades.watched"]) > 5
    for row in steps["trades.watched"]:
        assert row == rest[row["id"]]


def test_orders_are_filled_and_paid_for_as_their_trades_say(steps: dict[str, Any]) -> None:
    filled: dict[str, Decimal] = defaultdict(Decimal)
    cost: dict[str, Decimal] = defaultdict(Decimal)
    allocated = [
        {"order": str(row["orderId"]), "amount": row["qty"], "cost": row["quoteQty"]} for row in steps["allocations"]
    ]
    for row in (*steps["trades"], *allocated):
        filled[row["order"]] += Decimal(str(row["amount"]))
        cost[row["order"]] += Decimal(str(row["cost"]))
    for number, order in steps["orders"].items():
        assert Decimal(str(order["filled"])) == filled[number]
        assert Decimal(str(order["cost"])) == cost[number]


def test_balances_are_what_trades_and_fees_leave_and_what_the_stream_told(steps: dict[str, Any]) -> None:
    due = {asset: Decimal(str(steps["before"][asset]["total"])) for asset in ("BTC", "USDT", "BNB")}
    for row in steps["trades"]:
        sign = 1 if row["side"] == "buy" else -1
        due["BTC"] += sign * Decimal(str(row["amount"]))
        due["USDT"] -= sign * Decimal(str(row["cost"]))
        due[row["fee"]["currency"]] -= Decimal(str(row["fee"]["cost"]))
    for row in steps["allocations"]:
        sign = 1 if row["isBuyer"] else -1
        due["BTC"] += sign * Decimal(row["qty"])
        due["USDT"] -= sign * Decimal(row["quoteQty"])
        due[row["commissionAsset"]] -= Decimal(row["commission"])
    for asset, total in due.items():
        for told in ("after", "after.ws"):
            assert Decimal(str(steps[told][asset]["total"])) == total, (told, asset)
        assert steps["after"][asset]["used"] == 0
    for asset in ("BTC", "USDT"):
        assert steps["after.watched"][asset] == steps["after"][asset]
