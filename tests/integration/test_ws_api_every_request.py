"""Every request module through the real connection, against the paper exchange over a real socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.services.binance.models import Empty, OrderReport, ReplacedOrder
from cryptotrader.services.binance.request import RequestSpec, SecurityType
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.validate import parse_params
from cryptotrader.services.binance.websocketAPI.account_requests import commission_rates, relevant_filters
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.websocketAPI.general_requests import connectivity
from cryptotrader.services.binance.websocketAPI.market_data_requests import order_book
from cryptotrader.services.binance.websocketAPI.price_range_requests import execution_rules
from cryptotrader.services.binance.websocketAPI.trading_requests import (
    current_open_orders,
    get_oco_order,
    place_new_order,
    query_order,
    replace_order,
)
from cryptotrader.services.binance.wsapi.correlation import ORDER_NAMES, READS
from cryptotrader.services.binance.wsapi.replies import VenueRefusal
from tests.support.api_client import RESTING, SYMBOL
from tests.support.paper import running_exchange
from tests.support.request_modules import request_modules
from tests.support.waiting import eventually

GOLDEN = Path(__file__).resolve().parents[1] / "protocol" / "golden" / "ws_api"


@pytest.fixture
async def connection() -> AsyncIterator[BinanceWebSocketConnection]:
    async with running_exchange() as server:
        url = f"ws://127.0.0.1:{server.port}/ws-api/v3"
        async with BinanceWebSocketConnection(
            url=url, credentials=Credentials.of(SAMPLE_KEY_ID, SAMPLE_SECRET)
        ) as found:
            yield found


def golden_params(method: str) -> dict[str, Any]:
    params: dict[str, Any] = json.loads((GOLDEN / f"{method}.json").read_text("utf-8"))["request"].get("params", {})
    own = {name: value for name, value in params.items() if name not in ("apiKey", "signature", "timestamp")}
    return own | ({"symbol": "BTCUSDT"} if "symbol" in own else {})


async def test_every_module_sends_its_request_and_gets_its_own_reply(connection: BinanceWebSocketConnection) -> None:
    """S4-2: all of them at the same time over one connection, with the parameters of Binance's own examples."""
    replies: dict[str, dict[str, Any]] = {}
    ids: dict[str, str] = {}

    def keep(name: str) -> Any:
        async def callback(reply: dict[str, Any]) -> None:
            assert name not in replies
            replies[name] = reply

        return callback

    modules = {name: module for name, module in request_modules().items() if "session.log" not in module.SPEC.method}
    for name, module in modules.items():
        ids[name] = await module.process_request(connection, golden_params(module.SPEC.method), keep(name))
    await eventually(lambda: len(replies) == len(modules))
    for name, module in modules.items():
        reply = replies[name]
        assert str(reply["id"]) == ids[name], name
        if reply["status"] == 200:
            msgspec.convert(reply["result"], module.SPEC.result)
        else:
            code = reply["error"]["code"]
            assert not -1199 <= code <= -1100 or code in (-1121, -1125), (name, reply)


async def call(connection: BinanceWebSocketConnection, spec: RequestSpec[Any, Any], **given: object) -> Any:
    return await spec.call(connection, parse_params(spec, {name: str(value) for name, value in given.items()}))


async def test_typed_calls_give_typed_results(connection: BinanceWebSocketConnection) -> None:
    """S4-14: each result is of the type that its module states, without a dictionary in between."""
    rules = await execution_rules.SPEC.call(connection, execution_rules.ExecutionRulesParams(symbol="BTCUSDT"))
    assert rules.symbol_rules[0].symbol == "BTCUSDT"
    rates = await commission_rates.SPEC.call(connection, commission_rates.CommissionParams(symbol="BTCUSDT"))
    assert rates.standard_commission.maker == "0.00100000"
    filters = await relevant_filters.SPEC.call(connection, relevant_filters.RelevantFiltersParams(symbol="BTCUSDT"))
    assert filters.symbol_filters
    assert await connectivity.SPEC.call(connection, connectivity.PingParams()) == Empty()
    book = await order_book.SPEC.call(connection, order_book.OrderBookParams(symbol="BTCUSDT", limit=5))
    assert len(book.bids) == 5


async def test_an_order_is_replaced_and_the_answer_tells_both_halves(connection: BinanceWebSocketConnection) -> None:
    placed = await call(connection, place_new_order.SPEC, **RESTING)
    mode = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": placed.order_id}
    replaced = await call(connection, replace_order.SPEC, **RESTING | mode | {"price": "43000.00"})
    assert isinstance(replaced, ReplacedOrder)
    assert replaced.cancel_response.order_id == placed.order_id
    assert replaced.new_order_response.client_order_id, "the name was made before it was sent"
    [left] = await call(connection, current_open_orders.SPEC, **SYMBOL)
    assert isinstance(left, OrderReport)
    assert (left.order_id, left.price) == (replaced.new_order_response.order_id, "43000.00000000")


async def test_a_half_replacement_says_which_half(connection: BinanceWebSocketConnection) -> None:
    placed = await call(connection, place_new_order.SPEC, **RESTING)
    wrong = {"type": "LIMIT_MAKER", "price": "46000.00", "cancelReplaceMode": "ALLOW_FAILURE"}
    params = {name: value for name, value in RESTING.items() if name != "timeInForce"} | wrong
    with pytest.raises(VenueRefusal) as caught:
        await call(connection, replace_order.SPEC, **params | {"cancelOrderId": placed.order_id})
    assert (caught.value.venue_code, caught.value.http_status) == (-2021, 409)
    assert (caught.value.data["cancelResult"], caught.value.data["newOrderResult"]) == ("SUCCESS", "FAILURE")
    gone = await call(connection, query_order.SPEC, **SYMBOL | {"orderId": placed.order_id})
    assert gone.status == "CANCELED"


async def test_a_missing_parameter_is_named_before_anything_is_sent(connection: BinanceWebSocketConnection) -> None:
    """S4-7: ``Missing required parameter: <name>``, for every parameter that a module cannot do without."""

    async def never(reply: dict[str, Any]) -> None:
        raise AssertionError("nothing was sent")

    for module in request_modules().values():
        for field in msgspec.structs.fields(module.SPEC.params):
            if not field.required:
                continue
            params = golden_params(module.SPEC.method)
            params.pop(field.encode_name)
            with pytest.raises(ValueError, match=f"^Missing required parameter: {field.encode_name}$"):
                await module.process_request(connection, params, never)
    with pytest.raises(ValueError, match="Missing required parameter: origClientOrderId or orderListId"):
        await get_oco_order.process_request(connection, {}, never)


async def test_what_each_method_is_named_by_is_what_its_spec_says() -> None:
    """The connection knows methods by name as well, for requests sent without a spec."""
    specs = [module.SPEC for module in request_modules().values()]
    trading = [spec for spec in specs if spec.security is SecurityType.TRADE and not spec.method.endswith(".test")]
    names = {
        spec.method: {
            field.encode_name
            for field in msgspec.structs.fields(spec.params)
            if field.encode_name.endswith("lientOrderId") and "rig" not in field.encode_name
        }
        for spec in trading
    }
    names["orderList.cancel"].discard("listClientOrderId")  # the name of the list that is cancelled
    assert {method: set(made) for method, made in ORDER_NAMES.items()} == {
        method: made for method, made in names.items() if made
    }
    assert {spec.method for spec in specs if spec.is_idempotent} <= READS
    assert READS.isdisjoint(spec.method for spec in trading)
