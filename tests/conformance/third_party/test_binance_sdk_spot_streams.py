"""binance-sdk-spot and every market stream: declared types, plausible values, and the same values by REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_driver

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
SIZES = {"1h": HOUR_MS, "4h": 4 * HOUR_MS, "1d": DAY_MS}


@pytest.fixture(scope="module")
def report(exchange: str) -> dict[str, Any]:
    return run_driver("binance-sdk-spot", exchange, driver="binance_sdk_spot_streams")


def event(report: dict[str, Any], name: str) -> Any:
    return report["steps"][f"stream.{name}"]["data"]


def answer(report: dict[str, Any], name: str) -> Any:
    return report["steps"][f"rest.{name}"]["data"]


def test_every_stream_of_the_client_speaks_in_the_declared_types(report: dict[str, Any]) -> None:
    """The client warns where a type or a name differs; all intervals, windows and speeds that it offers."""
    assert report["failures"] == {}
    assert report["steps"]["warnings"] == []
    told = {name: step for name, step in report["steps"].items() if name.startswith("stream.")}
    assert len(told) == 52
    odd = {name: (step["missing"], step["unknown"]) for name, step in told.items() if step["missing"] + step["unknown"]}
    assert odd == {"stream.referencePrice": ([".r"], [])}, "there is no reference price, and so it is null"


def test_trades_aggregates_and_block_trades_are_those_of_rest(report: dict[str, Any]) -> None:
    shared = ("a", "p", "q", "f", "l", "T", "m", "M")
    (row,) = answer(report, "aggTrades")
    assert {key: row[key] for key in shared} == {key: event(report, "aggTrade")[key] for key in shared}
    for stream, rest in (("trade", "historicalTrades"), ("blockTrade", "blockTrades")):
        (row,) = answer(report, rest)
        told = event(report, stream)
        assert [row[key] for key in ("id", "price", "qty", "time", "isBuyerMaker")] == [told[key] for key in "tpqTm"]


@pytest.mark.parametrize("size", SIZES)
def test_windows_fit_those_of_rest(report: dict[str, Any], size: str) -> None:
    """Asked a few seconds later: the market has moved on, the past has not changed."""
    told, asked = event(report, f"ticker_{size}"), answer(report, f"ticker.{size}")
    rows = {row["s"]: row for row in event(report, f"!ticker_{size}@arr")}
    assert {"BTCUSDT", "ETHUSDT"} <= set(rows)
    for row in (told, rows["BTCUSDT"]):
        assert row["e"] == f"{size}Ticker"
        assert 0 <= row["C"] - row["O"] - SIZES[size] < 60_000
        assert row["O"] % 60_000 == 0
        assert float(row["l"]) <= float(row["w"]) <= float(row["h"])
        assert row["F"] <= asked["firstId"] <= row["L"] <= asked["lastId"]
        assert 0 < row["n"] <= row["L"] - row["F"] + 1
        assert abs(float(row["v"]) / float(asked["volume"]) - 1) < 0.2


def test_candles_of_both_zones_are_those_of_rest(report: dict[str, Any]) -> None:
    """Days, weeks and months begin at midnight of the zone; what has been traded only grows."""
    for interval in ("1d", "1w", "1M"):
        for name, rest in ((f"kline_{interval}", "klines"), (f"kline_{interval}@+08:00", "uiKlines")):
            (row,) = answer(report, f"{rest}.{interval}")
            candle = event(report, name)["k"]
            assert [candle["t"], candle["T"], candle["o"]] == [row[0], row[6], row[1]]
            assert float(candle["v"]) <= float(row[5])
            assert (candle["t"] + (8 * HOUR_MS if "+08" in name else 0)) % DAY_MS == 0


def test_tickers_and_averages_are_those_of_rest(report: dict[str, Any]) -> None:
    told, asked = event(report, "ticker"), answer(report, "ticker.day")
    assert told["L"] <= asked["lastId"]
    assert abs(float(told["c"]) / float(asked["lastPrice"]) - 1) < 0.05
    assert float(told["b"]) < float(told["a"])
    average = event(report, "avgPrice")
    assert abs(float(average["w"]) / float(answer(report, "avgPrice")["price"]) - 1) < 0.05
    for levels in (5, 10, 20):
        book = event(report, f"depth{levels}")
        assert len(book["bids"]) == len(book["asks"]) == levels
        assert float(book["bids"][0][0]) < float(book["asks"][0][0])


def test_an_announced_shutdown_and_a_broken_connection_are_survived(report: dict[str, Any]) -> None:
    """Over the streams this client goes on after ``serverShutdown``, and tells of a break as ``close``."""
    steps = report["steps"]
    assert steps["announced"] == {"connections": 1}
    assert steps["cut"]["connections"] == 1
    assert steps["closed"] is True
    assert steps["after.notice"]["data"]["t"] < steps["after.cut"]["data"]["t"]
