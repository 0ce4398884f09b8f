"""What the venue says, read."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.errors import (
    CryptotraderError,
    NotConnected,
    UnknownOutcome,
    VenueAuthError,
    VenueBanned,
    VenueRateLimited,
    VenueRejected,
    VenueTimeout,
)
from cryptotrader.services.binance.errors import TooManyOrders
from cryptotrader.services.binance.wsapi.replies import (
    CONNECTION_LOST,
    GIVEN_UP,
    NO_ANSWER,
    OUTCOME_UNKNOWN,
    Reply,
    VenueRefusal,
    event_kind,
    failure_envelope,
    is_clock_refusal,
    parse,
    reply_error,
)


def refused(status: int, code: int, msg: str = "no", data: object = None) -> Reply:
    error: dict[str, object] = {"code": code, "msg": msg}
    if data is not None:
        error["data"] = data
    return parse(msgspec.json.encode({"id": "a-1", "status": status, "error": error}))


def test_s4_12_the_documents_ban_says_how_long_by_its_own_clock() -> None:
    """``retryAfter`` is an absolute time; with ``serverTime`` no clock of ours matters (trap 18)."""
    text = "Way too much request weight used; IP banned until 1659146400000. Please use WebSocket Streams."
    error = reply_error(
        refused(418, -1003, text, {"serverTime": 1_659_142_907_531, "retryAfter": 1_659_146_400_000}), now_ms=5
    )
    assert type(error) is VenueBanned
    assert error.retry_after_s == pytest.approx(3_492.469)


def test_s4_12_without_the_servers_time_the_estimate_counts() -> None:
    error = reply_error(refused(429, -1003, data={"retryAfter": 10_500}), now_ms=10_000)
    assert type(error) is VenueRateLimited
    assert error.retry_after_s == 0.5


def test_s4_12_too_many_orders_concerns_orders_only() -> None:
    error = reply_error(refused(429, -1015, data={"serverTime": 0, "retryAfter": 9_000}), now_ms=0)
    assert type(error) is TooManyOrders
    assert error.retry_after_s == 9.0


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, -1121, VenueRejected),
        (400, -2010, VenueRejected),
        (401, -2015, VenueAuthError),
        (400, -1022, VenueAuthError),
        (400, -1007, VenueTimeout),
        (500, -1006, VenueTimeout),
        (504, 0, VenueTimeout),
        (403, 0, VenueRejected),
        (503, -1008, VenueRejected),
    ],
)
def test_s4_12_errors_are_told_apart_by_their_codes(status: int, code: int, kind: type[CryptotraderError]) -> None:
    assert type(reply_error(refused(status, code), now_ms=0)) is kind


def test_a_refusal_keeps_what_else_it_says() -> None:
    """``order.cancelReplace`` tells in ``data`` which half was done (409)."""
    data = {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE", "newOrderResponse": {"code": -2010, "msg": "no"}}
    error = reply_error(refused(409, -2021, data=data), now_ms=0)
    assert isinstance(error, VenueRefusal)
    assert (error.http_status, error.venue_code, error.data) == (409, -2021, data)


def test_a_half_with_an_unknown_end_makes_the_whole_unknown() -> None:
    data = {"cancelResult": "SUCCESS", "newOrderResult": "FAILURE", "newOrderResponse": {"code": -1007, "msg": "?"}}
    assert isinstance(reply_error(refused(409, -2021, data=data), now_ms=0), VenueTimeout)


def test_a_refused_timestamp_is_certain_only_as_a_refusal() -> None:
    assert is_clock_refusal(refused(400, -1021))
    assert not is_clock_refusal(refused(500, -1021))
    assert not is_clock_refusal(refused(400, -1022))


def test_data_of_an_unexpected_shape_does_no_harm() -> None:
    assert isinstance(reply_error(refused(429, -1003, data="soon"), now_ms=0), VenueRateLimited)
    assert isinstance(reply_error(refused(400, -1121, data=[1]), now_ms=0), VenueRejected)


def test_unknown_fields_and_ids_of_other_types_pass() -> None:
    reply = parse(
        b'{"id":null,"status":200,"result":[],"news":{"a":1},"rateLimits":[{"rateLimitType":"NEW",'
        b'"interval":"WEEK","intervalNum":1,"limit":1,"count":1,"x":2}]}'
    )
    assert reply.id is None
    assert reply.rate_limits is not None
    assert reply.rate_limits[0].rate_limit_type == "NEW"


def test_events_tell_their_kind() -> None:
    assert event_kind(parse(b'{"event":{"e":"serverShutdown","E":1}}').event) == "serverShutdown"
    assert event_kind(msgspec.Raw(b"[]")) == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnknownOutcome("?", symbol="BTCUSDT", client_order_id="ct1"), OUTCOME_UNKNOWN),
        (VenueTimeout("?"), NO_ANSWER),
        (NotConnected("?"), CONNECTION_LOST),
        (VenueRateLimited("?"), GIVEN_UP),
    ],
)
def test_replies_of_our_own_have_the_shape_of_a_reply_and_codes_that_binance_does_not_use(
    error: CryptotraderError, code: int
) -> None:
    """S4-11: a callback gets an answer even where none came, and can tell it from the venue's."""
    envelope = failure_envelope("a-1", error)
    assert (envelope["id"], envelope["status"], envelope["error"]["code"]) == ("a-1", 0, code)
    assert code < -10_000
    if isinstance(error, UnknownOutcome):
        assert envelope["error"]["data"] == {"symbol": "BTCUSDT", "clientOrderId": "ct1"}
