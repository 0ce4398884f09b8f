"""The contract that every request of Binance keeps: a module, a handler, golden messages, a line in the reference."""

from __future__ import annotations

import ast
import hashlib
import hmac
import inspect
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from cryptotrader.core.errors import VenueRateLimited, VenueRejected
from cryptotrader.exchange.accounts import SAMPLE_KEY_ID, SAMPLE_SECRET
from cryptotrader.exchange.protocol.auth import ws_payload
from cryptotrader.exchange.protocol.operations.dispatch import ENDPOINTS
from cryptotrader.exchange.protocol.ws_api.connection import SESSION_METHODS
from cryptotrader.exchange.protocol.ws_api.envelope import parse_request
from cryptotrader.services.binance import websocketAPI
from cryptotrader.services.binance.registry import SPECS, AnySpec
from cryptotrader.services.binance.validate import parse_params
from cryptotrader.services.binance.wsapi.replies import parse, reply_error
from tests.support.binance_requests import PAGE, parameters, render
from tests.support.request_modules import FOLDER, module_of, request_modules

GOLDEN = Path(__file__).parent / "golden" / "ws_api"

METHODS = """
ping time exchangeInfo executionRules depth trades.recent trades.historical blockTrades.historical trades.aggregate
klines uiKlines avgPrice ticker.24hr ticker.tradingDay ticker ticker.price ticker.book referencePrice
referencePrice.calculation session.logon session.status session.logout session.subscriptions order.place order.test
order.cancel order.cancelReplace order.amend.keepPriority openOrders.cancelAll orderList.place orderList.place.oco
orderList.place.oto orderList.place.otoco orderList.place.opo orderList.place.opoco orderList.cancel sor.order.place
sor.order.test account.status order.status openOrders.status allOrders orderList.status openOrderLists.status
allOrderLists myTrades account.rateLimits.orders myPreventedMatches myAllocations account.commission order.amendments
myFilters userDataStream.subscribe userDataStream.unsubscribe userDataStream.subscribe.signature
"""
"""Every method of ``web-socket-api.md`` of July 2026."""

RETIRED = {"userDataStream.start", "userDataStream.ping", "userDataStream.stop"}
"""Retired on 2026-02-20; source 4 wants them still."""

by_name = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
by_module = pytest.mark.parametrize("module", request_modules().values(), ids=lambda module: module.__name__)


def golden(spec: AnySpec) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{spec.method}.json").read_text("utf-8"))
    return found


def good_answers(spec: AnySpec) -> list[dict[str, Any]]:
    messages = golden(spec)
    return [messages["response"], *messages.get("variants", [])]


def assert_holds(read: Any, raw: Any, where: str = "") -> None:
    """Whatever stands in the raw message stands in the typed one, to the letter."""
    if isinstance(raw, dict):
        for name, value in raw.items():
            assert name in read, f"{where}.{name} is lost"
            assert_holds(read[name], value, f"{where}.{name}")
    elif isinstance(raw, list):
        assert len(read) == len(raw)
        for number, (one, other) in enumerate(zip(read, raw, strict=True)):
            assert_holds(one, other, f"{where}[{number}]")
    else:
        assert read == raw, where


def test_every_method_of_the_document_is_known_and_no_other() -> None:
    """S4-2: the thirty of source 4 and all that Binance has beside them."""
    assert {spec.method for spec in SPECS} == set(METHODS.split()) | RETIRED
    assert len({spec.rest for spec in SPECS if spec.rest}) == sum(bool(spec.rest) for spec in SPECS)


@by_module
def test_a_module_holds_one_request_that_the_registry_has(module: ModuleType) -> None:
    """S4-2: one request per module."""
    assert module.SPEC in SPECS
    assert sum(value is module.SPEC for value in vars(module).values()) == 1


@by_module
def test_a_module_begins_by_naming_its_request(module: ModuleType) -> None:
    """S4-5: the docstring says what it does and the method by which Binance knows it."""
    first = (module.__doc__ or "").strip().splitlines()[0]
    assert f"(``{module.SPEC.method}``)" in first


@by_module
def test_a_module_offers_the_function_of_its_request(module: ModuleType) -> None:
    """S4-5: its docstring states Endpoint, Method, Weight, Security Type, Args, Returns and Raises, today's."""
    spec: AnySpec = module.SPEC
    assert inspect.iscoroutinefunction(module.process_request)
    assert list(inspect.signature(module.process_request).parameters) == ["connection", "params", "callback"]
    text = inspect.getdoc(module.process_request) or ""
    assert f"Endpoint: {spec.rest or 'WebSocket API only'}\n" in text
    assert f"Method: {spec.method}\nWeight: {spec.weight_words}\nSecurity Type: {spec.security.value}\n" in text
    assert [part for part in ("Args:", "Returns:", "Raises:") if part not in text] == []
    assert all(name in text for name, _, _ in parameters(spec))


@by_name
def test_every_request_has_a_module_that_its_category_exports(spec: AnySpec) -> None:
    """S4-1, S4-3: a category's ``__init__`` exports its modules and holds no function and no class."""
    category, _, name = module_of(spec).rpartition(".")
    assert category in websocketAPI.__all__
    package = getattr(websocketAPI, category)
    assert name in package.__all__
    assert getattr(package, name).SPEC is spec


def test_no_init_defines_anything() -> None:
    """S4-3: neither a function nor a class, nor anything else but imports, docstring and ``__all__``."""
    for file in FOLDER.rglob("__init__.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            assert isinstance(node, ast.Import | ast.ImportFrom | ast.Assign | ast.Expr), f"{file}: {ast.dump(node)}"


@by_name
def test_the_paper_exchange_answers_it(spec: AnySpec) -> None:
    assert spec.method in SESSION_METHODS | {endpoint.spec.method for endpoint in ENDPOINTS}


@by_name
def test_the_golden_request_is_read_whole(spec: AnySpec) -> None:
    """S4-14: its parameters are valid, none is unknown, and they come out as they went in."""
    request = parse_request(json.dumps(golden(spec)["request"]))
    assert request.method == spec.method
    given = {name: text for name, text in request.params.items() if name not in ("apiKey", "timestamp", "signature")}
    if "symbols" in given:
        given["symbols"] = given["symbols"].replace(", ", ",")
    params = parse_params(spec, request.params)
    assert params.text() == given
    assert params.wire().keys() == given.keys()


@by_name
def test_the_golden_request_carries_what_its_security_wants(spec: AnySpec) -> None:
    """S4-9: and the signature is that of the sample secret over all parameters, sorted by name."""
    params = parse_request(json.dumps(golden(spec)["request"])).params
    if not spec.needs_key:
        assert not {"apiKey", "signature"} & set(params)
    elif spec.method == "userDataStream.subscribe":
        assert not params, "the session's key counts"
    else:
        assert ("signature" in params) == ("timestamp" in params) == spec.is_signed
        assert "apiKey" in params
    if spec.is_signed and spec.method != "session.logon":
        assert params["apiKey"] == SAMPLE_KEY_ID
        assert params["signature"] == hmac.new(SAMPLE_SECRET.encode(), ws_payload(params), hashlib.sha256).hexdigest()


@by_name
def test_every_golden_answer_is_read_and_loses_nothing(spec: AnySpec) -> None:
    """S4-14: a typed result with the amounts exactly as they came."""
    for answer in good_answers(spec):
        assert answer["status"] == 200
        result = msgspec.json.decode(json.dumps(answer["result"]), type=spec.result)
        assert_holds(msgspec.to_builtins(result), answer["result"])


@by_name
def test_fields_of_the_future_break_nothing(spec: AnySpec) -> None:
    """S4-14: a field more in every object, and a value that no enumeration has yet."""
    for answer in good_answers(spec):
        grown = _grown(answer["result"])
        result = msgspec.json.decode(json.dumps(grown), type=spec.result)
        for name in ("status", "type", "contingencyType", "calculationType", "allocationType"):
            if isinstance(grown, dict) and name in grown:
                assert msgspec.to_builtins(result)[name] == "SOMETHING_NEW"


def _grown(value: Any) -> Any:
    if isinstance(value, dict):
        new = {name: _grown(each) for name, each in value.items()}
        known = {"status", "type", "contingencyType", "calculationType", "allocationType"} & set(new)
        return new | dict.fromkeys(known, "SOMETHING_NEW") | {"aFieldOfTheFuture": [1]}
    return [_grown(each) for each in value] if isinstance(value, list) else value


@by_name
def test_every_golden_refusal_is_an_error_with_all_that_it_tells(spec: AnySpec) -> None:
    """S4-12: told apart by code and status; what became of the halves of a replacement is kept."""
    for answer in golden(spec).get("errors", []):
        error = reply_error(parse(json.dumps(answer)), now_ms=0)
        told = answer["error"]
        if answer["status"] == 429:
            assert isinstance(error, VenueRateLimited)
            continue
        assert isinstance(error, VenueRejected)
        assert (error.venue_code, error.http_status, error.message) == (told["code"], answer["status"], told["msg"])
        assert getattr(error, "data", None) == told.get("data")


def test_amounts_are_text_in_every_model() -> None:
    """S4-14: a price or a quantity as a float would no longer be what the venue said."""
    for spec in SPECS:
        for answer in good_answers(spec):
            result = msgspec.to_builtins(msgspec.json.decode(json.dumps(answer["result"]), type=spec.result))
            assert not _floats(result), spec.method


def _floats(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [found for each in value.values() for found in _floats(each)]
    if isinstance(value, list | tuple):
        return [found for each in value for found in _floats(each)]
    return [value] if isinstance(value, float) else []


def test_there_is_no_golden_message_without_a_request() -> None:
    assert {file.stem for file in GOLDEN.glob("*.json")} == {spec.method for spec in SPECS}


@by_name
def test_the_reference_has_a_line_for_it(spec: AnySpec) -> None:
    page = PAGE.read_text("utf-8")
    lines = [line for line in page.splitlines() if f"| `{spec.method}` |" in line]
    assert len(lines) == 1
    assert spec.rest in lines[0]
    assert spec.security.value in lines[0]
    assert f"| {spec.weight_words} |" in lines[0]
    assert spec.weight_words.startswith(tuple("123456789"))
    for name, _, is_needed in parameters(spec):
        assert re.search(rf"\*\*{name}\*\*" if is_needed else rf"[ ;]{name} ", lines[0]), name


def test_the_reference_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == render(), "run: make reference"


def test_models_say_where_they_come_from() -> None:
    """S4-14: every model of a result has a docstring of its own."""
    for spec in SPECS:
        for kind in _models(spec.result):
            assert kind.__doc__, kind
            assert inspect.getdoc(kind) != inspect.getdoc(kind.__mro__[1]), kind


def _models(kind: Any) -> list[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return [kind]
    return [found for part in getattr(kind, "__args__", ()) for found in _models(part)]
