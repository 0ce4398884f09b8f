"""``/admin/accounts/{account}/fills``: an account's fills and why each of them happened, which Binance tells nobody."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.core.scaled import format_scaled
from cryptotrader.exchange.engine.accounts import FillQuery
from cryptotrader.exchange.engine.orders import NO_TRADE, Fill
from cryptotrader.exchange.protocol.admin.guard import Guard, Problem, answer
from cryptotrader.exchange.protocol.admin.keys import named_account
from cryptotrader.exchange.protocol.operations import Desk

DEFAULT_ROWS = 100
"""Fills that are shown where nothing is said. Unit: fills. Reason: the latest few are what somebody looks for."""

MAX_ROWS = 1_000
"""Most fills of one answer. Unit: fills. Reason: as many as ``myTrades`` gives."""

MAX_DIGITS = 18
"""Longest number that is read. Reason: it fits into 64 bits."""


class FillRoutes:
    """Tell of fills.

    Args:
        desk: Has the venue.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self, guard: Guard) -> list[Route]:
        """For the exchange's application."""
        return [guard.route("/admin/accounts/{account}/fills", get=self._list)]

    async def _list(self, request: Request) -> Response:
        venue, account = self._desk.venue, named_account(self._desk, request)
        symbol = request.query_params.get("symbol", "")
        if symbol not in venue.rules:
            raise Problem("No such symbol.", 404)
        order_id = _number(request, "order_id")
        limit = min(_number(request, "limit") or DEFAULT_ROWS, MAX_ROWS)
        fills = venue.fills(account.id, symbol, FillQuery(order_id=order_id, limit=limit))
        routed = venue.allocations(account.id, symbol, order_id=order_id, limit=limit)
        found = sorted((*fills, *routed), key=lambda fill: fill.time_ms)
        return answer([_shown(fill) for fill in found[-limit:]])


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise Problem(f"{name} must be a number.")
    return int(text)


def _shown(fill: Fill) -> dict[str, object]:
    is_trade = fill.allocation_id == NO_TRADE
    return {
        "order_id": fill.order_id,
        "trade_id" if is_trade else "allocation_id": fill.trade_id if is_trade else fill.allocation_id,
        "time_ms": fill.time_ms,
        "side": "BUY" if fill.is_buyer else "SELL",
        "price": format_scaled(fill.price),
        "qty": format_scaled(fill.qty),
        "commission": format_scaled(fill.commission),
        "commission_asset": fill.commission_asset,
        "is_maker": fill.is_maker,
        "why": fill.why,
    }
