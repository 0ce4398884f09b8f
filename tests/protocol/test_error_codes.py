"""Every number, text and filter that Binance's documents name for spot: a test produces it, or a page explains it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "error-codes.md").read_text("utf-8")
TESTS = "\n".join(
    path.read_text("utf-8") for path in sorted((ROOT / "tests").rglob("*.py")) if path != Path(__file__).resolve()
)

CODES = """
-1000 -1001 -1002 -1003 -1006 -1007 -1008 -1013 -1014 -1015 -1016 -1020 -1021 -1022 -1033 -1034 -1035 -1100 -1101 -1102
-1103 -1104 -1105 -1106 -1108 -1111 -1112 -1114 -1115 -1116 -1117 -1118 -1119 -1120 -1121 -1122 -1125 -1127 -1128 -1130
-1134 -1135 -1139 -1145 -1151 -1152 -1153 -1155 -1158 -1160 -1161 -1165 -1166 -1168 -1169 -1170 -1171 -1172 -1173 -1174
-1175 -1176 -1177 -1178 -1179 -1180 -1181 -1182 -1183 -1184 -1185 -1186 -1187 -1188 -1189 -1190 -1191 -1194 -1196 -1197
-1198 -1199 -1210 -1211 -1220 -1221 -1222 -1223 -1224 -1225 -2010 -2011 -2013 -2014 -2015 -2016 -2021 -2022 -2026 -2035
-2036 -2038 -2039 -2042 -2043
"""
"""Numbers of ``errors.md``, July 2026."""

TEXTS = """
Unknown order sent.
Duplicate order sent.
Market is closed.
Account has insufficient balance for requested action.
Market orders are not supported for this symbol.
Iceberg orders are not supported for this symbol.
Stop loss orders are not supported for this symbol.
Stop loss limit orders are not supported for this symbol.
Take profit orders are not supported for this symbol.
Take profit limit orders are not supported for this symbol.
Order amend is not supported for this symbol.
Price * QTY is zero or less.
IcebergQty exceeds QTY.
This action is disabled on this account.
This account may not place or cancel orders.
Unsupported order combination
Order would trigger immediately.
Cancel order is invalid. Check origClOrdId and orderId.
Order would immediately match and take.
The relationship of the prices for the orders is not correct.
OCO orders are not supported for this symbol
Quote order qty market orders are not support for this symbol.
Trailing stop orders are not supported for this symbol.
Order cancel-replace is not supported for this symbol.
This symbol is not permitted for this account.
This symbol is restricted for this account.
Order was not canceled due to cancel restrictions.
REST API trading is not enabled
WebSocket API trading is not enabled
FIX API trading is not enabled.
Order book liquidity is less than `LOT_SIZE` filter minimum quantity.
Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity.
Order book liquidity is less than symbol minimum quantity.
Order amend (quantity increase) is not supported.
The requested action would change no state; rejecting
Pegged orders are not supported for this symbol.
This order type may not use pegged price.
This price peg cannot be used with this order type.
Order book liquidity is too low for this pegged order.
OPO orders are not supported for this symbol.
Order amend (pending OPO order) is not supported.
""".strip().splitlines()
"""Texts of the matching engine in ``errors.md``."""

FILTERS = """
PRICE_FILTER PERCENT_PRICE PERCENT_PRICE_BY_SIDE LOT_SIZE MIN_NOTIONAL NOTIONAL ICEBERG_PARTS MARKET_LOT_SIZE
MAX_NUM_ORDERS MAX_NUM_ALGO_ORDERS MAX_NUM_ICEBERG_ORDERS MAX_POSITION TRAILING_DELTA MAX_NUM_ORDER_AMENDS
MAX_NUM_ORDER_LISTS EXCHANGE_MAX_NUM_ORDERS EXCHANGE_MAX_NUM_ALGO_ORDERS EXCHANGE_MAX_NUM_ICEBERG_ORDERS
EXCHANGE_MAX_NUM_ORDER_LISTS MAX_ASSET
"""
"""Filters of ``filters.md``."""


def _explained() -> set[str]:
    """Numbers that the page gives a reason for; it names some from one to another."""
    found: set[str] = set()
    for row in re.findall(r"^\| (-[^|]*)\|", PAGE, re.M):
        for first, last in re.findall(r"-(\d{4})(?: to -(\d{4}))?", row):
            if '"' not in row:
                found |= {f"-{number}" for number in range(int(first), int(last or first) + 1)}
    return found


@pytest.mark.parametrize("code", CODES.split())
def test_a_number_is_produced_by_a_test_or_explained(code: str) -> None:
    is_produced = re.search(rf"(?<!\d){code}(?!\d)", TESTS) is not None
    assert is_produced is not (code in _explained())


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_produced_by_a_test_or_explained(text: str) -> None:
    is_explained = any(text in row.split("|")[1] for row in PAGE.splitlines() if row.startswith("|"))
    assert (text in TESTS) is not is_explained


@pytest.mark.parametrize("name", FILTERS.split())
def test_a_filter_is_broken_by_a_test(name: str) -> None:
    assert re.search(rf"""["']{name}["']|failure: {name}\b""", TESTS)
