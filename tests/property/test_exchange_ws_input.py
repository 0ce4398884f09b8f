"""Whatever a client sends to the exchange's WebSockets, it gets JSON back and nothing breaks."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.exchange.protocol.stream_names import parse_stream_name, parse_stream_url
from cryptotrader.exchange.protocol.streams.control import ControlSession
from cryptotrader.exchange.protocol.ws_api.envelope import BadRequest, Failure, failure, parse_request, success

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
METHODS = st.sampled_from(["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY", "x"])
CONTROL = st.fixed_dictionaries({}, optional={"method": METHODS | JSON, "params": JSON, "id": JSON})
REQUEST = st.fixed_dictionaries({}, optional={"method": JSON, "params": JSON, "id": JSON})


@given(st.text() | CONTROL.map(json.dumps))
def test_a_control_message_always_gets_an_answer(text: str) -> None:
    session = ControlSession(["a@trade"], combined=False, max_streams=4)
    reply = json.loads(session.receive(text).reply)
    assert ("result" in reply) != ("error" in reply)
    assert "id" in reply
    assert len(session.names) <= 4


@given(st.text() | REQUEST.map(json.dumps))
def test_a_request_is_understood_or_refused_in_json(text: str) -> None:
    try:
        request = parse_request(text)
    except BadRequest as bad:
        answer = json.loads(failure(bad.request_id, Failure(400, bad.refusal.code, bad.refusal.message), None))
        assert answer["error"]["code"] in (-1100, -1101, -1102, -1135)
        return
    answer = json.loads(success(request.id, {}, []))
    assert answer["id"] == json.loads(text)["id"] if "id" in json.loads(text) else answer["id"] is None
    assert all(isinstance(value, str) for value in request.params.values())


@given(st.text(), st.text())
def test_any_name_and_any_address_can_be_looked_at(path: str, query: str) -> None:
    parse_stream_name(path)
    url = parse_stream_url(f"/ws/{path}", query)
    assert url is not None
    assert len(set(url.names)) == len(url.names)
    parse_stream_url(path, query)
