"""Cancel-and-replace on the paper exchange: both modes, each half failing alone, limits, and the disk.

Source: ``web-socket-api.md``, "Cancel and replace order", with its table of outcomes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cryptotrader.exchange.protocol.limits import LimitPolicy
from tests.support.api_client import RESTING, SYMBOL, Api, place, served
from tests.support.paper import SignedClient, paper_venue, running_exchange

TAKES = {"type": "LIMIT_MAKER", "price": "46000.00", "side": "BUY"}
"""A maker order that would take."""

UNKNOWN_ORDER = {"code": -2011, "msg": "Unknown order sent."}
WOULD_TAKE = {"code": -2010, "msg": "Order would immediately match and take."}


async def replace(api: Api, order_id: object, mode: object = "STOP_ON_FAILURE", **changes: object) -> dict[str, Any]:
    params = RESTING | {"cancelReplaceMode": mode, "cancelOrderId": order_id} | changes
    return await api.ask("order.cancelReplace", **{name: value for name, value in params.items() if value is not None})


def maker(**changes: object) -> dict[str, object]:
    return TAKES | {"timeInForce": None} | changes


async def open_ids(api: Api) -> list[int]:
    return [row["orderId"] for row in await api.result("openOrders.status", **SYMBOL)]


@pytest.mark.parametrize("mode", ["STOP_ON_FAILURE", "ALLOW_FAILURE"])
async def test_both_halves_succeed(mode: str) -> None:
    async with served() as api:
        old = await place(api, newClientOrderId="old")
        answer = await replace(
            api, old["orderId"], mode, newClientOrderId="old", cancelNewClientOrderId="gone", price="43000.00"
        )
        assert answer["status"] == 200
        result = answer["result"]
        assert (result["cancelResult"], result["newOrderResult"]) == ("SUCCESS", "SUCCESS")
        assert result["cancelResponse"]["origClientOrderId"] == "old"
        assert result["cancelResponse"]["clientOrderId"] == "gone"
        assert result["cancelResponse"]["status"] == "CANCELED"
        assert result["newOrderResponse"]["clientOrderId"] == "old"
        assert result["newOrderResponse"]["status"] == "NEW"
        assert result["newOrderResponse"]["fills"] == []
        assert await open_ids(api) == [result["newOrderResponse"]["orderId"]]
        assert await api.unfilled() == 2


@pytest.mark.parametrize(("kind", "fields"), [("ACK", 5), ("RESULT", 16), ("FULL", 17)])
async def test_the_new_order_is_told_as_it_is_wanted(kind: str, fields: int) -> None:
    async with served() as api:
        old = await place(api)
        answer = await replace(api, old["orderId"], newOrderRespType=kind)
        assert len(answer["result"]["newOrderResponse"]) == fields


async def test_a_failed_cancellation_stops_where_it_shall() -> None:
    async with served() as api:
        answer = await replace(api, 999)
        assert answer["status"] == 400
        assert answer["error"] == {
            "code": -2022,
            "msg": "Order cancel-replace failed.",
            "data": {
                "cancelResult": "FAILURE",
                "newOrderResult": "NOT_ATTEMPTED",
                "cancelResponse": UNKNOWN_ORDER,
                "newOrderResponse": None,
            },
        }
        assert await open_ids(api) == []
        assert await api.unfilled() == 1, "an order that is not attempted counts all the same"


async def test_a_failed_cancellation_stops_nothing_where_it_may_fail() -> None:
    async with served() as api:
        answer = await replace(api, 999, "ALLOW_FAILURE")
        assert answer["status"] == 409
        assert (answer["error"]["code"], answer["error"]["msg"]) == (-2021, "Order cancel-replace partially failed.")
        data = answer["error"]["data"]
        assert (data["cancelResult"], data["newOrderResult"]) == ("FAILURE", "SUCCESS")
        assert data["cancelResponse"] == UNKNOWN_ORDER
        assert await open_ids(api) == [data["newOrderResponse"]["orderId"]]


@pytest.mark.parametrize("mode", ["STOP_ON_FAILURE", "ALLOW_FAILURE"])
async def test_the_old_order_is_gone_even_where_the_new_one_is_refused(mode: str) -> None:
    async with served() as api:
        old = await place(api)
        answer = await replace(api, old["orderId"], mode, **maker())
        assert answer["status"] == 409
        data = answer["error"]["data"]
        assert (data["cancelResult"], data["newOrderResult"]) == ("SUCCESS", "FAILURE")
        assert data["cancelResponse"]["orderId"] == old["orderId"]
        assert data["newOrderResponse"] == WOULD_TAKE
        assert await open_ids(api) == []


async def test_both_halves_fail() -> None:
    async with served() as api:
        answer = await replace(api, 999, "ALLOW_FAILURE", **maker())
        assert answer["status"] == 400
        assert answer["error"]["code"] == -2022
        assert answer["error"]["data"] == {
            "cancelResult": "FAILURE",
            "newOrderResult": "FAILURE",
            "cancelResponse": UNKNOWN_ORDER,
            "newOrderResponse": WOULD_TAKE,
        }


async def test_filters_come_before_either_half() -> None:
    async with served() as api:
        old = await place(api)
        answer = await replace(api, old["orderId"], "ALLOW_FAILURE", price="44000.001")
        assert (answer["status"], answer["error"]) == (400, {"code": -1013, "msg": "Filter failure: PRICE_FILTER"})
        assert await open_ids(api) == [old["orderId"]]


async def test_restrictions_keep_an_order_that_is_not_in_the_state_they_name() -> None:
    async with served() as api:
        old = await place(api)
        answer = await replace(api, old["orderId"], cancelRestrictions="ONLY_PARTIALLY_FILLED")
        told = answer["error"]["data"]["cancelResponse"]
        assert told == {"code": -2011, "msg": "Order was not canceled due to cancel restrictions."}
        assert await open_ids(api) == [old["orderId"]]


async def test_both_names_of_the_old_order_must_fit() -> None:
    async with served() as api:
        old = await place(api, newClientOrderId="mine")
        wrong = await replace(api, old["orderId"], cancelOrigClientOrderId="yours")
        assert wrong["error"]["data"]["cancelResponse"] == UNKNOWN_ORDER
        right = await replace(api, old["orderId"], cancelOrigClientOrderId="mine")
        assert right["status"] == 200


@pytest.mark.parametrize("mode", ["STOP_ON_FAILURE", "ALLOW_FAILURE"])
async def test_too_many_orders_stop_everything_unless_only_the_cancellation_is_wanted(mode: str) -> None:
    text = "Too many new orders; current limit is 1 orders per 1 DAY."
    async with served(LimitPolicy(orders_1d=1)) as api:
        old = await place(api)
        refused = await replace(api, old["orderId"], mode)
        assert (refused["status"], refused["error"]["code"], refused["error"]["msg"]) == (429, -1015, text)
        assert await open_ids(api) == [old["orderId"]]
        unknown = await replace(api, 999, mode, orderRateLimitExceededMode="CANCEL_ONLY")
        assert unknown["status"] == (429 if mode == "STOP_ON_FAILURE" else 400)
        assert unknown["error"]["data"]["cancelResponse"] == UNKNOWN_ORDER
        partly = await replace(api, old["orderId"], mode, orderRateLimitExceededMode="CANCEL_ONLY")
        assert (partly["status"], partly["error"]["code"]) == (409, -2021)
        assert partly["error"]["data"]["newOrderResponse"] == {"code": -1015, "msg": text}
        assert await open_ids(api) == []


async def test_rest_tells_the_halves_in_the_body() -> None:
    async with running_exchange() as server, SignedClient(server.url) as client:
        params = RESTING | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": 999}
        reply = await client.signed("POST", "/api/v3/order/cancelReplace", **params)
        assert reply.status_code == 409
        told = msgspec.json.decode(reply.content)
        assert (told["code"], told["data"]["newOrderResult"]) == (-2021, "SUCCESS")
        again = await client.signed(
            "POST",
            "/api/v3/order/cancelReplace",
            **(params | {"cancelOrderId": told["data"]["newOrderResponse"]["orderId"]}),
        )
        assert again.status_code == 200
        assert again.headers["x-mbx-order-count-1d"] == "2"


async def test_a_half_that_was_carried_out_is_on_disk_before_it_is_told(tmp_path: Path) -> None:
    """What is acknowledged outlives the process, in a refusal as in an answer."""
    store = tmp_path / "paper.db"
    async with served(store=store) as api:
        old = await place(api)
        answer = await replace(api, old["orderId"], **maker())
        assert answer["status"] == 409
        survivor = paper_venue(store_path=_copy(store, tmp_path / "copy.db"))
        kept = survivor.order("default", "BTCUSDT", order_id=old["orderId"])
        assert kept.status == "CANCELED"
        await survivor.close()


def _copy(store: Path, target: Path) -> Path:
    """The files as ``kill -9`` would leave them."""
    for suffix in ("", "-wal"):
        source = store.with_name(store.name + suffix)
        if source.exists():
            target.with_name(target.name + suffix).write_bytes(source.read_bytes())
    shutil.copytree(store.with_suffix(".journal"), target.with_suffix(".journal"))
    return target


async def test_times_of_a_half_are_in_the_unit_that_is_wanted() -> None:
    params = RESTING | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": 999}
    async with running_exchange() as server, SignedClient(server.url) as client:
        client.http.headers["X-MBX-TIME-UNIT"] = "MICROSECOND"
        reply = await client.signed("POST", "/api/v3/order/cancelReplace", **params)
        told = msgspec.json.decode(reply.content)
        assert told["data"]["newOrderResponse"]["transactTime"] > 10**15


async def test_it_weighs_nothing_only_where_both_halves_succeed() -> None:
    async with served() as api:
        old = await place(api)

        def used(answer: dict[str, Any]) -> int:
            return next(int(row["count"]) for row in answer["rateLimits"] if row["rateLimitType"] == "REQUEST_WEIGHT")

        before = used(await api.ask("ping"))
        assert used(await replace(api, old["orderId"])) == before
        assert used(await replace(api, 999)) == before + 1


async def test_exchange_info_allows_it() -> None:
    async with served() as api:
        info = await api.result("exchangeInfo", **SYMBOL)
        assert info["symbols"][0]["cancelReplaceAllowed"] is True
        assert info["symbols"][0]["amendAllowed"] is info["symbols"][0]["ocoAllowed"] is True
