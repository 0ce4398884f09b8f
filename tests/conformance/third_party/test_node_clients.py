"""Four clients for Node.js: @binance/spot, binance (by tiagosiebler), binance-api-node and node-binance-api."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_node_driver
from tests.support.client_books import check_books, check_run, check_told_again

CLIENTS = ("binance_spot", "binance", "binance_api_node", "node_binance_api")
OVER_BOTH = ("binance_spot", "binance")
"""Those that have the WebSocket API."""

CANCELLED = '{"code":-2011,"msg":"Unknown order sent."}'
REPLACED = '{"code":-2022,"msg":"Order cancel-replace failed."}'
REFUSED = {
    "binance_api_node": {"rest.refused.cancel": CANCELLED, "rest.refused.replace": REPLACED},
    "node_binance_api": {"rest.refused.cancel": f"Error: {CANCELLED}"},
} | {
    client: {f"{api}.refused.{call}": text for api in ("rest", "ws") for call, text in told.items()}
    for client in OVER_BOTH
    for told in [{"cancel": CANCELLED, "replace": REPLACED}]
}

CONNECTION = {"disconnect", "isConnected", "off", "on", "pingServer", "sendMessage", "sendSignedMessage"}
WITHOUT_ANSWER = {
    # Makes requests by their path.
    "rest": {"sendRequest", "sendSignedRequest"},
    # A session needs an Ed25519 key: test_sessions.py and test_binance_sdk_spot.py have one.
    "ws": CONNECTION | {"sessionLogon", "sessionLogout", "userDataStreamSubscribe", "userDataStreamUnsubscribe"},
    # Every stream is asked for by its own method; user data come over the WebSocket API.
    "streams": CONNECTION - {"sendMessage", "sendSignedMessage"}
    | {"isSubscribed", "subscribe", "unsubscribe", "userData"},
}
"""What @binance/spot has and is not called here."""

Reports = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def reports(exchange: str) -> Reports:
    # Most of their time they wait for a stream.
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        return dict(zip(CLIENTS, pool.map(lambda client: run_node_driver(client, exchange), CLIENTS), strict=True))


@pytest.mark.parametrize("client", CLIENTS)
def test_orders_of_every_kind_and_all_questions_are_answered(client: str, reports: Reports) -> None:
    report = reports[client]
    assert report["failures"] == REFUSED[client]
    # One client wants its own beginning of the names of orders, and says so.
    assert [text for text in report["warnings"] if "ClientOrderId' invalid" not in text] == []
    assert len(report["steps"]) > 100


@pytest.mark.parametrize("api", ["rest", "ws"])
@pytest.mark.parametrize("client", OVER_BOTH)
def test_what_is_told_of_orders_fills_and_balances_agrees(client: str, api: str, reports: Reports) -> None:
    steps = reports[client]["steps"]
    run = {name: value for name, value in steps.items() if name.startswith(f"{api}.")}
    check_run(run | {f"{api}.before": steps["rest.before"]}, api)


@pytest.mark.parametrize("client", ["binance_api_node", "node_binance_api"])
def test_the_books_of_clients_for_rest_alone_agree(client: str, reports: Reports) -> None:
    steps = reports[client]["steps"]
    check_books(*(steps[f"rest.{name}"] for name in ("before", "after", "orders", "trades")))
    placed = [name.removeprefix("rest.order.") for name in steps if name.startswith("rest.order.")]
    for kind in placed:
        if f"rest.get.{kind}" in steps:
            check_told_again(steps[f"rest.order.{kind}"], steps[f"rest.get.{kind}"])
    assert len(placed) >= 20


@pytest.mark.parametrize("client", OVER_BOTH)
def test_the_last_report_of_every_order_is_how_it_stands(client: str, reports: Reports) -> None:
    """Of what was placed over the WebSocket API: the client listens since then."""
    steps = reports[client]["steps"]
    last = {event["i"]: event for event in steps["events"] if event["e"] == "executionReport"}
    orders = {order["orderId"]: order for order in steps["told"]}
    assert len(last) > 30
    for number, event in last.items():
        order = orders[number]
        told = (event["X"], event["z"], event["Z"], event["q"], event["o"], event["S"])
        names = ("status", "executedQty", "cummulativeQuoteQty", "origQty", "type", "side")
        assert told == tuple(order[name] for name in names)


def test_every_call_of_binances_own_client_is_made(reports: Reports) -> None:
    """A method that a new version brings makes this fail until it is called, or named with a reason."""
    steps = reports["binance_spot"]["steps"]
    for kind, offered in steps["offered"].items():
        assert set(offered) - set(steps["called"][kind]) == WITHOUT_ANSWER[kind], kind


@pytest.mark.parametrize("client", ["binance_api_node", "node_binance_api"])
def test_streams_and_listen_keys_come_as_older_clients_expect_them(client: str, reports: Reports) -> None:
    steps = reports[client]["steps"]
    streams = {name for name in steps if name.startswith("stream.")}
    assert len(streams) == (11 if client == "binance_api_node" else 7)
    assert steps["listen_key"]
    assert steps["user.trade"]
