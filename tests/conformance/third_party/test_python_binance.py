"""python-binance: asyncio, compressed streams, a depth cache, the user socket over the WebSocket API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_driver

REFUSED = {
    "refused.lot": "BinanceAPIException: APIError(code=-1013): Filter failure: LOT_SIZE",
    "refused.notional": "BinanceAPIException: APIError(code=-1013): Filter failure: NOTIONAL",
    "refused.symbol": "BinanceAPIException: APIError(code=-1121): Invalid symbol.",
    "ws.refused": "BinanceAPIException: APIError(code=-2013): Order does not exist.",
}


@pytest.fixture(scope="module")
def report(exchange: str) -> dict[str, Any]:
    return run_driver("python-binance", exchange)


@pytest.fixture(scope="module")
def steps(report: dict[str, Any]) -> dict[str, Any]:
    return dict(report["steps"])


def test_everything_is_answered_and_refusals_have_binances_words(report: dict[str, Any]) -> None:
    """C-23: REST, streams, WebSocket API, user data, and listen keys, which the client still can ask for."""
    assert report["failures"] == REFUSED
    assert not report["warnings"]
    assert len([step for step in report["steps"] if step.startswith("ws.")]) >= 27


def test_market_data_comes_over_rest(steps: dict[str, Any]) -> None:
    """Some programs take the tick size from the first filter, whatever it is."""
    assert steps["first_filter"] == "PRICE_FILTER"
    assert len(steps["klines"]) == 100
    # The client pages through candles by itself.
    assert 12 <= len(steps["historical_klines"]) <= 13
    assert len(steps["all_tickers"]) == len(steps["orderbook_tickers"]) == 60


def test_orders_over_rest_end_as_they_should(steps: dict[str, Any]) -> None:
    assert steps["test_order"] == {}
    assert (steps["order"]["status"], steps["order.cancel"]["status"]) == ("NEW", "CANCELED")
    assert [row["orderId"] for row in steps["open_orders"]] == [steps["order"]["orderId"]]
    assert (steps["buy"]["status"], steps["sell"]["status"]) == ("FILLED", "FILLED")
    assert [row["orderId"] for row in steps["cancel_all"]] == [steps["limit_buy"]["orderId"]]
    assert steps["sell"]["orderId"] in {row["orderId"] for row in steps["my_trades"]}
    assert float(steps["asset_balance"]["free"]) > 0


def test_every_stream_comes_compressed(steps: dict[str, Any]) -> None:
    """The client offers ``permessage-deflate; client_max_window_bits``."""
    sockets = {step: value for step, value in steps.items() if step.startswith("socket.")}
    assert len(sockets) == 11
    for value in sockets.values():
        assert value["extensions"] == ["permessage-deflate"]
        assert value["message"]
    assert set(steps["socket.multiplex"]["message"]) == {"stream", "data"}


def test_a_depth_cache_follows_without_missing_a_difference(steps: dict[str, Any]) -> None:
    """It loads one more where the first difference begins before the snapshot, and then only where one is missing."""
    cache = steps["depth_cache"]
    assert cache["snapshots"] <= 2
    assert len(cache["tops"]) == 20
    # Right after the second snapshot the client may apply differences that are older.
    assert all(bid < ask for bid, ask in cache["tops"][-10:])
    assert cache["levels"] > 100


def test_the_user_socket_tells_of_orders(steps: dict[str, Any]) -> None:
    """C-23: subscribed by signature on the connection that also places orders."""
    assert steps["user.new"]["i"] == steps["user.canceled"]["i"] == steps["ws.order"]["orderId"]
    assert steps["user.trade"]["i"] == steps["ws.market"]["orderId"]
    assert {row["a"] for row in steps["user.position"]["B"]} >= {"BTC", "USDT"}


def test_listen_keys_can_be_had(steps: dict[str, Any]) -> None:
    """C-23, C-24."""
    assert len(steps["listen_key"]) == 64
    assert steps["listen_key.kept"] == steps["listen_key.closed"] == {}
