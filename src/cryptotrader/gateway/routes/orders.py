"""Placing and cancelling orders (S0-20 to S0-25, S0-28)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from cryptotrader.core.errors import Forbidden, InvalidParams
from cryptotrader.gateway.http.bodies import json_body
from cryptotrader.gateway.http.contract import Call, NoQuery
from cryptotrader.gateway.http.errors import CLIENT_ORDER_ID_HEADER
from cryptotrader.gateway.http.replies import json_reply
from cryptotrader.gateway.routes.account import OrderName, OrderQuery
from cryptotrader.gateway.routes.market import SymbolQuery
from cryptotrader.gateway.routes.venue import MODE_HEADER, ask, symbol_of
from cryptotrader.services.binance.websocketAPI.trading_requests.cancel_open_orders import SPEC as CANCEL_ALL
from cryptotrader.trading.orders import Placed
from cryptotrader.trading.request import OrderBody, OrderRequest, order_request

IDEMPOTENCY_HEADER = "Idempotency-Key"
REPLAY_HEADER = "Idempotent-Replayed"
IDEMPOTENCY_PATTERN = r"^[\x21-\x7e]{1,255}$"
"""Printable, no spaces. At most 255 characters, as other interfaces with such keys have it."""

_KEY = re.compile(IDEMPOTENCY_PATTERN)
_body_decoder = msgspec.json.Decoder(OrderBody)


class CancelQuery(OrderQuery, frozen=True, kw_only=True):
    """Which order to cancel, and optionally only in some state."""

    new_client_order_id: OrderName | None = None
    cancel_restrictions: (
        Annotated[Literal["ONLY_NEW", "ONLY_PARTIALLY_FILLED"], msgspec.Meta(description="Cancel only in this state")]
        | None
    ) = None


async def place(call: Call[NoQuery]) -> Response:
    """Place an order once; the answer is the venue's own."""
    _may_trade(call)
    order = await _order(call)
    placed = await call.account.orders.place(call.owner, order, idempotency_key=_idempotency_key(call))
    return json_reply(placed.body, headers=_headers(call, placed))


async def check(call: Call[NoQuery]) -> Response:
    """Have the venue check an order without placing it."""
    return json_reply(await call.account.orders.test(await _order(call)))


async def cancel(call: Call[CancelQuery]) -> Response:
    """Cancel one order."""
    _may_trade(call)
    which = call.query.which(await symbol_of(call.services, call.query.symbol))
    if call.query.new_client_order_id is not None:
        which["newClientOrderId"] = call.query.new_client_order_id
    if call.query.cancel_restrictions is not None:
        which["cancelRestrictions"] = call.query.cancel_restrictions
    return json_reply(await call.account.orders.cancel(which), headers=[(MODE_HEADER, call.services.mode)])


async def cancel_all(call: Call[SymbolQuery]) -> Response:
    """Cancel every order of a symbol that still stands."""
    _may_trade(call)
    symbol = await symbol_of(call.services, call.query.symbol)
    body = await ask(call.account, CANCEL_ALL, {"symbol": symbol})
    return json_reply(body, headers=[(MODE_HEADER, call.services.mode)])


def _may_trade(call: Call[NoQuery] | Call[CancelQuery] | Call[SymbolQuery]) -> None:
    if not call.services.may_trade:
        raise Forbidden("Live trading is switched off: set CRYPTOTRADER_LIVE_TRADING=true to use real money")


async def _order(call: Call[NoQuery]) -> OrderRequest:
    """The order in the body, checked, with its symbol in the venue's spelling."""
    body = await json_body(call.request, _body_decoder)
    return order_request(body, await symbol_of(call.services, body.symbol))


def _idempotency_key(call: Call[NoQuery]) -> str | None:
    keys = call.request.headers.getlist(IDEMPOTENCY_HEADER)
    # Two keys are one with a comma and a space in it, as HTTP has it, and so no key.
    key = ", ".join(keys) if keys else None
    if key is not None and not _KEY.fullmatch(key):
        text = f"Invalid {IDEMPOTENCY_HEADER}: 1 to 255 printable characters without spaces"
        raise InvalidParams(text, param=IDEMPOTENCY_HEADER, problem="malformed")
    return key


def _headers(call: Call[NoQuery], placed: Placed) -> list[tuple[str, str]]:
    headers = [(MODE_HEADER, call.services.mode), (CLIENT_ORDER_ID_HEADER, placed.client_order_id)]
    if placed.is_replay:
        headers.append((REPLAY_HEADER, "true"))
    return headers
