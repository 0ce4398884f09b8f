"""Exact numbers."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.core.scaled import div_scaled, format_scaled, from_decimal, mul_scaled, parse_scaled, to_decimal

amounts = st.integers(min_value=-(10**26), max_value=10**26)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("61837.63000000", 6_183_763_000_000),
        ("0.00000001", 1),
        ("100", 10_000_000_000),
        ("1e-8", 1),
        ("-0.5", -50_000_000),
        ("1.000000000000", 100_000_000),
        (".5", 50_000_000),
        ("0", 0),
        ("0e-500", 0),
    ],
)
def test_plain_decimals_are_read_exactly(text: str, value: int) -> None:
    assert parse_scaled(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "1.2.3",
        "0.000000001",
        "1e-9",
        "NaN",
        "Infinity",
        "1e400",
        "1" * 41,
        "1e-400",
        "\u0661.\u0662",
        "1_0.0",
    ],
)
def test_what_is_no_plain_exact_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_scaled(text)


@given(amounts)
def test_formatting_and_reading_are_inverse(value: int) -> None:
    assert parse_scaled(format_scaled(value)) == value
    assert from_decimal(to_decimal(value)) == value
    assert Decimal(format_scaled(value)) == to_decimal(value)


@given(amounts, amounts)
def test_products_and_quotients_are_cut_towards_zero(left: int, right: int) -> None:
    exact = to_decimal(left) * to_decimal(right) if abs(left * right) < 10**27 else None
    if exact is not None:
        assert mul_scaled(left, right) == int(exact.scaleb(8).to_integral_value(rounding="ROUND_DOWN"))
    if right:
        quotient = div_scaled(left, right)
        assert abs(quotient) == abs(left) * 10**8 // abs(right)
        assert quotient == 0 or (quotient < 0) == ((left < 0) != (right < 0))
