"""python-binance: orders of every kind over three sets of calls, their events, and all that the client has for spot."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_before_still_markets, run_driver
from tests.support.client_books import check_run

APIS = ("rest", "plain", "ws")

REFUSED = {f"{api}.refused.cancel": "APIError(code=-2011): Unknown order sent." for api in APIS}
REFUSED |= {f"{api}.refused.replace": "APIError(code=-2022): Order cancel-replace failed." for api in APIS}
REFUSED |= {
    # The client asks for a path without ``order/``.
    "helper.replace": "APIError(code=-1020): Path not found.",
    # ... signs what Binance takes without a signature, and has then no key to keep.
    "plain.listen_key": "APIError(code=-1101): Too many parameters; expected '0' and received '3'.",
    "plain.listen_key.kept": "APIError(code=-1102): Mandatory parameter 'listenKey' was not sent, was empty/null,"
    " or malformed.",
    "plain.listen_key.closed": "APIError(code=-1102): Mandatory parameter 'listenKey' was not sent, was empty/null,"
    " or malformed.",
}

OTHER_PRODUCTS = re.compile(
    "futures|margin|papi|options|sub_?account|savings|staking|gift|lend|simple_earn|transfer|universal|coin_|portfolio"
    "|index_price|mark_price|convert_|liability|fixed_activity|hourly_interest|left_quota|stake_asset"
)
"""What Binance serves on other hosts or under ``/sapi``."""

WALLET = re.compile(
    "withdraw|deposit|dust|funding_wallet|user_asset|asset_details|dividend|trade_fee|coins_info|snapshot|fiat|_pay_|c2c"
    "|api_permissions|api_trading_status|account_status|system_status|delist_schedule"
)
"""Wallets and the account as a customer's: ``/sapi``."""

WITHOUT_ANSWER = {
    "AsyncClient": {
        "close_connection": "it takes the client ten seconds",
        "encode_uri_component": "makes no request",
        "uuid22": "makes no request",
        "get_products": "reads a page of the exchange's web site",
    },
    "BinanceSocketManager": {
        "book_ticker_socket": "!bookTicker, which Binance has removed in December 2022",
        "ticker_socket": "!ticker@arr, which Binance has removed in March 2026",
    },
}


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return run_before_still_markets("python-binance", "python_binance_orders")


@pytest.fixture(scope="module")
def steps(report: dict[str, Any]) -> dict[str, Any]:
    return dict(report["steps"])


def test_orders_and_lists_of_every_kind_are_taken(report: dict[str, Any]) -> None:
    assert report["failures"] == {step: f"BinanceAPIException: {text}" for step, text in REFUSED.items()}
    assert report["warnings"] == []
    assert len(report["steps"]) > 400


def test_every_call_for_spot_is_made(exchange: str, steps: dict[str, Any]) -> None:
    """A method that a new version of the client brings makes this fail until it is called, or named with a reason."""
    called = run_driver("python-binance", exchange)["steps"]["called"]
    for kind, offered in steps["offered"].items():
        left = set(offered) - set(steps["called"][kind]) - set(called[kind])
        spot = {name for name in left if not OTHER_PRODUCTS.search(name) and not WALLET.search(name)}
        assert spot == WITHOUT_ANSWER[kind].keys(), kind


@pytest.mark.parametrize("api", APIS)
def test_what_is_told_of_orders_fills_and_balances_agrees(api: str, steps: dict[str, Any]) -> None:
    run = {name: value for name, value in steps.items() if name.startswith(f"{api}.")}
    # What the runs before traded is among the rows of the later ones; the client has no call for lists of old.
    run[f"{api}.before"] = steps["rest.before"]
    run.setdefault(f"{api}.lists", steps["plain.lists"])
    check_run(run, api)


def test_calls_that_fill_in_side_and_type_place_what_they_are_named_for(steps: dict[str, Any]) -> None:
    for name in ("order_limit", "order_limit_buy", "order_limit_sell"):
        for over in ("", "ws_"):
            placed = steps[f"helper.{over}{name}"]
            assert (placed["type"], placed["status"]) == ("LIMIT", "NEW")
    for name in ("order_market", "order_market_buy", "order_market_sell"):
        for over in ("", "ws_"):
            assert steps[f"helper.{over}{name}"]["status"] == "FILLED"
    for side in ("buy", "sell"):
        assert steps[f"helper.order_oco_{side}"]["contingencyType"] == "OCO"
    assert len(steps["helper.clear"]) == 6 + 2


def test_the_last_report_of_every_order_is_how_it_stands(steps: dict[str, Any]) -> None:
    """Every order of all three runs was told of by the user socket, and the last that was told of it is true."""
    last = {event["i"]: event for event in steps["events"] if event["e"] == "executionReport"}
    orders = {order["orderId"]: order for order in steps["orders"]}
    assert last.keys() == orders.keys()
    for number, order in orders.items():
        event = last[number]
        told = (event["X"], event["z"], event["Z"], event["q"], event["o"], event["S"])
        names = ("status", "executedQty", "cummulativeQuoteQty", "origQty", "type", "side")
        assert told == tuple(order[name] for name in names)
