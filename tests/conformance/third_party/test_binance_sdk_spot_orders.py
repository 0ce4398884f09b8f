"""binance-sdk-spot, all of it, with orders of every kind: declared types, and numbers that agree to the last unit."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cryptotrader.exchange.accounts import ApiKey, KeyKind
from cryptotrader.exchange.protocol.limits import LimitPolicy
from tests.conformance.third_party.conftest import run_driver
from tests.support.paper import running_exchange
from tests.support.still_market import RICH, still_venue

APIS = ("rest", "ws")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return asyncio.run(_drive(tmp_path_factory.mktemp("key") / "key.pem"))


async def _drive(file: Path) -> dict[str, Any]:
    private = Ed25519PrivateKey.generate()
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = ApiKey(id="k" * 64, account=RICH.id, kind=KeyKind.ED25519, secret=public)
    async with running_exchange(still_venue(key), limits=LimitPolicy.off()) as server:
        arguments = (f"127.0.0.1:{server.port}", key.id, str(file))
        return await asyncio.to_thread(run_driver, "binance-sdk-spot", *arguments, driver="binance_sdk_spot_orders")


def data(report: Mapping[str, Any], api: str, step: str) -> Any:
    """The parsed result of a step."""
    found = report["steps"][f"{api}.{step}"]["data"]
    return found if api == "rest" else found["result"]


def test_nothing_fails_and_every_answer_and_event_has_the_declared_types(report: dict[str, Any]) -> None:
    """The client warns where a type differs from what it declares."""
    assert report["failures"] == {}
    assert report["warnings"] == []


def test_every_operation_and_method_that_the_client_has_was_called(report: dict[str, Any]) -> None:
    """48 operations of REST, 55 methods of the WebSocket API."""
    offered = report["steps"]["offered"]
    assert sorted(offered) == report["steps"]["called"]
    assert [sum(name.startswith(api) for name in offered) for api in APIS] == [48, 55]


def events(report: Mapping[str, Any], field: str) -> list[dict[str, Any]]:
    """Those that the account heard which have this field: ``x`` is an order's, ``O`` a list's, ``B`` of balances."""
    names = {"x": "x", "list": "O", "balances": "u"}
    return [
        event
        for event in report["steps"]["events"]
        if event.get(names[field]) is not None and (field == "x" or event.get("x") is None)
    ]


def executed(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All trades and allocations of the account, at the end."""
    return [*data(report, "ws", "myTrades"), *data(report, "ws", "myAllocations")]


def test_fields_that_the_client_does_not_declare_are_those_that_documents_have_under_conditions(
    report: dict[str, Any],
) -> None:
    """Its models leave out some of "Conditional fields in Order Responses"."""
    known = {
        "expiryReason", "fills", "icebergQty", "pegOffsetType", "pegOffsetValue", "pegPriceType", "peggedPrice",
        "preventedMatchId", "preventedMatches", "preventedQuantity", "rateLimits", "selfTradePreventionMode",
        "specialCommissionForOrder", "stopPrice", "strategyId", "strategyType", "tradeGroupId", "trailingDelta",
        "trailingTime",
    }  # fmt: skip
    strange: dict[str, list[str]] = {}
    for step, value in report["steps"].items():
        names = value.get("unknown", ()) if isinstance(value, dict) else ()
        unknown = [path for path in names if path.rpartition(".")[2] not in known]
        # The client takes the answer of exchangeInfo apart without its envelope.
        if unknown and not step.startswith(("ws.info", "ws.exchangeInfo")):
            strange[step] = unknown
    assert strange == {}
    assert report["steps"]["events.unknown"] == []


@pytest.mark.parametrize("api", APIS)
def test_balances_are_what_fills_and_commissions_leave(api: str, report: dict[str, Any]) -> None:
    """Conserved to the last unit over both runs; nothing stays locked."""
    before = {row["asset"]: Decimal(row["free"]) for row in data(report, "rest", "before")["balances"]}
    after = data(report, api, "after")["balances"]
    fills = [*data(report, api, "myTrades"), *data(report, api, "myAllocations")]
    due: dict[str, Decimal] = defaultdict(Decimal, before)
    for fill in fills:
        sign = 1 if fill["isBuyer"] else -1
        due["BTC"] += sign * Decimal(fill["qty"])
        due["USDT"] -= sign * Decimal(fill["quoteQty"])
        due[fill["commissionAsset"]] -= Decimal(fill["commission"])
    assert {row["asset"]: Decimal(row["free"]) for row in after} == dict(due)
    assert {Decimal(row["locked"]) for row in after} == {Decimal(0)}
    assert {fill["commissionAsset"] for fill in fills} == {"BNB", "BTC", "USDT"}


def test_orders_are_filled_as_much_as_their_fills_say(report: dict[str, Any]) -> None:
    qty: dict[int, Decimal] = defaultdict(Decimal)
    quote: dict[int, Decimal] = defaultdict(Decimal)
    for fill in executed(report):
        qty[fill["orderId"]] += Decimal(fill["qty"])
        quote[fill["orderId"]] += Decimal(fill["quoteQty"])
    orders = data(report, "ws", "orders")
    assert len(orders) > 100
    for order in orders:
        number = order["orderId"]
        assert Decimal(order["executedQty"]) == qty[number]
        assert Decimal(order["cummulativeQuoteQty"]) == quote[number]
        prevented = Decimal(order.get("preventedQuantity") or 0)
        left = Decimal(order["origQty"]) - qty[number] - prevented
        # What follows from another order has no quantity before that one is filled.
        if Decimal(order["origQty"]):
            assert (left == 0) is (order["status"] in ("FILLED", "EXPIRED_IN_MATCH")), order
        assert order["status"] in ("FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH")


def test_what_was_told_at_once_is_what_is_told_later(report: dict[str, Any]) -> None:
    """Fills of an answer are rows of ``myTrades`` and ``myAllocations``."""
    rows = {
        (row.get("id"), row.get("allocationId"), row["orderId"]): (row["price"], row["qty"], row["commission"])
        for row in executed(report)
    }
    seen = 0
    for api in APIS:
        for step in ("order.market", "order.market.quote", "order.limit.ioc", "sor", "sor.market", "fill.up"):
            (order,) = placed if isinstance(placed := data(report, api, step), list) else (placed,)
            for fill in order["fills"]:
                trade_id = None if fill["tradeId"] == -1 else fill["tradeId"]
                told = (fill["price"], fill["qty"], fill["commission"])
                assert rows[(trade_id, fill.get("allocId"), order["orderId"])] == told
                seen += 1
    assert seen > 10


def test_the_last_report_of_every_order_is_how_it_stands(report: dict[str, Any]) -> None:
    last = {event["i"]: event for event in events(report, "x")}
    orders = {order["orderId"]: order for order in data(report, "ws", "orders")}
    assert last.keys() == orders.keys()
    for number, order in orders.items():
        event = last[number]
        assert (event["X"], event["z"], event["Z"]) == (
            order["status"],
            order["executedQty"],
            order["cummulativeQuoteQty"],
        )
        assert (event["q"], event["g"], event["V"]) == (
            order["origQty"],
            order["orderListId"],
            order["selfTradePreventionMode"],
        )
    numbers = [event["I"] for event in events(report, "x")]
    assert numbers == sorted(set(numbers))


def test_every_trade_is_reported_once_with_the_commission_that_it_cost(report: dict[str, Any]) -> None:
    told = sorted(
        (event["i"], event["t"], event["l"], event["L"], event["n"], event["N"])
        for event in events(report, "x")
        if event["x"] == "TRADE"
    )
    rows = sorted(
        (row["orderId"], row.get("id", -1), row["qty"], row["price"], row["commission"], row["commissionAsset"])
        for row in executed(report)
    )
    assert told == rows


def test_balances_that_were_told_last_are_those_of_the_account(report: dict[str, Any]) -> None:
    told: dict[str, tuple[str, str]] = {}
    for event in events(report, "balances"):
        told |= {row["a"]: (row["f"], row["l"]) for row in event["B"]}
    account = {row["asset"]: (row["free"], row["locked"]) for row in data(report, "ws", "after")["balances"]}
    assert told == account


def test_lists_are_over_and_their_orders_know_them(report: dict[str, Any]) -> None:
    lists = {row["orderListId"]: row for row in data(report, "ws", "lists")}
    assert len(lists) == 2 * (2 * 6 + 3)
    orders = {order["orderId"]: order for order in data(report, "ws", "orders")}
    last = {event["g"]: event for event in events(report, "list")}
    assert last.keys() == lists.keys()
    for number, row in lists.items():
        assert row["listOrderStatus"] == "ALL_DONE"
        assert (last[number]["l"], last[number]["L"]) == (row["listStatusType"], row["listOrderStatus"])
        assert {orders[member["orderId"]]["orderListId"] for member in row["orders"]} == {number}
        assert [member["i"] for member in last[number]["O"]] == [member["orderId"] for member in row["orders"]]


@pytest.mark.parametrize("api", APIS)
def test_both_apis_tell_the_same_of_an_order_of_every_kind(api: str, report: dict[str, Any]) -> None:
    for step, told in report["steps"].items():
        if not step.startswith(f"{api}.order.") or step.endswith((".ACK", ".RESULT")):
            continue
        placed = told["data"] if api == "rest" else told["data"]["result"]
        queried = data(report, api, "get." + step.removeprefix(f"{api}.order."))
        shared = placed.keys() & queried.keys() - {"stopPrice", "icebergQty"}
        assert {name: placed[name] for name in shared} == {name: queried[name] for name in shared}, step


@pytest.mark.parametrize("api", APIS)
def test_prevention_takes_from_whom_the_mode_names(api: str, report: dict[str, Any]) -> None:
    lost = {"EXPIRE_TAKER": "0", "EXPIRE_MAKER": "0.002", "EXPIRE_BOTH": "0.002", "DECREMENT": "0.001", "NONE": "0"}
    for mode, qty in (lost | {"TRANSFER": "0.001"}).items():
        maker = data(report, api, f"met.{mode}")
        assert Decimal(maker.get("preventedQuantity") or 0) == Decimal(qty), mode
        rows = data(report, api, f"prevented.{mode}")
        assert len(rows) == (0 if mode == "NONE" else 1)
        assert {row["tradeGroupId"] for row in rows} <= {RICH.trade_group}
