"""binance-connector, Binance's client of the years before: threads, listen keys, JSON numbers in WebSocket requests."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_driver

REFUSED = {
    "rest.order.again": "(400, -2010, 'Duplicate order sent.',",
    "rest.maker.takes": "(400, -2010, 'Order would immediately match and take.',",
    "rest.exponent": "(400, -1100, \"Illegal characters found in parameter 'quantity';",
    "rest.openOrders.none": "(400, -2011, 'Unknown order sent.',",
    "rest.wrong_secret": "(400, -1022, 'Signature for this request is not valid.',",
    "rest.wrong_key": "(401, -2015, 'Invalid API-key, IP, or permissions for action.',",
    "rest.nosuch": "(404, -1020,",
    "listen_key.gone": "(400, -1125, 'This listenKey does not exist.',",
}


@pytest.fixture(scope="module")
def report(exchange: str) -> dict[str, Any]:
    return run_driver("binance-connector", exchange)


def test_everything_is_answered_and_refusals_have_binances_words(report: dict[str, Any]) -> None:
    """C-23: all of REST, streams and WebSocket API that the client knows and this exchange has."""
    assert set(report["failures"]) == set(REFUSED)
    for step, answer in REFUSED.items():
        assert report["failures"][step].startswith(f"ClientError: {answer}")
    # The client warns of the close frame that answers its own, once for each connection.
    assert {text.partition(",")[0] for text in report["warnings"]} <= {"CLOSE frame received"}
    counts = Counter(step.partition(".")[0] for step in report["steps"])
    assert counts["rest"] >= 32
    assert counts["ws"] >= 37
    assert counts["raw"] >= 12
    assert counts["combined"] >= 12


def test_rest_answers_make_sense(report: dict[str, Any]) -> None:
    steps = report["steps"]
    assert (steps["rest.exchangeInfo"], steps["rest.exchangeInfo.permissions"]) == (2, 60)
    assert len(steps["rest.klines"]) == 100
    assert steps["rest.order/test"] == {}
    assert steps["rest.order"]["clientOrderId"] == steps["rest.order.cancel"]["origClientOrderId"] == "conn-1"
    assert steps["rest.market"]["status"] == "FILLED"
    # An order of this type is acknowledged shortly unless the client asks for more.
    assert set(steps["rest.maker"]) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    assert set(steps["rest.limit_usage"]) == {
        "x-mbx-used-weight",
        "x-mbx-used-weight-1m",
        "x-mbx-order-count-10s",
        "x-mbx-order-count-1d",
    }


def test_a_listen_key_lives_from_rest_over_the_stream_to_its_end(report: dict[str, Any]) -> None:
    """C-23, C-24: ``POST userDataStream``, SUBSCRIBE by key, keep-alive, close."""
    steps = report["steps"]
    assert steps["listen_key"] == steps["listen_key.same"]
    assert steps["listen_key.subscribed"] == {"result": None, "id": 1}
    assert steps["listen_key.report"]["i"] == steps["listen_key.order_id"]
    assert {row["a"] for row in steps["listen_key.position"]["B"]} >= {"USDT"}
    assert steps["listen_key.renewed"] == steps["listen_key.closed"] == {}


def test_streams_come_raw_and_combined_by_subscribe(report: dict[str, Any]) -> None:
    steps = report["steps"]
    for kind in ("raw", "combined"):
        assert steps[f"{kind}.subscribed"] == {"result": None, "id": 11}
        assert len(steps[f"{kind}.list"]["result"]) == 8
        assert steps[f"{kind}.unsubscribed"] == {"result": None, "id": 13}
    assert steps["combined.btcusdt@depth@100ms"]["data"]["e"] == "depthUpdate"
    assert steps["combined.!ticker_1d@arr"]["data"][0]["e"] == "1dTicker"
    assert steps["combined.btcusdt@kline_1d@+08:00"]["data"]["k"]["t"] % 86_400_000 == 57_600_000
    assert steps["combined.btcusdt@referencePrice"]["data"]["r"] is None
    assert len(steps["raw.partial"]["bids"]) == 5


def test_times_come_in_microseconds_where_the_client_wants_them(report: dict[str, Any]) -> None:
    """``X-MBX-TIME-UNIT``, ``timeUnit`` in the address, and a period given in the same unit."""
    steps = report["steps"]
    candles = steps["micros.klines"]
    answers = (steps["micros.time"], steps["micros.ws_time"]["result"])
    times = [answer["serverTime"] for answer in answers] + [steps["micros.trade"]["T"], candles[0][0], candles[0][6]]
    assert all(10**15 < time < 10**16 for time in times)
    assert 1 <= len(candles) <= 3


def test_numbers_in_websocket_requests_are_signed_as_text(report: dict[str, Any]) -> None:
    """``1.0`` and ``9e-05`` are in the signature as they were written; the latter is no decimal for Binance."""
    steps = report["steps"]
    assert steps["ws.order.place.whole"]["result"]["origQty"] == "1.00000000"
    assert steps["ws.order.exponent"]["error"]["code"] == -1100
    failed = {step for step, answer in steps.items() if isinstance(answer, dict) and "error" in answer}
    assert failed == {"ws.order.exponent", "ws.nosuch", "ws.userDataStream.gone"}


def test_listen_keys_can_be_had_over_the_websocket_api(report: dict[str, Any]) -> None:
    """C-23, C-24: ``userDataStream.start``, ``.ping`` and ``.stop``, which Binance itself has removed."""
    steps = report["steps"]
    assert len(steps["ws.userDataStream.start"]["result"]["listenKey"]) == 64
    assert steps["ws.userDataStream.ping"]["result"] == steps["ws.userDataStream.stop"]["result"] == {}
    assert steps["ws.userDataStream.gone"]["error"]["code"] == -1125
