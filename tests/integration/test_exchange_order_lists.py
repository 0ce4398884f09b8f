"""Order lists over the wire: placing, what is told in which order, asking, cancelling, and the balances they leave.

Binance: ``rest-api.md``, "Order lists"; ``user-data-stream.md``, "Order Update"; ``faqs/opo.md``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from cryptotrader.core.events import Trade
from cryptotrader.exchange.protocol.limits import LimitPolicy
from tests.support.api_client import RESTING, SYMBOL, Api, served
from tests.support.paper import QuietSource, SignedClient, paper_venue, units
from tests.support.waiting import eventually

PAIR = {
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "46000.00",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "44000.00",
    "belowPrice": "43990.00",
    "belowTimeInForce": "GTC",
}
PENDING_PAIR = {f"pending{name[0].upper()}{name[1:]}": value for name, value in PAIR.items()}
OCO = SYMBOL | {"side": "SELL", "quantity": "0.001"} | PAIR
WORKING = SYMBOL | {
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "44000.00",
    "workingQuantity": "0.001",
    "workingTimeInForce": "GTC",
}
TAKES = {"workingPrice": "45001.00"}
PENDING = {"pendingType": "LIMIT", "pendingSide": "SELL", "pendingPrice": "46000.00", "pendingTimeInForce": "GTC"}
QTY = {"pendingQuantity": "0.001"}
LEGACY = SYMBOL | {
    "side": "SELL",
    "quantity": "0.001",
    "price": "46000.00",
    "stopPrice": "44000.00",
    "stopLimitPrice": "43990.00",
    "stopLimitTimeInForce": "GTC",
}
SELLS = {"pendingSide": "SELL"}
KINDS: Mapping[str, tuple[dict[str, str], str, int]] = {
    "orderList.place": (LEGACY, "OCO", 2),
    "orderList.place.oco": (OCO, "OCO", 2),
    "orderList.place.oto": (WORKING | PENDING | QTY, "OTO", 2),
    "orderList.place.otoco": (WORKING | PENDING_PAIR | SELLS | QTY, "OTO", 3),
    "orderList.place.opo": (WORKING | PENDING, "OTO", 2),
    "orderList.place.opoco": (WORKING | PENDING_PAIR | SELLS, "OTO", 3),
}
"""Method to parameters, contingency and number of orders."""


@pytest.fixture
async def source() -> QuietSource:
    return QuietSource()


@pytest.fixture
async def api(source: QuietSource) -> AsyncIterator[Api]:
    async with served(venue=paper_venue(source)) as found:
        await found.result("userDataStream.subscribe.signature")
        yield found


async def trade(api: Api, source: QuietSource, price: str) -> None:
    now_ms = api.server.venue.now_ms()
    last_id = api.server.venue.engine.next_trade_id("BTCUSDT") + 1_000
    source.queue.append(Trade("BTCUSDT", last_id, units(price), units("0.01"), now_ms, False, now_ms))
    await eventually(lambda: not source.queue)


async def funds(api: Api) -> dict[str, tuple[Decimal, Decimal]]:
    rows = (await api.result("account.status"))["balances"]
    return {row["asset"]: (Decimal(row["free"]), Decimal(row["locked"])) for row in rows}


async def told(api: Api) -> list[str]:
    """Everything that the account heard since the last time, in short."""
    await api.result("time")
    events, api.events = api.events, []
    return [_short(event) for event in events]


def _short(event: Mapping[str, Any]) -> str:
    match event["e"]:
        case "executionReport":
            return f"{event['o']} {event['x']} {event['X']}"
        case "listStatus":
            return f"list {event['l']} {event['L']}"
        case _:
            return "balances"


@pytest.mark.parametrize("method", KINDS)
async def test_a_list_is_placed_told_asked_for_and_cancelled(method: str, api: Api) -> None:
    params, contingency, count = KINDS[method]
    before = await funds(api)
    placed = await api.result(method, **params, listClientOrderId="my-list")
    reports = placed.pop("orderReports")
    assert (placed["contingencyType"], placed["listStatusType"], placed["listOrderStatus"]) == (
        contingency,
        "EXEC_STARTED",
        "EXECUTING",
    )
    assert placed["listClientOrderId"] == "my-list"
    assert [row["orderId"] for row in reports] == [row["orderId"] for row in placed["orders"]]
    assert {row["orderListId"] for row in reports} == {placed["orderListId"]}
    assert len(reports) == count == await api.unfilled()
    waits = [row for row in reports if row["workingTime"] == -1]
    assert len(waits) == count - 1
    assert {row["status"] for row in waits} == {"NEW" if contingency == "OCO" else "PENDING_NEW"}
    for by in ({"orderListId": placed["orderListId"]}, {"origClientOrderId": "my-list"}):
        assert await api.result("orderList.status", **by) == placed
    assert await api.result("openOrderLists.status") == await api.result("allOrderLists") == [placed]
    assert [row["orderListId"] for row in await api.result("openOrders.status")] == [placed["orderListId"]] * count
    event = await api.told(e="listStatus")
    assert (event["g"], event["C"], event["c"]) == (placed["orderListId"], "my-list", contingency)
    assert [row["i"] for row in event["O"]] == [row["orderId"] for row in reports]
    assert [each.partition(" ")[2] for each in (await told(api))[1:-1]] == [f"NEW {row['status']}" for row in reports]

    gone = await api.result("orderList.cancel", **SYMBOL, orderListId=placed["orderListId"], newClientOrderId="gone")
    assert (gone["listStatusType"], gone["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert {row["status"] for row in gone["orderReports"]} == {"CANCELED"}
    assert {row["clientOrderId"] for row in gone["orderReports"]} == {"gone"}
    assert [row["origClientOrderId"] for row in gone["orderReports"]] == [row["clientOrderId"] for row in reports]
    assert (await told(api))[0] == "list ALL_DONE ALL_DONE"
    assert await api.result("openOrderLists.status") == []
    assert (await api.result("orderList.status", orderListId=placed["orderListId"]))["listOrderStatus"] == "ALL_DONE"
    assert await funds(api) == before
    again = await api.error("orderList.cancel", **SYMBOL, orderListId=placed["orderListId"])
    assert again == (400, -2011, "Unknown order sent.")


@pytest.mark.parametrize("method", KINDS)
async def test_to_cancel_one_order_is_to_cancel_its_list(method: str, api: Api) -> None:
    """``DELETE /api/v3/order``: the answer is that of the whole list."""
    params, _, count = KINDS[method]
    for number in range(count):
        placed = await api.result(method, **params)
        gone = await api.result("order.cancel", **SYMBOL, orderId=placed["orders"][number]["orderId"])
        assert gone["orderListId"] == placed["orderListId"]
        assert {row["status"] for row in gone["orderReports"]} == {"CANCELED"}
        assert len(gone["orderReports"]) == count


async def test_all_open_orders_go_and_lists_go_as_lists(api: Api) -> None:
    alone = await api.result("order.place", **RESTING)
    listed = await api.result("orderList.place.oco", **OCO)
    rows = await api.result("openOrders.cancelAll", **SYMBOL)
    assert {row.get("orderId", row["orderListId"]) for row in rows} == {alone["orderId"], listed["orderListId"]}
    whole = next(row for row in rows if "contingencyType" in row)
    assert [row["orderId"] for row in whole["orderReports"]] == [row["orderId"] for row in listed["orders"]]


async def test_the_stop_of_a_pair_ends_the_other(api: Api, source: QuietSource) -> None:
    placed = await api.result("orderList.place.oco", **OCO)
    await told(api)
    await trade(api, source, "44000")
    assert await told(api) == [
        "LIMIT_MAKER EXPIRED EXPIRED",
        "STOP_LOSS_LIMIT NEW NEW",
        "list ALL_DONE ALL_DONE",
        "STOP_LOSS_LIMIT TRADE FILLED",
        "balances",
    ]
    states = {row["type"]: row for row in await api.result("allOrders", **SYMBOL)}
    assert states["LIMIT_MAKER"]["expiryReason"] == "OCO_TRIGGER"
    (fill,) = await api.result("myTrades", **SYMBOL)
    assert (fill["orderListId"], fill["orderId"]) == (placed["orderListId"], states["STOP_LOSS_LIMIT"]["orderId"])
    assert (await funds(api))["BTC"] == (Decimal("9.999"), Decimal(0))


async def test_the_limit_of_a_pair_ends_the_stop(api: Api, source: QuietSource) -> None:
    await api.result("orderList.place.oco", **OCO)
    await told(api)
    await trade(api, source, "46001")
    states = {row["type"]: row["status"] for row in await api.result("allOrders", **SYMBOL)}
    assert states == {"LIMIT_MAKER": "FILLED", "STOP_LOSS_LIMIT": "EXPIRED"}
    assert (await told(api))[-1] == "balances"
    assert await api.result("openOrderLists.status") == []


async def test_a_working_order_that_fills_at_once_still_shows_the_other_pending(api: Api) -> None:
    """ "New Order list - OTO": the answer shows ``PENDING_NEW``; ask again for what became of it."""
    placed = await api.result("orderList.place.oto", **(WORKING | TAKES | PENDING | QTY), newOrderRespType="FULL")
    working, pending = placed["orderReports"]
    assert (working["status"], pending["status"]) == ("FILLED", "PENDING_NEW")
    assert len(working["fills"]) == 1
    now = await api.result("order.status", **SYMBOL, orderId=pending["orderId"])
    assert (now["status"], now["isWorking"]) == ("NEW", True)
    assert await api.unfilled() == 1


@pytest.mark.parametrize("method", ["orderList.place.opo", "orderList.place.opoco"])
async def test_what_was_bought_is_what_is_sold(method: str, api: Api) -> None:
    """``faqs/opo.md``: the pending quantity comes from the working order's fill and is locked for it."""
    placed = await api.result(method, **(KINDS[method][0] | TAKES | {"workingQuantity": "0.002"}))
    assert [row["origQty"] for row in placed["orderReports"][1:]] == ["0.00000000"] * (len(placed["orders"]) - 1)
    pending = await api.result("openOrders.status", **SYMBOL)
    assert {row["origQty"] for row in pending} == {"0.00200000"}
    assert (await funds(api))["BTC"][1] == Decimal("0.002")


async def test_a_list_answers_as_long_as_it_is_asked_to(api: Api) -> None:
    for wanted, field, is_there in (("ACK", "status", False), ("RESULT", "fills", False), ("FULL", "fills", True)):
        placed = await api.result("orderList.place.oco", **OCO, newOrderRespType=wanted)
        assert {field in row for row in placed["orderReports"]} == {is_there}


async def test_an_amended_order_of_a_list_tells_the_list(api: Api) -> None:
    """``UPDATED`` where the client order id has changed (``faqs/order_amend_keep_priority.md``)."""
    placed = await api.result("orderList.place.oto", **(WORKING | PENDING | QTY))
    await told(api)
    pending = placed["orders"][1]["orderId"]
    answer = await api.result("order.amend.keepPriority", **SYMBOL, orderId=pending, newQty="0.0005")
    assert "workingTime" not in answer["amendedOrder"]
    assert answer["amendedOrder"]["status"] == "PENDING_NEW"
    assert answer["listStatus"]["orders"][1]["clientOrderId"] == answer["amendedOrder"]["clientOrderId"]
    assert "list UPDATED EXECUTING" in await told(api)


async def test_lists_count_as_many_orders_as_they_have() -> None:
    async with served(LimitPolicy(orders_1d=4)) as api:
        await api.result("orderList.place.oco", **OCO)
        params, _, _ = KINDS["orderList.place.otoco"]
        text = "Too many new orders; current limit is 4 orders per 1 DAY."
        assert await api.error("orderList.place.otoco", **params) == (429, -1015, text)
        refused = OCO | {"quantity": "100"}
        assert (await api.error("orderList.place.oco", **refused))[1:] == (
            -2010,
            "Account has insufficient balance for requested action.",
        )
        assert await api.unfilled() == 2


async def test_rest_places_and_cancels_them_too(api: Api) -> None:
    async with SignedClient(api.server.url) as client:
        placed = (await client.signed("POST", "/api/v3/orderList/oco", **OCO)).json()
        assert [row["type"] for row in placed["orderReports"]] == ["STOP_LOSS_LIMIT", "LIMIT_MAKER"]
        listed = (await client.signed("GET", "/api/v3/openOrderList")).json()
        assert [row["orderListId"] for row in listed] == [placed["orderListId"]]
        gone = await client.signed("DELETE", "/api/v3/orderList", **SYMBOL, orderListId=placed["orderListId"])
        assert gone.json()["listOrderStatus"] == "ALL_DONE"
        assert gone.headers["x-mbx-used-weight-1m"]
        again = await client.signed("POST", "/api/v3/orderList/oco", **OCO)
        assert again.headers["x-mbx-order-count-1d"] == "4"


async def test_an_order_takes_the_place_of_a_list_whose_order_it_replaces(api: Api) -> None:
    """``cancelResponse`` is that of the whole list, as of any cancellation of one of its orders."""
    listed = await api.result("orderList.place.oco", **OCO)
    params = RESTING | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": listed["orders"][0]["orderId"]}
    told = await api.result("order.cancelReplace", **params)
    assert told["cancelResponse"]["listOrderStatus"] == "ALL_DONE"
    assert [row["orderId"] for row in await api.result("openOrders.status", **SYMBOL)] == [
        told["newOrderResponse"]["orderId"]
    ]
