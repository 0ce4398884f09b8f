"""The page of errors says what the table of their tests says."""

from __future__ import annotations

from tests.support.errors.catalogue import CASES, PAGE, render
from tests.support.errors.never import NEVER
from tests.support.errors.orders import FAILURE

NUMBERS = """
-1000 -1001 -1002 -1003 -1006 -1007 -1008 -1013 -1014 -1015 -1016 -1020 -1021 -1022 -1033 -1034 -1035 -1100 -1101 -1102
-1103 -1104 -1105 -1106 -1108 -1111 -1112 -1114 -1115 -1116 -1117 -1118 -1119 -1120 -1121 -1122 -1125 -1127 -1128 -1130
-1134 -1135 -1139 -1145 -1151 -1152 -1153 -1155 -1158 -1160 -1161 -1165 -1166 -1168 -1169 -1170 -1171 -1172 -1173 -1174
-1175 -1176 -1177 -1178 -1179 -1180 -1181 -1182 -1183 -1184 -1185 -1186 -1187 -1188 -1189 -1190 -1191 -1194 -1196 -1197
-1198 -1199 -1210 -1211 -1220 -1221 -1222 -1223 -1224 -1225 -2010 -2011 -2013 -2014 -2015 -2016 -2021 -2022 -2026 -2035
-2036 -2038 -2039 -2042 -2043
"""
"""Numbers of ``errors.md``, July 2026; -1010 is only named in a heading."""

FILTERS = """
PRICE_FILTER PERCENT_PRICE PERCENT_PRICE_BY_SIDE LOT_SIZE MIN_NOTIONAL NOTIONAL ICEBERG_PARTS MARKET_LOT_SIZE
MAX_NUM_ORDERS MAX_NUM_ALGO_ORDERS MAX_NUM_ICEBERG_ORDERS MAX_POSITION TRAILING_DELTA MAX_NUM_ORDER_AMENDS
MAX_NUM_ORDER_LISTS EXCHANGE_MAX_NUM_ORDERS EXCHANGE_MAX_NUM_ALGO_ORDERS EXCHANGE_MAX_NUM_ICEBERG_ORDERS
EXCHANGE_MAX_NUM_ORDER_LISTS MAX_ASSET
"""
"""Filters of ``filters.md``."""


def test_the_page_of_errors_is_up_to_date() -> None:
    """``make reference`` writes it anew."""
    assert render() == PAGE.read_text("utf-8")


def test_no_error_both_comes_and_can_not() -> None:
    assert not {(case.code, case.text) for case in CASES} & {(row.code, row.text) for row in NEVER}
    assert len({(row.code, row.text) for row in NEVER}) == len(NEVER)


def test_every_number_and_filter_of_binances_documents_is_in_the_table() -> None:
    told = {case.code for case in CASES if not case.is_extra} | {row.code for row in NEVER}
    assert told == {int(code) for code in NUMBERS.split()} | {-1010}
    named = {case.text.removeprefix(FAILURE) for case in CASES if case.text.startswith(FAILURE)}
    assert named == set(FILTERS.split())
