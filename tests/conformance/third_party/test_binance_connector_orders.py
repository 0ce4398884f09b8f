"""binance-connector: orders of every kind, and all that the client has for a spot market."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_before_still_markets, run_driver
from tests.support.client_books import check_run

APIS = ("rest", "ws")

REFUSED = {
    "rest.refused.cancel": "ClientError: (400, -2011, 'Unknown order sent.',",
    "rest.refused.replace": "ClientError: (400, -2022, 'Order cancel-replace failed.',",
    "ws.refused.cancel": "Refused: {'code': -2011, 'msg': 'Unknown order sent.'}",
    "ws.refused.replace": "Refused: {'code': -2022, 'msg': 'Order cancel-replace failed.',",
}

WITHOUT_ANSWER = {
    "Spot": {
        f"{verb}_{kind}margin_listen_key": "a user stream of a margin account, on another host path (/sapi)"
        for verb in ("new", "renew", "close")
        for kind in ("", "isolated_")
    },
    "SpotWebsocketAPIClient": {
        "subscribe": "a method of stream connections, which the base class lends to both",
        "unsubscribe": "a method of stream connections, which the base class lends to both",
        "list_subscribe": "a method of stream connections, which the base class lends to both",
        "send_message_to_server": "a method of stream connections, which the base class lends to both",
    },
    "SpotWebsocketStreamClient": {
        "send": "a method of connections of the WebSocket API, which the base class lends to both",
    },
}
"""What the client has and is not called here, with the reason; its other modules are of other products."""


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return run_before_still_markets("binance-connector", "binance_connector_orders")


@pytest.fixture(scope="module")
def steps(report: dict[str, Any]) -> dict[str, Any]:
    return dict(report["steps"])


def test_orders_and_lists_of_every_kind_are_taken(report: dict[str, Any]) -> None:
    assert report["failures"].keys() == REFUSED.keys()
    for step, answer in REFUSED.items():
        assert report["failures"][step].startswith(answer)
    assert {text.partition(",")[0] for text in report["warnings"]} <= {"CLOSE frame received"}


def test_every_call_for_spot_is_made(exchange: str, steps: dict[str, Any]) -> None:
    """A method that a new version of the client brings makes this fail until it is called, or named with a reason."""
    called = run_driver("binance-connector", exchange)["steps"]["called"]
    for kind, offered in steps["offered"].items():
        assert set(offered) - set(steps["called"][kind]) - set(called[kind]) == WITHOUT_ANSWER[kind].keys(), kind


@pytest.mark.parametrize("api", APIS)
def test_what_is_told_of_orders_fills_and_balances_agrees(api: str, steps: dict[str, Any]) -> None:
    run = {name: value for name, value in steps.items() if name.startswith(f"{api}.")}
    # What the first run traded is among the rows of the second.
    run[f"{api}.before"] = steps["rest.before"]
    run[f"{api}.allocations"] = steps["rest.allocations"]
    check_run(run, api)


@pytest.mark.parametrize("api", APIS)
def test_an_order_ends_as_its_kind_says(api: str, steps: dict[str, Any]) -> None:
    ends = {"limit.ioc": "FILLED", "limit.fok": "EXPIRED", "maker": "NEW", "market": "FILLED", "market.sell": "FILLED"}
    for kind, status in (ends | {"market.quote": "FILLED", "stop": "NEW", "trailing": "NEW", "peg": "NEW"}).items():
        assert steps[f"{api}.get.{kind}"]["status"] == status, kind
    assert len(steps[f"{api}.order.market.sell"]["fills"]) > 1
    assert steps[f"{api}.change.after"]["status"] == "CANCELED"
    assert steps[f"{api}.change.by_name"]["newOrderResponse"]["status"] == "FILLED"
    assert steps[f"{api}.count"][0]["rateLimitType"] == "ORDERS"


@pytest.mark.parametrize("api", APIS)
def test_prevention_takes_from_whom_the_mode_names(api: str, steps: dict[str, Any]) -> None:
    over = {"EXPIRE_TAKER": "taker", "EXPIRE_MAKER": "maker", "EXPIRE_BOTH": "both", "DECREMENT": "both"}
    for mode, who in over.items():
        for side in ("maker", "taker"):
            expected = "EXPIRED_IN_MATCH" if who in (side, "both") else "NEW"
            assert steps[f"{api}.met.{side}.{mode}"]["status"] == expected, (mode, side)
        assert len(steps[f"{api}.prevented.{mode}"]) == 1


def test_every_stream_has_its_method(steps: dict[str, Any]) -> None:
    assert sorted(steps["streams"]["result"]) == sorted(
        [
            "btcusdt@aggTrade",
            "btcusdt@trade",
            "btcusdt@kline_1m",
            "btcusdt@kline_1d@+08:00",
            "btcusdt@miniTicker",
            "btcusdt@ticker",
            "btcusdt@bookTicker",
            "btcusdt@depth10@100ms",
            "btcusdt@ticker_1h",
            "!ticker_1h@arr",
            "btcusdt@depth@1000ms",
        ]
    )
