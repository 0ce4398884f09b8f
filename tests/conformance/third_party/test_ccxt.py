"""ccxt and ccxt.pro, which most bots are built on."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_driver

REFUSED = {
    "refused.funds": "InsufficientFunds: binance Account has insufficient balance for requested action.",
    "refused.funds_ws": "InsufficientFunds: binance Account has insufficient balance for requested action.",
    "refused.maker": "OrderImmediatelyFillable: binance Order would immediately match and take.",
    "refused.cancel": 'OrderNotFound: binance {"code":-2011,"msg":"Unknown order sent."}',
    "refused.fetch": 'OrderNotFound: binance {"code":-2013,"msg":"Order does not exist."}',
    "refused.secret": 'AuthenticationError: binance {"code":-1022,"msg":"Signature for this request is not valid."}',
}
"""What the library makes of Binance's numbers and texts: its own classes hang on them."""


@pytest.fixture(scope="module")
def report(exchange: str) -> dict[str, Any]:
    return run_driver("ccxt", exchange)


@pytest.fixture(scope="module")
def steps(report: dict[str, Any]) -> dict[str, Any]:
    return dict(report["steps"])


def test_everything_is_answered_and_refusals_become_the_right_classes(report: dict[str, Any]) -> None:
    """C-23: REST, streams, WebSocket API and user data."""
    assert report["failures"] == REFUSED
    assert not report["warnings"]


def test_markets_are_understood(steps: dict[str, Any]) -> None:
    assert len(steps["sync.markets"]) == 60
    market = steps["markets"]
    assert market["active"]
    assert market["spot"]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert (market["limits"]["amount"]["min"], market["limits"]["cost"]["min"]) == (0.00001, 5)


def test_market_data_comes_over_rest(steps: dict[str, Any]) -> None:
    assert steps["ticker"]["bid"] < steps["ticker"]["ask"]
    assert set(steps["tickers"]) == {"BTC/USDT", "ETH/USDT"}
    assert len(steps["order_book"]["bids"]) == 5
    assert len(steps["ohlcv"]) == 100
    assert len(steps["trades"]) == 3


def test_orders_over_rest_end_as_they_should(steps: dict[str, Any]) -> None:
    """Signed form bodies, and unified states of LIMIT, LIMIT_MAKER and MARKET orders."""
    for step in ("order", "order.fetch", "post_only"):
        assert steps[step]["status"] == "open"
    for step in ("order.cancel", "order.after"):
        assert steps[step]["status"] == "canceled"
    assert steps["order"]["clientOrderId"] == "ccxt-1"
    assert [row["id"] for row in steps["open_orders"]] == [steps["order"]["id"]]
    for step in ("sync.order", "market", "market.cost"):
        assert steps[step]["status"] == "closed"
        assert steps[step]["fee"]["cost"] > 0
    assert 90 < steps["market.cost"]["cost"] <= 100
    assert (steps["ioc"]["status"], steps["fok"]["status"]) == ("expired", "expired")
    assert steps["market"]["id"] in {row["order"] for row in steps["my_trades"]}
    assert steps["balance"]["USDT"]["used"] == 0


def test_books_are_followed_without_a_hole(steps: dict[str, Any]) -> None:
    """The library loads a snapshot by REST, and raises where a difference does not continue it."""
    watched = steps["watch.order_book"]
    assert all(before < after for before, after in pairwise(watched["nonces"]))
    for step in ("watch.order_book", "watch.order_books"):
        assert steps[step]["bid"] < steps[step]["ask"]
        assert steps[step]["levels"] > 100


def test_other_streams_are_understood(steps: dict[str, Any]) -> None:
    assert steps["watch.trades"][0]["symbol"] == "BTC/USDT"
    assert steps["watch.ticker"]["last"] > 0
    assert steps["watch.bids_asks"]["BTC/USDT"]["bid"] < steps["watch.bids_asks"]["BTC/USDT"]["ask"]
    for step in ("watch.ohlcv", "watch.ohlcv_1s"):
        opened, high, low = steps[step][-1][1:4]
        assert low <= opened <= high
    assert len(steps["watch.all_tickers"]) > 2
    assert steps["watch.ohlcv_of"].keys() <= {"BTC/USDT", "ETH/USDT"}
    left = [value for step, value in steps.items() if step.startswith("unwatch.")]
    assert left == [True] * 9


def test_user_data_tells_balances_orders_and_trades(steps: dict[str, Any]) -> None:
    """C-23: the library subscribes with ``userDataStream.subscribe.signature``."""
    assert {"BTC", "USDT"} <= set(steps["user.balance"])
    assert steps["user.orders"][0]["id"] == steps["ws.order"]["id"]
    assert steps["user.trades"][0]["order"] == steps["ws.market"]["id"]


def test_the_websocket_api_does_what_rest_does(steps: dict[str, Any]) -> None:
    assert steps["ws.order"]["status"] == steps["ws.order.fetch"]["status"] == "open"
    assert steps["ws.order.cancel"]["status"] == "canceled"
    assert [row["id"] for row in steps["ws.open_orders"]] == [steps["ws.order"]["id"]]
    assert len(steps["ws.cancel_all"]) == 1
    assert len(steps["ws.orders"]) == len(steps["ws.trades"]) == 5
    assert steps["ws.market"]["id"] in {row["order"] for row in steps["ws.my_trades"]}
    assert steps["ws.balance"]["total"] > 0
