"""Listen keys as clients of before 2026 know them (C-23): issued here, for this gateway's ``/ws/<key>``."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.responses import Response

from cryptotrader.core.errors import Forbidden, InvalidParams
from cryptotrader.gateway.http.contract import Call, NoQuery, Query
from cryptotrader.gateway.http.replies import value_reply
from cryptotrader.sessions.keys import Principal

DEPRECATION = {"Deprecation": "@1771570800"}
"""RFC 9745: the second at which Binance itself stopped serving listen keys, 2026-02-20 07:00 UTC. They work here."""


class ListenKeyQuery(Query, frozen=True, kw_only=True):
    """Which listen key."""

    listen_key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9]{1,128}$")]


async def start(call: Call[NoQuery]) -> Response:
    """The token's listen key to its account, valid for 60 minutes from now."""
    _ = call.account  # Without credentials there are no events to listen to.
    return _reply({"listenKey": call.services.listen_keys.issue(_holder(call))})


async def keep(call: Call[ListenKeyQuery]) -> Response:
    """Make a listen key valid for 60 minutes from now."""
    _require(call.services.listen_keys.extend(call.query.listen_key, _holder(call)))
    return _reply({})


async def stop(call: Call[ListenKeyQuery]) -> Response:
    """End a listen key."""
    _require(call.services.listen_keys.close(call.query.listen_key, _holder(call)))
    return _reply({})


def _holder(call: Call[NoQuery] | Call[ListenKeyQuery]) -> Principal:
    if call.principal is None:
        raise Forbidden("Token does not allow this")
    return call.principal


def _reply(value: dict[str, str]) -> Response:
    reply = value_reply(value)
    reply.headers.update(DEPRECATION)
    return reply


def _require(known: bool) -> None:
    if not known:
        raise InvalidParams("This listenKey does not exist", param="listenKey", problem="unknown")
