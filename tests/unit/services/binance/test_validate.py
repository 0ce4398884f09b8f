"""Parameters as they arrive."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from cryptotrader.core.errors import InvalidParams
from cryptotrader.services.binance.registry import SPECS, AnySpec, by_method
from cryptotrader.services.binance.validate import parse_params

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "0.10"}
MARKET = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "1"}


def parse(method: str, given: dict[str, Any]) -> dict[str, str]:
    spec = by_method(method)
    assert spec is not None
    text: dict[str, str] = parse_params(spec, given).text()
    return text


def test_text_of_numbers_stays_as_it_was_written() -> None:
    assert parse("order.place", LIMIT | {"price": "0.100", "recvWindow": "5000.125"})["price"] == "0.100"


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(ValueError, match=r"^Missing required parameter: symbol$"):
        parse("depth", {})


@pytest.mark.parametrize(
    ("method", "given", "param", "problem"),
    [
        ("depth", {"symbol": ""}, "symbol", "empty"),
        ("depth", {"symbol": "btcusdt"}, "symbol", "malformed"),
        ("depth", {"symbol": "A" * 51}, "symbol", "malformed"),
        ("depth", {"symbol": "BTC USDT"}, "symbol", "malformed"),
        ("depth", {"symbol": "BTCUSDT\n"}, "symbol", "malformed"),
        ("depth", {"symbol": "BTCUSDT", "limit": "ten"}, "limit", "malformed"),
        ("depth", {"symbol": "BTCUSDT", "limit": "1e2"}, "limit", "malformed"),
        ("depth", {"symbol": "BTCUSDT", "limit": "5.0"}, "limit", "malformed"),
        ("depth", {"symbol": "BTCUSDT", "limit": " 5"}, "limit", "malformed"),
        ("depth", {"symbol": "BTCUSDT", "limit": "0"}, "limit", "out_of_range"),
        ("depth", {"symbol": "BTCUSDT", "limit": "-5"}, "limit", "out_of_range"),
        ("depth", {"symbol": "BTCUSDT", "limit": "9" * 20}, "limit", "out_of_range"),
        ("order.status", {"symbol": "A", "orderId": str(2**63)}, "orderId", "out_of_range"),
        ("order.status", {"symbol": "A", "orderId": "9" * 40}, "orderId", "malformed"),
        ("depth", {"symbol": "BTCUSDT", "colour": "red"}, "colour", "unknown"),
        ("depth", {"symbol": "BTCUSDT", "timestamp": "1"}, "timestamp", "unknown"),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, "interval", "invalid"),
        ("klines", {"symbol": "BTCUSDT"}, "interval", "missing"),
        ("ticker.price", {"symbols": "[1]"}, "symbols", "malformed"),
        ("ticker.price", {"symbols": '["A"'}, "symbols", "malformed"),
        ("ticker.price", {"symbol": "A", "symbols": '["A"]'}, "symbols", "not_required"),
        ("ticker", {}, "symbol|symbols", "missing"),
        ("ticker", {"symbol": "A", "windowSize": "60m"}, "windowSize", "malformed"),
        ("order.place", LIMIT | {"side": "HOLD"}, "side", "invalid"),
        ("order.place", LIMIT | {"type": "MAYBE"}, "type", "invalid"),
        ("order.place", LIMIT | {"timeInForce": "GTX"}, "timeInForce", "invalid"),
        ("order.place", LIMIT | {"quantity": "-1"}, "quantity", "malformed"),
        ("order.place", LIMIT | {"quantity": "1e-5"}, "quantity", "malformed"),
        ("order.place", LIMIT | {"quantity": "NaN"}, "quantity", "malformed"),
        ("order.place", LIMIT | {"recvWindow": "60000.001"}, "recvWindow", "out_of_range"),
        ("order.place", LIMIT | {"newClientOrderId": "x" * 37}, "newClientOrderId", "malformed"),
        ("order.place", LIMIT | {"stopPrice": "1"}, "stopPrice", "not_required"),
        ("order.place", LIMIT | {"strategyType": "999999"}, "strategyType", "out_of_range"),
        ("order.place", MARKET | {"price": "1"}, "price", "not_required"),
        ("order.place", MARKET | {"icebergQty": "1"}, "icebergQty", "not_required"),
        ("order.place", MARKET | {"quoteOrderQty": "1"}, "quoteOrderQty", "not_required"),
        ("order.place", {**MARKET, "quantity": None}, "quantity|quoteOrderQty", "missing"),
        ("order.place", LIMIT | {"price": None}, "price", "missing"),
        ("order.place", LIMIT | {"timeInForce": None}, "timeInForce", "missing"),
        ("order.cancel", {"symbol": "A"}, "origClientOrderId|orderId", "missing"),
        ("order.cancel", {"symbol": "A", "orderId": "1", "cancelRestrictions": "X"}, "cancelRestrictions", "invalid"),
        ("myTrades", {"symbol": "A", "fromId": "1", "startTime": "2"}, "startTime", "not_required"),
    ],
)
def test_each_kind_of_problem_is_told_apart(method: str, given: dict[str, Any], param: str, problem: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        parse(method, given)
    assert (caught.value.param, caught.value.problem) == (param, problem)


def test_what_belongs_to_authentication_is_no_parameter_of_a_signed_request() -> None:
    given = MARKET | {"timestamp": "1", "signature": "x", "apiKey": "k"}
    assert parse("order.place", given) == MARKET


def test_lists_come_as_json_or_as_one_word() -> None:
    assert parse("ticker.price", {"symbols": '["BTCUSDT","币安人生"]'}) == {"symbols": '["BTCUSDT","币安人生"]'}
    assert parse("exchangeInfo", {"permissions": "SPOT"}) == {"permissions": '["SPOT"]'}
    assert parse("exchangeInfo", {"symbols": ["A", "B"]}) == {"symbols": '["A","B"]'}


def test_flags_come_as_text_or_as_json() -> None:
    for flag in ("true", True):
        assert parse("account.status", {"omitZeroBalances": flag}) == {"omitZeroBalances": "true"}
    with pytest.raises(InvalidParams):
        parse("account.status", {"omitZeroBalances": "perhaps"})


_NAMES = sorted({field.encode_name for spec in SPECS for field in msgspec.structs.fields(spec.params)} | {"timestamp"})
_VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["BTCUSDT", "BUY", "LIMIT", "GTC", "1", "0.5", "true", "[]", '["A"]', "[[[", "{}", "null", "-1", "1h"]
    ),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.lists(st.one_of(st.text(max_size=5), st.none()), max_size=3),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@drawn(st.sampled_from(SPECS), st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=8))
def test_any_input_is_either_read_or_refused_in_one_way(spec: AnySpec, given: dict[str, Any]) -> None:
    """What is read is read the same again from its own text."""
    problem = ""
    try:
        params = parse_params(spec, given)
    except InvalidParams as error:
        problem = error.problem if error.param else "nameless"
    if problem:
        assert problem in {"missing", "empty", "malformed", "unknown", "not_required", "out_of_range", "invalid"}
    else:
        assert parse_params(spec, params.text()) == params
        assert spec.weight(params.text()) == spec.weight(params.wire()) > 0


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("order.place", {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1", "strategyId": "7"}),
        (
            "order.test",
            {"symbol": "A", "side": "SELL", "type": "MARKET", "quoteOrderQty": "1", "computeCommissionRates": "true"},
        ),
        ("order.cancel", {"symbol": "BTCUSDT", "orderId": "1", "apiKey": "k", "timestamp": "1", "signature": "s"}),
    ],
)
def test_a_good_request_is_read_the_same_at_once_and_one_by_one(method: str, given: dict[str, str]) -> None:
    """What is no text takes the careful way: here a parameter that was not sent."""
    spec = by_method(method)
    assert spec is not None
    assert parse_params(spec, given) == parse_params(spec, {**given, "recvWindow": None})
