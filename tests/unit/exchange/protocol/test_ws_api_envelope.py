"""Requests and answers of the WebSocket API as text (``web-socket-api.md``, "Request format", "Response format")."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from cryptotrader.exchange.protocol.auth import ws_payload
from cryptotrader.exchange.protocol.ws_api.envelope import BadRequest, Failure, failure, parse_request, success

DOC_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
"""The secret of the document's own example."""

DOC_PARAMS = """"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01000000",
    "price": "52000.00", "recvWindow": 100, "timestamp": 1645423376532,
    "apiKey": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A", "signature": "x\""""

DOC_PARAMS_WIDE = (
    DOC_PARAMS.replace("BTCUSDT", "１２３４５６")
    .replace("SELL", "BUY")
    .replace("0.01000000", "1.00000000")
    .replace("52000.00", "0.10000000")
    .replace("100,", "5000,")
)


@pytest.mark.parametrize(
    ("params", "signature"),
    [
        (DOC_PARAMS, "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24"),
        (DOC_PARAMS_WIDE, "b33892ae8e687c939f4468c6268ddd4c40ac1af18ad19a064864c47bae0752cd"),
    ],
)
def test_the_documents_own_examples_are_signed_as_they_say(params: str, signature: str) -> None:
    request = parse_request(
        f'{{"id":"4885f793-e5ad-4c3b-8f6c-55d891472b71","method":"order.place","params":{{{params}}}}}'
    )
    payload = ws_payload(request.params)
    assert hmac.new(DOC_SECRET.encode(), payload, hashlib.sha256).hexdigest() == signature


def test_values_keep_the_form_in_which_they_were_written() -> None:
    text = (
        '{"id":1,"method":"m","params":{"a":100.0,"b":1e-05,"c":0.10,"d":true,"e":null,"f":["X", "Y"],'
        '"g":"\\u00e9","h":9999999999999999999999}}'
    )
    assert parse_request(text).params == {
        "a": "100.0",
        "b": "1e-05",
        "c": "0.10",
        "d": "true",
        "f": '["X", "Y"]',
        "g": "é",
        "h": "9999999999999999999999",
    }


def test_a_version_in_front_of_the_method_is_accepted() -> None:
    assert parse_request('{"id":1,"method":"v3/order.place"}').method == "order.place"


@pytest.mark.parametrize("raw", ["1", '"a"', "null", "-5", "123456789012345678901234567890", '"\\u0041"'])
def test_an_id_comes_back_as_it_was_written(raw: str) -> None:
    request = parse_request(f'{{"method":"ping", "id" : {raw} }}')
    assert success(request.id, {}, None) == f'{{"id":{raw},"status":200,"result":{{}}}}'.encode()


@pytest.mark.parametrize("raw", ["1.5", "true", "[]", "{}", "1e3"])
def test_an_id_of_another_kind_is_refused(raw: str) -> None:
    with pytest.raises(BadRequest) as bad:
        parse_request(f'{{"method":"ping","id":{raw}}}')
    assert bad.value.refusal.code == -1100


@pytest.mark.parametrize(
    ("text", "flag"), [("", None), ('"returnRateLimits":true', True), ('"returnRateLimits":false', False)]
)
def test_rate_limits_can_be_asked_for(text: str, flag: bool | None) -> None:
    assert parse_request(f'{{"id":1,"method":"ping","params":{{{text}}}}}').return_rate_limits is flag


def test_more_parameters_than_any_request_has_are_refused() -> None:
    params = {f"p{number}": 1 for number in range(65)}
    with pytest.raises(BadRequest) as bad:
        parse_request(json.dumps({"id": 9, "method": "ping", "params": params}))
    assert (bad.value.request_id, bad.value.refusal.code) == (b"9", -1101)


def test_a_failure_has_code_text_and_where_it_helps_the_time_to_come_back() -> None:
    data: dict[str, object] = {"serverTime": 1, "retryAfter": 2}
    assert json.loads(failure(b"1", Failure(429, -1003, "Too much.", data), [])) == {
        "id": 1,
        "status": 429,
        "error": {"code": -1003, "msg": "Too much.", "data": data},
        "rateLimits": [],
    }
    assert json.loads(failure(b"null", Failure(400, -1121, "Invalid symbol."), None)) == {
        "id": None,
        "status": 400,
        "error": {"code": -1121, "msg": "Invalid symbol."},
    }
