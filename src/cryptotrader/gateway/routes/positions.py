"""Positions and what protects them (S1-14, C-14, C-27)."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from cryptotrader.core.clock import to_ms
from cryptotrader.core.errors import Forbidden, InvalidParams
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.dialects.numbers import number
from cryptotrader.gateway.http.bodies import json_body
from cryptotrader.gateway.http.contract import Call, NoQuery
from cryptotrader.gateway.http.errors import HttpProblem
from cryptotrader.gateway.http.replies import value_reply
from cryptotrader.gateway.routes.venue import symbol_of
from cryptotrader.portfolio.protections import Protection
from cryptotrader.trading.positions.ports import Change, Discrepancy, NoPosition, PositionDesk, PositionView
from cryptotrader.trading.request import exact_number

NO_KEEPER = "No positions are kept for this account"


class TermsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The JSON body of ``PUT /api/v1/positions/{symbol}``: ``{"stop_loss": 41000, "trailing_stop": null}``."""

    stop_loss: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    take_profit: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    trailing_stop: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)

    def change(self) -> Change:
        """What it asks for.

        Raises:
            InvalidParams: It names nothing, or something is no exact number.
        """
        given = {name: bytes(getattr(self, name)) for name in self.__struct_fields__}
        if not any(given.values()):
            text = "Missing required parameter: stop_loss, take_profit or trailing_stop"
            raise InvalidParams(text, param="stop_loss", problem="missing")
        return Change(**{name: _scaled(name, lexeme) for name, lexeme in given.items()})


_body_decoder = msgspec.json.Decoder(TermsBody)


def _scaled(name: str, lexeme: bytes) -> int | UnsetType | None:
    if not lexeme:
        return UNSET
    if lexeme == b"null":
        return None
    try:
        return parse_scaled(exact_number(name, lexeme))
    except InvalidParams:
        raise
    except ValueError:
        text = f"Invalid {name}: no number of at most eight decimal places"
        raise InvalidParams(text, param=name, problem="malformed") from None


async def positions(call: Call[NoQuery]) -> Response:
    """What the account holds because of its trades, and where its balances say something else."""
    desk, exchange = _desk(call), call.services.exchange
    rows = [position_body(exchange, view) for view in await desk.all()]
    is_complete = desk.is_ready
    # Balances of what was not read yet would all look wrong.
    differences = desk.reconciliation() if is_complete else ()
    return value_reply(
        {
            "positions": rows,
            "complete": is_complete,
            "reconciliation": [_discrepancy(row) for row in differences],
            "timestamp": to_ms(call.services.clock.now_ns()),
        }
    )


async def position(call: Call[NoQuery]) -> Response:
    """One position, also of a symbol that was sold again."""
    symbol = await _symbol(call)
    try:
        view = await _desk(call).one(symbol)
    except NoPosition as error:
        raise HttpProblem(404, error.message) from None
    return value_reply(position_body(call.services.exchange, view))


async def protect(call: Call[NoQuery]) -> Response:
    """The position with its new protection."""
    if not call.services.may_trade:
        raise Forbidden("Live trading is switched off: set CRYPTOTRADER_LIVE_TRADING=true to use real money")
    symbol = await _symbol(call)
    change = (await json_body(call.request, _body_decoder)).change()
    try:
        view = await _desk(call).protect(symbol, change)
    except NoPosition as error:
        raise HttpProblem(404, error.message) from None
    return value_reply(position_body(call.services.exchange, view))


async def unprotect(call: Call[NoQuery]) -> Response:
    """The position, without protection."""
    symbol = await _symbol(call)
    try:
        view = await _desk(call).unprotect(symbol)
    except NoPosition as error:
        raise HttpProblem(404, error.message) from None
    return value_reply(position_body(call.services.exchange, view))


def _desk(call: Call[NoQuery]) -> PositionDesk:
    desk = call.account.positions
    if desk is None:
        raise Forbidden(NO_KEEPER)
    return desk


async def _symbol(call: Call[NoQuery]) -> str:
    return await symbol_of(call.services, call.request.path_params["symbol"])


def position_body(exchange: str, view: PositionView) -> dict[str, Any]:
    """S1-14's data and what else is known."""
    return {
        "symbol": view.symbol,
        "exchange": exchange,
        "timestamp": view.event_ms,
        "type": "spot",
        "side": "long",
        "amount": _exact(view.amount),
        "cost": _exact(view.cost),
        "average_price": _exact(view.average_price),
        "unrealized_pnl": _exact(view.unrealised_pnl),
        "unrealized_pnl_percentage": _exact(view.unrealised_percent),
        "liquidation_price": None,
        "stop_loss": _optional(view.stop_loss),
        "take_profit": _optional(view.take_profit),
        "trailing_stop": _optional(view.trailing_stop),
        "mark_price": _optional(view.mark or None),
        "realized_pnl": _exact(view.realised_pnl),
        "fees": [{"currency": asset, "cost": _exact(cost)} for asset, cost in view.fees],
        "untracked_sold": _exact(view.untracked_sold),
        "protection": None if view.protection is None else _protection(view.protection),
    }


def _protection(protection: Protection) -> dict[str, Any]:
    has_fired = protection.cause is not None
    return {
        "status": protection.phase.value,
        "stop_loss": _optional(protection.terms.stop_loss),
        "take_profit": _optional(protection.terms.take_profit),
        "trailing_stop": _optional(protection.terms.trailing_stop),
        "trailing_stop_price": _optional(protection.trailing_price),
        "set_at": protection.set_ms,
        "cause": protection.cause,
        "trigger_price": _exact(protection.trigger_price) if has_fired else None,
        "triggered_at": protection.fired_ms if has_fired else None,
        "is_late": protection.is_late,
        "amount": _exact(protection.qty),
        "filled": _exact(protection.filled),
        "client_order_id": protection.client_order_id if protection.qty else None,
        "detail": protection.detail,
    }


def _discrepancy(row: Discrepancy) -> dict[str, Any]:
    return {
        "asset": row.asset,
        "balance": _exact(row.balance),
        "positions": _exact(row.positions),
        "difference": _exact(row.difference),
    }


def _exact(value: int) -> msgspec.Raw:
    """A JSON number with every digit (C-14)."""
    return msgspec.Raw(number(value).encode())


def _optional(value: int | None) -> msgspec.Raw | None:
    return None if value is None else _exact(value)
