"""What is checked before an order is sent."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.errors import InvalidParams
from cryptotrader.trading.ids import ClientOrderIds, id_for_key
from cryptotrader.trading.request import CLIENT_ORDER_ID_PATTERN, OrderBody, exact_number, order_request

BASE = b'{"symbol":"BTCUSDT","side":"BUY","type":"%b"%b}'


def parse(kind: bytes, rest: bytes) -> dict[str, str]:
    body = msgspec.json.decode(BASE % (kind, rest), type=OrderBody)
    return dict(order_request(body, "BTCUSDT").fields)


@pytest.mark.parametrize(
    ("lexeme", "text"),
    [
        (b'"0.001"', "0.001"),
        (b"0.001", "0.001"),
        (b"0.10", "0.10"),
        (b"1", "1"),
        (b"1e-05", "0.00001"),
        (b"1E2", "100"),
        (b"12345678901234567890.12345678", "12345678901234567890.12345678"),
    ],
)
def test_numbers_and_text_are_kept_exactly(lexeme: bytes, text: str) -> None:
    """C-14."""
    assert parse(b"LIMIT", b',"price":1,"quantity":' + lexeme)["quantity"] == text


@pytest.mark.parametrize(
    "lexeme",
    [b"-1", b'"-1"', b'"1e5"', b'"NaN"', b'""', b"null", b"true", b"[]", b"{}", b"1e999999999", b"1e-999999", b'" 1"'],
)
def test_what_is_no_plain_decimal_is_refused_by_name(lexeme: bytes) -> None:
    """C-14."""
    with pytest.raises(InvalidParams, match="quantity"):
        parse(b"LIMIT", b',"price":1,"quantity":' + lexeme)


@given(st.decimals(min_value=0, max_value=10**15, places=8))
def test_any_amount_survives_in_both_forms(value: object) -> None:
    """C-14."""
    text = f"{value:f}"
    assert exact_number("price", text.encode()) == text
    assert exact_number("price", f'"{text}"'.encode()) == text


def test_a_limit_order_without_time_in_force_is_good_till_cancelled() -> None:
    """S0-23."""
    assert parse(b"LIMIT", b',"price":1,"quantity":1')["timeInForce"] == "GTC"
    assert parse(b"LIMIT", b',"price":1,"quantity":1,"timeInForce":"IOC"')["timeInForce"] == "IOC"
    assert "timeInForce" not in parse(b"MARKET", b',"quantity":1')
    assert "timeInForce" not in parse(b"LIMIT_MAKER", b',"price":1,"quantity":1')


@pytest.mark.parametrize(
    ("kind", "rest", "named"),
    [
        (b"LIMIT", b',"quantity":1', "price"),
        (b"LIMIT", b',"price":1', "quantity"),
        (b"MARKET", b"", "quantity"),
        (b"STOP_LOSS", b',"quantity":1', "stopPrice"),
        (b"MARKET", b',"quantity":1,"quoteOrderQty":1', "quoteOrderQty"),
        (b"MARKET", b',"quantity":1,"price":1', "price"),
    ],
)
def test_what_an_order_type_needs_is_asked_for_by_name(kind: bytes, rest: bytes, named: str) -> None:
    """S0-20, S0-56."""
    with pytest.raises(InvalidParams, match=named):
        parse(kind, rest)


def test_all_of_binances_parameters_go_through() -> None:
    """S0-20."""
    rest = (
        b',"price":"1.0","quantity":"2","icebergQty":"1","stopPrice":"3","trailingDelta":10,"strategyId":4,'
        b'"strategyType":1000000,"selfTradePreventionMode":"EXPIRE_MAKER","newOrderRespType":"ACK"'
    )
    fields = parse(b"STOP_LOSS_LIMIT", rest)
    assert {"icebergQty", "stopPrice", "trailingDelta", "strategyId", "strategyType"} <= set(fields)
    assert fields["newOrderRespType"] == "ACK"


def test_ids_sort_by_time_and_never_collide() -> None:
    """DESIGN 4.7."""
    ids = ClientOrderIds(lambda size: b"\xff" * size)
    made = [ids.make(ms) for ms in (5, 5, 5, 6, 4, 1_700_000_000_000)]
    assert len(set(made)) == len(made)
    assert all(re.fullmatch(CLIENT_ORDER_ID_PATTERN, name) for name in made)
    assert made[3] < made[5]


def test_the_id_of_a_key_is_always_the_same_and_fits() -> None:
    """DESIGN 4.7."""
    assert id_for_key("env-1", "k") == id_for_key("env-1", "k")
    assert id_for_key("env-1", "k") != id_for_key("env-", "1k")
    assert re.fullmatch(CLIENT_ORDER_ID_PATTERN, id_for_key("env-1", "k" * 255))
