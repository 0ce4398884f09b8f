"""What an error answer means."""

from __future__ import annotations

import json

import pytest

from cryptotrader.core.errors import (
    VenueAuthError,
    VenueBanned,
    VenueError,
    VenueRateLimited,
    VenueRejected,
    VenueTimeout,
)
from cryptotrader.services.binance.restAPI.errors import TooManyOrders, error_of

NOW_MS = 1_700_000_000_000


def error(status: int, code: int = 0, text: str = "", **headers: str) -> VenueError:
    body = json.dumps({"code": code, "msg": text}).encode() if code else b"<html>oops</html>"
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return error_of(status, body, names, now_ms=NOW_MS)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, -1121, VenueRejected),
        (400, -2010, VenueRejected),
        (400, -2013, VenueRejected),
        (400, -1021, VenueRejected),
        (401, -2014, VenueAuthError),
        (401, -2015, VenueAuthError),
        (400, -1022, VenueAuthError),
        (401, 0, VenueAuthError),
        (429, -1003, VenueRateLimited),
        (429, 0, VenueRateLimited),
        (429, -1015, TooManyOrders),
        (418, -1003, VenueBanned),
        (503, -1007, VenueTimeout),
        (408, -1007, VenueTimeout),
        (502, 0, VenueTimeout),
        (503, -1008, VenueRejected),
        (403, 0, VenueRejected),
        (404, 0, VenueRejected),
    ],
)
def test_s0_54_each_answer_has_one_meaning(status: int, code: int, kind: type[VenueError]) -> None:
    assert type(error(status, code, "text")) is kind


def test_the_venues_code_and_text_are_kept() -> None:
    refused = error(400, -1121, "Invalid symbol.")
    assert isinstance(refused, VenueRejected)
    assert (refused.venue_code, refused.message, refused.http_status) == (-1121, "Invalid symbol.", 400)


def test_s0_57_the_wait_is_the_header_then_the_end_of_the_ban_then_a_minute() -> None:
    assert error(429, -1003, retry_after="17").retry_after_s == 17
    until = f"Way too much request weight used; IP banned until {NOW_MS + 90_000}."
    assert error(418, -1003, until).retry_after_s == 90
    assert error(418, -1003, "banned").retry_after_s == 60
    assert error(429, retry_after="soon").retry_after_s == 60


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"code":"x"}', b'{"code":1e99}', b"\xff"])
def test_any_body_is_survived(body: bytes) -> None:
    assert isinstance(error_of(400, body, {}, now_ms=0), VenueRejected)
