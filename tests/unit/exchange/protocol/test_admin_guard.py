"""Who gets through the exchange's back door."""

from __future__ import annotations

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from cryptotrader.exchange.protocol.admin import Guard
from cryptotrader.exchange.protocol.admin.guard import answer

ELSEWHERE, HERE = "192.0.2.7", "127.0.0.1"


async def _greet(request: Request) -> Response:
    return answer({})


async def status(token: str | None, *, host: str, bearer: str | None = None) -> int:
    """What a request gets."""
    app = Starlette(routes=[Guard(token).route("/admin/x", get=_greet)])
    headers = {} if bearer is None else {"Authorization": bearer}
    transport = httpx2.ASGITransport(app, client=(host, 1))
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        return (await client.get("/admin/x", headers=headers)).status_code


@pytest.mark.parametrize(
    ("token", "bearer", "expected"),
    [
        (None, None, 403),
        (None, "Bearer None", 403),
        ("right", None, 403),
        ("right", "Bearer wrong", 403),
        ("right", "Basic right", 403),
        ("right", "Bearer right", 200),
        ("right", "bearer  right", 200),
    ],
)
async def test_another_machine_needs_the_token(token: str | None, bearer: str | None, expected: int) -> None:
    assert await status(token, host=ELSEWHERE, bearer=bearer) == expected


async def test_this_machine_needs_none() -> None:
    assert await status("right", host=HERE) == 200
    assert await status(None, host="::1") == 200
    assert await status(None, host="testclient") == 403
