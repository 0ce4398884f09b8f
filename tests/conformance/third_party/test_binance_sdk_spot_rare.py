"""binance-sdk-spot and the rarer requests: answers of the declared types, refusals in the venue's words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.third_party.conftest import run_driver

REFUSED: dict[str, tuple[int, str]] = {
    "referencePrice": (-2043, "This symbol doesn't have a reference price."),
    "referencePrice.calculation": (-2043, "This symbol doesn't have a reference price."),
    "orderList.status": (-2013, "Order does not exist."),
    "orderList.cancel": (-2011, "Unknown order sent."),
    "amend": (-2038, "Unknown order sent."),
}
"""Step to code and text."""

EMPTY = ("myPreventedMatches", "amendments")

LISTS = {"oco.old": 2, "oco": 2, "oto": 2, "otoco": 3, "opo": 2, "opoco": 3}
"""Step to how many orders the list has."""

CONDITIONAL = {"orderReports[].stopPrice", "expiryReason", "usedSor", "workingFloor"}
"""Fields of orders that the client's models do not all declare."""

ABOUT_REFUSALS = ("Error received from server for request", "Connection with user closed: {'code'")
"""How this client logs any refusal over the WebSocket API."""


@pytest.fixture(scope="module")
def report(exchange: str) -> dict[str, Any]:
    return run_driver("binance-sdk-spot", exchange, driver="binance_sdk_spot_rare")


def test_no_answer_differs_from_the_declared_types(report: dict[str, Any]) -> None:
    """S4-14: the client warns where a type or a name differs from Binance's."""
    assert [text for text in report["warnings"] if not text.startswith(ABOUT_REFUSALS)] == []
    unknown = {step: value["unknown"] for step, value in report["steps"].items() if step.startswith("rest.")}
    strange = {step: {name.lstrip(".") for name in names} - CONDITIONAL for step, names in unknown.items()}
    assert {step: names for step, names in strange.items() if names} == {}


def test_refusals_reach_the_client_with_number_and_text(report: dict[str, Any]) -> None:
    failures = report["failures"]
    for step, answer in REFUSED.items():
        assert failures.pop(f"rest.{step}") == f"BadRequestError: {answer}"
        code, text = answer
        # The document shows one of them, about the reference price, as the result of a good answer.
        whole = report["steps"][f"ws.{step}"]["data"]
        told = whole["result"] if step == "referencePrice" else whole["error"]
        assert (told["code"], told["msg"]) == (code, text)
    assert failures.pop("rest.replace.none").startswith("BadRequestError: (-2022,")
    assert "Order cancel-replace partially failed." in failures.pop("rest.replace.half")
    assert not failures


def test_an_order_is_replaced_over_rest_and_over_the_websocket_api(report: dict[str, Any]) -> None:
    for told in (report["steps"]["rest.replace"]["data"], report["steps"]["ws.replace"]["data"]["result"]):
        assert (told["cancelResult"], told["newOrderResult"]) == ("SUCCESS", "SUCCESS")
        assert told["cancelResponse"]["status"] == "CANCELED"
        assert told["newOrderResponse"]["status"] == "NEW"


def test_order_lists_are_placed_on_a_market_that_moves(report: dict[str, Any]) -> None:
    for step, count in LISTS.items():
        for told in (report["steps"][f"rest.{step}"]["data"], report["steps"][f"ws.{step}"]["data"]["result"]):
            assert told["listOrderStatus"] == "EXECUTING"
            assert len(told["orders"]) == len(told["orderReports"]) == count
    assert report["steps"]["rest.sor"]["data"]["usedSor"] is True


def test_what_there_is_none_of_is_empty(report: dict[str, Any]) -> None:
    for step in EMPTY:
        assert report["steps"][f"rest.{step}"]["data"] == []
        assert report["steps"][f"ws.{step}"]["data"]["result"] == []
    assert report["steps"]["rest.executionRules"]["data"]["symbolRules"] == [{"symbol": "BTCUSDT", "rules": []}]
    assert len(report["steps"]["rest.executionRules.all"]["data"]["symbolRules"]) >= 10
