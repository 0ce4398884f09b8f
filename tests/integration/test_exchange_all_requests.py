"""Every request of the WebSocket API against the paper exchange: the golden ones, and the rarer ones in detail."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cryptotrader.core.orders import OrderType
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from cryptotrader.services.binance.registry import SPECS, AnySpec
from tests.support.api_client import RESTING, SYMBOL, Api, place, served
from tests.support.paper import BTC, QuietSource, SignedClient

GOLDEN = Path(__file__).resolve().parents[1] / "protocol" / "golden" / "ws_api"
NO_SUCH_MODE = "Data sent for parameter 'selfTradePreventionMode' is not valid."


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with served() as found:
        yield found


def golden_params(spec: AnySpec) -> dict[str, str]:
    request = json.loads((GOLDEN / f"{spec.method}.json").read_text("utf-8"))["request"]
    params: dict[str, Any] = request.get("params", {})
    for name in ("apiKey", "signature", "timestamp", "recvWindow"):
        params.pop(name, None)
    if "symbol" in params:
        params["symbol"] = "BTCUSDT"
    if "symbols" in params:
        params["symbols"] = '["BTCUSDT"]'
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}


async def test_every_request_of_the_documents_is_understood(api: Api) -> None:
    """S4-2: its parameters are taken; what comes is an answer of its type or a refusal for a reason of the market."""
    misread = {}
    for spec in SPECS:
        answer = await api.ask(spec.method, **golden_params(spec))
        if answer["status"] == 200:
            msgspec.convert(answer["result"], spec.result)
        elif -1199 <= answer["error"]["code"] <= -1100 and answer["error"]["code"] not in (-1121, -1125):
            misread[spec.method] = answer["error"]
    assert not misread


async def test_rest_and_websocket_api_say_the_same(api: Api) -> None:
    async with SignedClient(api.server.url) as client:
        for spec in SPECS:
            if not spec.rest:
                continue
            params = golden_params(spec)
            send = client.signed if spec.is_signed else client.keyed
            reply = await send(spec.verb, spec.path, **params)
            answer = await api.ask(spec.method, **params)
            if spec.method == "referencePrice":
                assert answer["result"] == msgspec.json.decode(reply.content)
                continue
            assert reply.status_code == answer["status"] or spec.method.startswith("userDataStream."), spec.method
            if reply.status_code == 200:
                msgspec.json.decode(reply.content, type=spec.result)
                continue
            told = msgspec.json.decode(reply.content, type=dict[str, Any])
            assert (told["code"], told["msg"]) == (answer["error"]["code"], answer["error"]["msg"]), spec.method


NOTHING: list[tuple[str, dict[str, object]]] = [
    ("blockTrades.historical", SYMBOL | {"fromId": 0}),
    ("openOrderLists.status", {}),
    ("allOrderLists", {"limit": 5}),
    ("myPreventedMatches", SYMBOL | {"orderId": 1}),
    ("myPreventedMatches", SYMBOL | {"preventedMatchId": 1}),
    ("myAllocations", SYMBOL | {"orderId": 1, "fromAllocationId": 0}),
]


async def test_what_there_is_none_of_is_an_empty_list(api: Api) -> None:
    for method, params in NOTHING:
        assert await api.result(method, **params) == [], method


async def test_an_order_that_was_not_amended_has_no_amendments(api: Api) -> None:
    order = await place(api)
    assert await api.result("order.amendments", **SYMBOL, orderId=order["orderId"]) == []
    assert await api.error("order.amendments", **SYMBOL, orderId=999) == (400, -2013, "Order does not exist.")


async def test_commissions_are_those_that_fills_are_charged(api: Api) -> None:
    rates = await api.result("account.commission", **SYMBOL)
    account = await api.result("account.status")
    assert rates["symbol"] == "BTCUSDT"
    assert rates["standardCommission"] == account["commissionRates"]
    assert set(rates["taxCommission"].values()) == set(rates["specialCommission"].values()) == {"0.00000000"}
    assert rates["discount"]["enabledForAccount"] is False


async def test_the_account_hears_of_the_filters_that_count_its_orders(api: Api) -> None:
    found = await api.result("myFilters", **SYMBOL)
    info = (await api.result("exchangeInfo", **SYMBOL))["symbols"][0]["filters"]
    assert found["exchangeFilters"] == found["assetFilters"] == []
    assert {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200} in found["symbolFilters"]
    assert all(each in info for each in found["symbolFilters"])


async def test_there_is_no_price_range_and_no_reference_price(api: Api) -> None:
    empty = {"symbolRules": [{"symbol": "BTCUSDT", "rules": []}]}
    assert await api.result("executionRules") == empty
    assert await api.result("executionRules", symbols='["BTCUSDT"]') == empty
    assert await api.result("executionRules", symbolStatus="HALT") == {"symbolRules": []}
    none = (400, -2043, "This symbol doesn't have a reference price.")
    # The document shows this one refusal as a good answer, and the one for the calculation as an error.
    assert await api.result("referencePrice", **SYMBOL) == {"code": none[1], "msg": none[2]}
    assert await api.error("referencePrice.calculation", **SYMBOL, symbolStatus="TRADING") == none
    assert await api.error("referencePrice", symbol="NOPE") == (400, -1121, "Invalid symbol.")
    assert (await api.error("executionRules", symbol="BTCUSDT", symbolStatus="HALT"))[1] == -1128


OCO = SYMBOL | {
    "side": "SELL",
    "quantity": "0.001",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "46000.00",
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": "44000.00",
    "belowPrice": "43990.00",
    "belowTimeInForce": "GTC",
}
WORKING = SYMBOL | {
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "44000.00",
    "workingQuantity": "0.001",
    "workingTimeInForce": "GTC",
}
OPO = WORKING | {"pendingType": "MARKET", "pendingSide": "SELL"}
OPOCO = WORKING | {
    "pendingSide": "SELL",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "46000.00",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "43000.00",
}
LEGACY = SYMBOL | {"side": "SELL", "quantity": "0.001", "price": "46000.00", "stopPrice": "44000.00"}
SOR = SYMBOL | {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "44000.00", "quantity": "0.001"}
QTY = {"pendingQuantity": "0.001"}
BUY = SYMBOL | {"side": "BUY", "quantity": "0.001"}
NO_OCO = (-2010, "OCO orders are not supported for this symbol")
NO_OTO = (-2010, "OTO orders are not supported for this symbol.")
NO_OPO = (-2010, "OPO orders are not supported for this symbol.")
NO_SOR = (-2010, "SOR is not supported for this symbol.")
FORBIDDEN: list[tuple[str, Mapping[str, object], tuple[int, str]]] = [
    ("orderList.place", LEGACY, NO_OCO),
    ("orderList.place.oco", OCO, NO_OCO),
    ("orderList.place.oto", OPO | QTY, NO_OTO),
    ("orderList.place.otoco", OPOCO | QTY, NO_OTO),
    ("orderList.place.opo", OPO, NO_OTO),
    ("orderList.place.opoco", OPOCO, NO_OTO),
    (
        "order.amend.keepPriority",
        SYMBOL | {"orderId": 1, "newQty": "0.0005"},
        (-2038, "Order amend is not supported for this symbol."),
    ),
    ("sor.order.place", SOR, NO_SOR),
    (
        "order.cancelReplace",
        RESTING | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": 1},
        (-2010, "Order cancel-replace is not supported for this symbol."),
    ),
    ("order.place", RESTING | {"icebergQty": "0.0005"}, (-2010, "Iceberg orders are not supported for this symbol.")),
    (
        "order.place",
        RESTING | {"pegPriceType": "PRIMARY_PEG"},
        (-2010, "Pegged orders are not supported for this symbol."),
    ),
    (
        "order.place",
        RESTING | {"type": "STOP_LOSS_LIMIT", "stopPrice": "46000"},
        (-2010, "Stop loss limit orders are not supported for this symbol."),
    ),
    (
        "order.place",
        RESTING | {"type": "TAKE_PROFIT_LIMIT", "stopPrice": "44000"},
        (-2010, "Take profit limit orders are not supported for this symbol."),
    ),
    ("order.place", BUY | {"type": "MARKET"}, (-2010, "Market orders are not supported for this symbol.")),
    (
        "order.place",
        BUY | {"type": "STOP_LOSS", "stopPrice": "46000"},
        (-2010, "Stop loss orders are not supported for this symbol."),
    ),
    (
        "order.place",
        BUY | {"type": "TAKE_PROFIT", "stopPrice": "44000"},
        (-2010, "Take profit orders are not supported for this symbol."),
    ),
    (
        "order.place",
        RESTING | {"selfTradePreventionMode": "DECREMENT"},
        (-1013, "This symbol does not allow the specified self-trade prevention mode."),
    ),
    ("orderList.cancel", SYMBOL | {"orderListId": 1}, (-2011, "Unknown order sent.")),
    ("orderList.status", {"orderListId": 1}, (-2013, "Order does not exist.")),
]


BARE = msgspec.structs.replace(
    BTC, oco_allowed=False, oto_allowed=False, opo_allowed=False, amend_allowed=False, cancel_replace_allowed=False,
    iceberg_allowed=False, trailing_allowed=False, peg_allowed=False, order_types=(OrderType.LIMIT,),
    allowed_stp_modes=("NONE",), default_stp_mode="NONE", quote_order_qty_allowed=False,
)  # fmt: skip
"""A symbol that allows next to nothing."""


async def test_what_a_symbol_does_not_allow_is_refused_in_the_venues_words() -> None:
    """``errors.md``, "Messages for -1010, -2010, -2011 and -2038"."""
    async with served(venue=PaperVenue([BARE], [QuietSource()], clock=SystemClock())) as api:
        order = await place(api)
        for method, params, refusal in FORBIDDEN:
            changed = {**params, "orderId": order["orderId"]} if "orderId" in params else params
            assert await api.error(method, **changed) == (400, *refusal), method
        assert await api.unfilled() == 1
        info = (await api.result("exchangeInfo", **SYMBOL))["symbols"][0]
        assert {name: info[name] for name in info if name.endswith("Allowed") and info[name]} == {
            "isSpotTradingAllowed": True
        }


async def test_lists_that_are_made_of_others_need_those_too() -> None:
    """``faqs/opo.md``, "Which symbols allow OPO orders?"."""
    for lacks, method, params, refusal in (
        ("opo_allowed", "orderList.place.opo", OPO, NO_OPO),
        ("opo_allowed", "orderList.place.opoco", OPOCO, NO_OPO),
        ("oco_allowed", "orderList.place.opoco", OPOCO, NO_OCO),
        ("oco_allowed", "orderList.place.otoco", OPOCO | QTY, NO_OCO),
    ):
        rules = msgspec.structs.replace(BTC, **{lacks: False})
        async with served(venue=PaperVenue([rules], [QuietSource()], clock=SystemClock())) as api:
            assert await api.error(method, **params) == (400, *refusal), (lacks, method)


def without(params: Mapping[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in params.items() if name not in names}


def mandatory(name: str) -> tuple[int, str]:
    return -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def either(first: str, second: str) -> tuple[int, str]:
    return -1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!"


def not_required(name: str) -> tuple[int, str]:
    return -1106, f"Parameter '{name}' sent when not required."


def too_precise(name: str) -> tuple[int, str]:
    return -1111, f"Parameter '{name}' has too much precision."


TOO_LONG = (-1127, "More than 24 hours between startTime and endTime.")
NOT_TOGETHER = (-1128, "Combination of optional parameters invalid.")
BAD_PRICES = (-2010, "The relationship of the prices for the orders is not correct.")
NO_OLD_ORDER = either("cancelOrigClientOrderId", "cancelOrderId")
WRONG: list[tuple[str, Mapping[str, object], tuple[int, str]]] = [
    ("orderList.place.oco", without(OCO, "abovePrice"), mandatory("abovePrice")),
    ("orderList.place.oco", without(OCO, "belowStopPrice"), either("belowStopPrice", "belowTrailingDelta")),
    ("orderList.place.oco", without(OCO, "belowTimeInForce"), mandatory("belowTimeInForce")),
    ("orderList.place.oco", OCO | {"aboveStopPrice": "1"}, not_required("aboveStopPrice")),
    ("orderList.place.oco", OCO | {"aboveType": "MARKET"}, (-1158, "Order type not supported in OCO.")),
    ("orderList.place.oco", OCO | {"belowTimeInForce": "DAY"}, (-1115, "Invalid timeInForce.")),
    ("orderList.place.oco", OCO | {"side": "HOLD"}, (-1117, "Invalid side.")),
    ("orderList.place.oco", OCO | {"side": "BUY"}, (-1165, "A limit order in a buy OCO must be below.")),
    (
        "orderList.place.oco",
        OCO | {"aboveType": "STOP_LOSS", "aboveStopPrice": "1", "abovePrice": None},
        (-1197, "A stop loss order in a sell OCO must be below."),
    ),
    (
        "orderList.place.oco",
        without(OCO, "belowStopPrice", "belowTimeInForce") | {"belowType": "LIMIT_MAKER"},
        (-1168, "At least one OCO order must be contingent."),
    ),
    (
        "orderList.place.oco",
        OCO | {"belowIcebergQty": "0.0001", "belowTimeInForce": "IOC"},
        (-1160, "Parameter 'belowIcebergQty' is not supported if `belowTimeInForce` is not GTC."),
    ),
    ("orderList.place.oco", OCO | {"symbol": "NOPE"}, (-1121, "Invalid symbol.")),
    ("orderList.place.oco", OCO | {"quantity": "0.0000000001"}, too_precise("quantity")),
    ("orderList.place.oco", OCO | {"selfTradePreventionMode": "SOMEHOW"}, (-1130, NO_SUCH_MODE)),
    ("orderList.place.oto", OPO, mandatory("pendingQuantity")),
    ("orderList.place.oto", without(OPO | QTY, "workingTimeInForce"), mandatory("workingTimeInForce")),
    ("orderList.place.oto", OPO | QTY | {"pendingType": "LIMIT"}, mandatory("pendingPrice")),
    ("orderList.place.oto", OPO | QTY | {"workingType": "MARKET"}, (-1116, "Invalid orderType.")),
    ("orderList.place.otoco", without(OPOCO | QTY, "pendingAbovePrice"), mandatory("pendingAbovePrice")),
    (
        "orderList.place.otoco",
        without(OPOCO | QTY, "pendingBelowType", "pendingBelowStopPrice"),
        mandatory("pendingBelowType"),
    ),
    (
        "orderList.place.otoco",
        without(OPOCO | QTY, "pendingBelowStopPrice") | {"pendingBelowType": "LIMIT_MAKER", "pendingBelowPrice": "1"},
        (-1168, "At least one OCO order must be contingent."),
    ),
    (
        "orderList.place.opo",
        OPO | QTY,
        (-1104, "Not all sent parameters were read; read '10' parameter(s) but was sent '11'."),
    ),
    ("orderList.place.oco", OCO | {"abovePrice": "45000.50"}, BAD_PRICES),
    ("orderList.place.oco", OCO | {"belowStopPrice": "46500.00"}, BAD_PRICES),
    ("orderList.place.opo", OPO | {"workingSide": "SELL"}, (-1222, "Working order in an OPO list must be a bid.")),
    ("orderList.place.opo", OPO | {"pendingSide": "BUY"}, (-1223, "Pending orders in an OPO list must be asks.")),
    ("orderList.place", without(LEGACY, "stopPrice"), either("stopPrice", "trailingDelta")),
    (
        "orderList.place",
        LEGACY | {"stopLimitPrice": "43990.00"},
        # The words are those of Binance's ``CHANGELOG.md``.
        (
            -1128,
            "Combination of optional parameters invalid. Recommendation: 'stopLimitTimeInForce' should also be sent.",
        ),
    ),
    ("orderList.status", {}, either("origClientOrderId", "orderListId")),
    ("orderList.cancel", SYMBOL, either("orderListId", "listClientOrderId")),
    ("order.amend.keepPriority", SYMBOL | {"newQty": "1"}, either("origClientOrderId", "orderId")),
    ("order.amend.keepPriority", SYMBOL | {"orderId": 1}, mandatory("newQty")),
    ("order.amendments", SYMBOL, mandatory("orderId")),
    ("sor.order.place", without(SOR, "timeInForce"), mandatory("timeInForce")),
    ("sor.order.place", SOR | {"type": "STOP_LOSS"}, (-1116, "Invalid orderType.")),
    ("myPreventedMatches", SYMBOL, either("preventedMatchId", "orderId")),
    ("myPreventedMatches", SYMBOL | {"preventedMatchId": 1, "fromPreventedMatchId": 1}, mandatory("orderId")),
    ("myAllocations", SYMBOL | {"orderId": 1, "startTime": 1}, NOT_TOGETHER),
    ("myAllocations", SYMBOL | {"startTime": 1, "endTime": 86_400_002}, TOO_LONG),
    ("allOrderLists", {"fromId": 1, "endTime": 2}, NOT_TOGETHER),
    ("blockTrades.historical", SYMBOL, mandatory("fromId")),
    ("order.cancelReplace", RESTING, mandatory("cancelReplaceMode")),
    ("order.cancelReplace", RESTING | {"cancelReplaceMode": "ALLOW_FAILURE"}, NO_OLD_ORDER),
]


async def test_parameters_are_checked_before_anything_else(api: Api) -> None:
    for method, params, refusal in WRONG:
        sent = {name: value for name, value in params.items() if value is not None}
        assert await api.error(method, **sent) == (400, *refusal), (method, sent)
