"""The control messages of ``web-socket-streams.md``, "Live Subscribing/Unsubscribing to streams"."""

from __future__ import annotations

import json

import pytest

from cryptotrader.exchange.protocol.streams.control import ControlSession

UNKNOWN_VARIANT = (
    "Invalid request: unknown variant `SUBSCRIB`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, "
    "`LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 27"
)


def reply_to(session: ControlSession, message: object) -> object:
    text = message if isinstance(message, str) else json.dumps(message)
    return json.loads(session.receive(text).reply)


@pytest.fixture
def session() -> ControlSession:
    return ControlSession(["btcusdt@trade"], combined=False)


def test_subscribing_adds_what_is_new_and_repeating_it_changes_nothing(session: ControlSession) -> None:
    message = json.dumps({"method": "SUBSCRIBE", "params": ["btcusdt@trade", "btcusdt@depth", "0"], "id": 1})
    first = session.receive(message)
    assert (first.reply, first.added) == (b'{"result":null,"id":1}', ("btcusdt@depth", "0"))
    again = session.receive(message)
    assert (again.reply, again.added) == (b'{"result":null,"id":1}', ())


def test_unsubscribing_removes_what_was_there_and_tolerates_the_rest(session: ControlSession) -> None:
    outcome = session.receive('{"method":"UNSUBSCRIBE","params":["btcusdt@trade","x@trade"],"id":312}')
    assert (outcome.reply, outcome.removed) == (b'{"result":null,"id":312}', ("btcusdt@trade",))
    assert session.names == ()


def test_subscriptions_are_listed_in_their_order(session: ControlSession) -> None:
    session.receive('{"method":"SUBSCRIBE","params":["b@trade","a@trade"],"id":1}')
    listed = reply_to(session, {"method": "LIST_SUBSCRIPTIONS", "id": 3})
    assert listed == {"result": ["btcusdt@trade", "b@trade", "a@trade"], "id": 3}


def test_the_combined_property_can_be_read_and_set(session: ControlSession) -> None:
    assert reply_to(session, {"method": "GET_PROPERTY", "params": ["combined"], "id": 2})["result"] is False  # type: ignore[index]
    assert reply_to(session, {"method": "SET_PROPERTY", "params": ["combined", True], "id": 5}) == {
        "result": None,
        "id": 5,
    }
    assert session.combined
    assert reply_to(session, {"method": "GET_PROPERTY", "params": ["combined"], "id": 2})["result"] is True  # type: ignore[index]


@pytest.mark.parametrize("request_id", [0, 1, -(2**63), 2**63 - 1, "1", "6f1c", "x" * 36, None, "é\ud800"])
def test_an_id_comes_back_with_its_type(session: ControlSession, request_id: object) -> None:
    reply = reply_to(session, {"method": "LIST_SUBSCRIPTIONS", "id": request_id})
    assert isinstance(reply, dict)
    assert reply["id"] == request_id
    assert type(reply["id"]) is type(request_id)


@pytest.mark.parametrize("request_id", [1.5, True, [1], {}, "x" * 37, 2**63])
def test_an_id_of_another_type_is_refused(session: ControlSession, request_id: object) -> None:
    assert reply_to(session, {"method": "LIST_SUBSCRIPTIONS", "id": request_id}) == {
        "error": {"code": 2, "msg": "Invalid request: request ID must be an unsigned integer"},
        "id": None,
    }


def test_a_missing_id_is_refused(session: ControlSession) -> None:
    reply = reply_to(session, {"method": "SUBSCRIBE", "params": ["a@trade"]})
    assert reply["error"]["code"] == 2  # type: ignore[index]
    assert session.names == ("btcusdt@trade",)


@pytest.mark.parametrize(
    ("text", "code", "msg"),
    [
        ("nonsense", 3, "Invalid JSON: expected value at line 1 column 1"),
        ('{"method":', 3, "Invalid JSON: expected value at line 1 column 11"),
        ('{"id":NaN}', 3, "Invalid JSON: expected value at line 1 column 1"),
        ("[" * 60_000, 3, "Invalid JSON: expected value at line 1 column 1"),
        ('{"id":7}', 2, "Invalid request: missing field `method` at line 1 column 8"),
        ("[]", 2, "Invalid request: missing field `method` at line 1 column 2"),
        (
            '{"id":7,"method":"SUBSCRIB","params":[]}',
            2,
            UNKNOWN_VARIANT,
        ),
        (
            '{"id":7,"method":"GET_PROPERTY","params":[]}',
            2,
            "Invalid request: property name must be a string",
        ),
        (
            '{"id":7,"method":"GET_PROPERTY","params":[3]}',
            2,
            "Invalid request: property name must be a string",
        ),
        ('{"id":7,"method":"GET_PROPERTY","params":["combined",1]}', 2, "Invalid request: too many parameters"),
        ('{"id":7,"method":"GET_PROPERTY","params":["colour"]}', 0, "Unknown property"),
        ('{"id":7,"method":"SET_PROPERTY","params":["combined",1]}', 1, "Invalid value type: expected Boolean"),
        ('{"id":7,"method":"SET_PROPERTY","params":["combined"]}', 1, "Invalid value type: expected Boolean"),
    ],
)
def test_a_bad_message_gets_the_documented_error(session: ControlSession, text: str, code: int, msg: str) -> None:
    reply = reply_to(session, text)
    assert reply == {"error": {"code": code, "msg": msg}, "id": 7 if text.startswith('{"id":7') else None}


@pytest.mark.parametrize("params", ["", ',"params":"a@trade"', ',"params":[1]', f',"params":["{"x" * 129}"]'])
def test_subscribing_needs_a_list_of_names(session: ControlSession, params: str) -> None:
    reply = reply_to(session, f'{{"method":"SUBSCRIBE","id":1{params}}}')
    assert reply["error"]["code"] == 2  # type: ignore[index]
    assert session.names == ("btcusdt@trade",)


def test_a_connection_listens_to_1024_streams_and_no_more() -> None:
    session = ControlSession([f"{n}@trade" for n in range(1_023)], combined=True)
    refused = reply_to(session, {"method": "SUBSCRIBE", "params": ["a@trade", "b@trade"], "id": 1})
    assert refused["error"]["code"] == 2  # type: ignore[index]
    assert len(session.names) == 1_023
    assert reply_to(session, {"method": "SUBSCRIBE", "params": ["a@trade"], "id": 1}) == {"result": None, "id": 1}
