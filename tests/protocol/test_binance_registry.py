"""Every request of the registry against the documents: weights, security, names, and a round trip of its parameters."""

from __future__ import annotations

import importlib
import typing
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import pytest

from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.services.binance.registry import SPECS, AnySpec, by_method, by_route, verbs_of
from cryptotrader.services.binance.request import Params, SecurityType
from cryptotrader.services.binance.validate import parse_params
from tests.support.fixtures import message

FOUR = {"symbols": ["A", "B", "C", "D"]}

WEIGHTS: dict[str, list[tuple[dict[str, Any], int]]] = {
    "ping": [({}, 1)],
    "time": [({}, 1)],
    "exchangeInfo": [({}, 20)],
    "executionRules": [
        ({"symbol": "A"}, 2),
        ({"symbols": ["A"]}, 2),
        (FOUR, 8),
        ({"symbols": ["A"] * 19}, 38),
        ({"symbols": ["A"] * 21}, 40),
        ({"symbolStatus": "HALT"}, 40),
        ({}, 40),
    ],
    "session.logon": [({}, 2)],
    "session.status": [({}, 2)],
    "session.logout": [({}, 2)],
    "session.subscriptions": [({}, 2)],
    "depth": [
        ({}, 5),
        ({"limit": 1}, 5),
        ({"limit": 100}, 5),
        ({"limit": "101"}, 25),
        ({"limit": 500}, 25),
        ({"limit": 501}, 50),
        ({"limit": 1000}, 50),
        ({"limit": 1001}, 250),
        ({"limit": 5000}, 250),
    ],
    "trades.recent": [({}, 25)],
    "trades.historical": [({}, 25)],
    "trades.aggregate": [({}, 4)],
    "blockTrades.historical": [({}, 25)],
    "referencePrice": [({}, 2)],
    "referencePrice.calculation": [({}, 2)],
    "klines": [({}, 2)],
    "uiKlines": [({}, 2)],
    "avgPrice": [({}, 2)],
    "ticker.24hr": [
        ({"symbol": "A"}, 2),
        ({"symbols": ["A"] * 20}, 2),
        ({"symbols": ["A"] * 21}, 40),
        ({"symbols": ["A"] * 100}, 40),
        ({"symbols": ["A"] * 101}, 80),
        ({}, 80),
    ],
    "ticker.tradingDay": [({"symbol": "A"}, 4), (FOUR, 16), ({"symbols": ["A"] * 51}, 200)],
    "ticker": [({"symbol": "A"}, 4), (FOUR, 16), ({"symbols": '["A","B"]'}, 8), ({"symbols": ["A"] * 100}, 200)],
    "ticker.price": [({"symbol": "A"}, 2), (FOUR, 4), ({}, 4)],
    "ticker.book": [({"symbol": "A"}, 2), (FOUR, 4), ({}, 4)],
    "order.place": [({}, 1)],
    "order.test": [({}, 1), ({"computeCommissionRates": True}, 20), ({"computeCommissionRates": "false"}, 1)],
    "order.status": [({}, 4)],
    "order.cancel": [({}, 1)],
    "order.cancelReplace": [({}, 1)],
    "order.amend.keepPriority": [({}, 4)],
    "order.amendments": [({}, 4)],
    "orderList.place": [({}, 1)],
    "orderList.place.oco": [({}, 1)],
    "orderList.place.oto": [({}, 1)],
    "orderList.place.otoco": [({}, 1)],
    "orderList.place.opo": [({}, 1)],
    "orderList.place.opoco": [({}, 1)],
    "orderList.cancel": [({}, 1)],
    "orderList.status": [({}, 4)],
    "openOrderLists.status": [({}, 6)],
    "allOrderLists": [({}, 20)],
    "sor.order.place": [({}, 1)],
    "sor.order.test": [({}, 1), ({"computeCommissionRates": True}, 20)],
    "openOrders.cancelAll": [({}, 1)],
    "openOrders.status": [({"symbol": "A"}, 6), ({}, 80)],
    "account.status": [({}, 20)],
    "account.rateLimits.orders": [({}, 40)],
    "allOrders": [({}, 20)],
    "myTrades": [({}, 20), ({"orderId": 1}, 5)],
    "myPreventedMatches": [({"preventedMatchId": 1}, 2), ({"orderId": 1}, 20)],
    "myAllocations": [({}, 20)],
    "account.commission": [({}, 20)],
    "myFilters": [({}, 40)],
    "userDataStream.start": [({}, 2)],
    "userDataStream.ping": [({}, 2)],
    "userDataStream.stop": [({}, 2)],
    "userDataStream.subscribe": [({}, 2)],
    "userDataStream.subscribe.signature": [({}, 2)],
    "userDataStream.unsubscribe": [({}, 2)],
}
"""``rest-api.md`` and ``web-socket-api.md`` of July 2026, the "Weight" of each request."""

ORDER_COUNTS = {
    "order.place": 1,
    "order.cancelReplace": 1,
    "orderList.place": 1,
    "orderList.place.oco": 2,
    "orderList.place.oto": 2,
    "orderList.place.otoco": 3,
    "orderList.place.opo": 2,
    "orderList.place.opoco": 3,
    "sor.order.place": 1,
}
"""The "Unfilled Order Count" of each request that has one."""

TRADE = {
    *ORDER_COUNTS,
    "order.test",
    "order.cancel",
    "order.amend.keepPriority",
    "openOrders.cancelAll",
    "orderList.cancel",
    "sor.order.test",
}
USER_DATA = {
    "orderList.status",
    "openOrderLists.status",
    "allOrderLists",
    "order.amendments",
    "myPreventedMatches",
    "myAllocations",
    "account.commission",
    "myFilters",
    "order.status",
    "openOrders.status",
    "account.status",
    "account.rateLimits.orders",
    "allOrders",
    "myTrades",
}

SOURCE_4 = {
    "market_data_requests/order_book": "depth",
    "market_data_requests/recent_trades": "trades.recent",
    "market_data_requests/historical_trades": "trades.historical",
    "market_data_requests/aggregate_trades": "trades.aggregate",
    "market_data_requests/klines": "klines",
    "market_data_requests/current_average_price": "avgPrice",
    "market_data_requests/ticker_price_24h": "ticker.24hr",
    "market_data_requests/rolling_window_price": "ticker",
    "market_data_requests/symbol_price_ticker": "ticker.price",
    "market_data_requests/symbol_order_book_ticker": "ticker.book",
    "trading_requests/place_new_order": "order.place",
    "trading_requests/test_new_order": "order.test",
    "trading_requests/replace_order": "order.cancelReplace",
    "trading_requests/create_new_oco_order": "orderList.place.oco",
    "trading_requests/get_oco_order": "orderList.status",
    "trading_requests/get_open_oco_orders": "openOrderLists.status",
    "trading_requests/cancel_oco_order": "orderList.cancel",
    "trading_requests/query_order": "order.status",
    "trading_requests/cancel_order": "order.cancel",
    "trading_requests/cancel_open_orders": "openOrders.cancelAll",
    "trading_requests/current_open_orders": "openOrders.status",
    "account_requests/get_user_acct_info": "account.status",
    "account_requests/get_order_rate_limits": "account.rateLimits.orders",
    "account_requests/acct_order_history": "allOrders",
    "account_requests/acct_trade_history": "myTrades",
    "account_requests/acct_oco_history": "allOrderLists",
    "account_requests/acct_prevented_matches": "myPreventedMatches",
    "user_data_stream_requests/start_user_data_stream": "userDataStream.start",
    "user_data_stream_requests/ping_user_data_stream": "userDataStream.ping",
    "user_data_stream_requests/stop_user_data_stream": "userDataStream.stop",
}
"""Module names that source 4 fixes, and the method each must hold."""

RESULTS = {
    "ping": "ping_response",
    "time": "server_time_response",
    "exchangeInfo": "exchange_info_response",
    "depth": "depth_response",
    "trades.recent": "trades_response",
    "klines": "klines_response",
    "avgPrice": "avg_price_response",
    "ticker.24hr": "ticker_24hr_response",
    "ticker.price": "ticker_price_response",
    "ticker.book": "book_ticker_response",
    "order.place": "new_order_full_response",
    "order.status": "order_response",
    "order.cancel": "cancel_order_response",
    "openOrders.cancelAll": "cancel_open_orders_response",
    "openOrders.status": "open_orders_response",
    "allOrders": "all_orders_response",
    "account.status": "account_response",
    "myTrades": "account_trades_response",
}

by_name = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)


def test_every_request_has_its_weight_of_2026() -> None:
    assert {spec.method for spec in SPECS} == set(WEIGHTS)
    for method, cases in WEIGHTS.items():
        spec = by_method(method)
        assert spec is not None
        assert [spec.weight(params) for params, _ in cases] == [weight for _, weight in cases], method


@by_name
def test_security_is_that_of_the_documents(spec: AnySpec) -> None:
    """S4-9, C-24: listen keys go with a key only; ``subscribe.signature`` and ``session.logon`` are signed."""
    if spec.method in TRADE:
        assert spec.security is SecurityType.TRADE
    elif spec.method in USER_DATA:
        assert spec.security is SecurityType.USER_DATA
    signed = TRADE | USER_DATA | {"userDataStream.subscribe.signature", "session.logon"}
    assert spec.is_signed == (spec.method in signed)
    if spec.security is SecurityType.NONE and not spec.signed:
        assert not spec.needs_key
    assert spec.is_signed == ("recvWindow" in {field.encode_name for field in msgspec.structs.fields(spec.params)})


@by_name
def test_a_request_is_found_by_its_names(spec: AnySpec) -> None:
    assert by_method(spec.method) is spec
    if spec.rest:
        assert by_route(spec.verb.lower(), spec.path) is spec
        assert spec.verb in verbs_of(spec.path)
    assert by_method("nothing") is by_route("GET", "/nothing") is None


def test_what_could_trade_is_never_called_idempotent() -> None:
    assert not any(spec.is_idempotent for spec in SPECS if spec.security is SecurityType.TRADE)
    assert {spec.method: spec.order_count for spec in SPECS if spec.order_count} == ORDER_COUNTS


def test_modules_bear_the_names_of_source_4() -> None:
    """S4-1, S4-2: thirty request modules, one request each, named as source 4 says."""
    assert len(SOURCE_4) == 30
    base = "cryptotrader.services.binance.websocketAPI"
    for path, method in SOURCE_4.items():
        module = importlib.import_module(f"{base}.{path.replace('/', '.')}")
        assert module.SPEC is by_method(method)
    folder = Path(importlib.import_module(base).__file__ or "").parent
    for file in folder.glob("*_requests/*.py"):
        if file.name != "__init__.py":
            name = ".".join([base, *file.relative_to(folder).with_suffix("").parts])
            assert importlib.import_module(name).SPEC in SPECS, f"{name} is not in the registry"


@by_name
def test_parameters_survive_the_way_there_and_back(spec: AnySpec) -> None:
    """Each optional parameter goes with the required ones alone, since all at once would break the rules."""
    params = _sample(spec.params)
    fields = msgspec.structs.fields(spec.params)
    assert set(params.wire()) == {field.encode_name for field in fields}
    required = {field.encode_name for field in fields if field.required}
    free = replace(spec, rules=())
    for name in params.text():
        given = {key: text for key, text in params.text().items() if key in required or key == name}
        assert parse_params(free, given).text() == given


def _sample(kind: type[Params]) -> Params:
    hints = typing.get_type_hints(kind, include_extras=True)
    values = {field.name: _value(field.encode_name, hints[field.name]) for field in msgspec.structs.fields(kind)}
    return kind(**values)


def _value(name: str, hint: Any) -> Any:
    known = {
        "symbol": "BTCUSDT",
        "windowSize": "7d",
        "timeZone": "-1:00",
        "recvWindow": "5000.5",
        "strategyType": 10**6,
    }
    if name.endswith("StrategyType"):
        return 10**6
    if name in known:
        return known[name]
    parts = [part for part in get_args(hint) if part is not type(None)]
    if get_origin(hint) is Annotated or type(None) in get_args(hint):
        return _value(name, parts[0])
    if get_origin(hint) is Literal:
        return parts[-1]
    if get_origin(hint) is list:
        return ["BTCUSDT", "ETHUSDT"]
    samples: dict[Any, Any] = {int: 7, bool: True, str: "1.50", Side: Side.SELL, OrderType: OrderType.LIMIT}
    return TimeInForce.IOC if hint is TimeInForce else samples[hint]


@pytest.mark.parametrize(("method", "fixture"), RESULTS.items())
def test_results_of_the_documents_are_read_and_lose_nothing(method: str, fixture: str) -> None:
    spec = by_method(method)
    assert spec is not None
    body = message(f"binance/spot__http_json__{fixture}.json")
    result = msgspec.json.decode(body, type=spec.result)
    _contains(msgspec.to_builtins(result), msgspec.json.decode(body))


def _contains(read: Any, raw: Any) -> None:
    """Whatever stands in the raw message stands in the typed one, to the letter."""
    if isinstance(raw, dict):
        for name, value in raw.items():
            assert name in read, name
            _contains(read[name], value)
    elif isinstance(raw, list):
        assert len(read) == len(raw)
        for one, other in zip(read, raw, strict=True):
            _contains(one, other)
    else:
        assert read == raw


@pytest.mark.parametrize("method", ["ticker.24hr", "ticker.price", "ticker.book"])
def test_one_symbol_answers_an_object_and_many_an_array(method: str) -> None:
    spec = by_method(method)
    assert spec is not None
    body = message(f"binance/spot__http_json__{RESULTS[method]}.json")
    one = msgspec.json.decode(body, type=spec.result)
    assert msgspec.json.decode(b"[" + body + b"]", type=spec.result) == [one]


@pytest.mark.parametrize("answer", ["ACK", "RESULT"])
def test_the_shorter_answers_to_an_order_are_read(answer: str) -> None:
    """``rest-api.md``, "New order", responses ACK and RESULT, with a status of the future."""
    spec = by_method("order.place")
    assert spec is not None
    body: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "orderId": 28,
        "orderListId": -1,
        "clientOrderId": "6gCrw2kRUAF9CvJDGP16IP",
        "transactTime": 1507725176595,
    }
    if answer == "RESULT":
        body |= {"price": "0.00000000", "status": "SOMETHING_NEW", "newField": [1]}
    placed = msgspec.json.decode(msgspec.json.encode(body), type=spec.result)
    assert (placed.order_id, placed.fills) == (28, ())
