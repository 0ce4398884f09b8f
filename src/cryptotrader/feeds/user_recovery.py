"""Finds out what happened in the account while nobody listened."""

from __future__ import annotations

from cryptotrader.core.clock import to_ms
from cryptotrader.core.errors import VenueRejected
from cryptotrader.feeds.base import VenueRest
from cryptotrader.feeds.catalogue import SymbolCatalogue
from cryptotrader.feeds.reports import Event, account_position, missed_reports
from cryptotrader.feeds.user_memory import UserMemory, differing
from cryptotrader.net.clock import WaitingClock
from cryptotrader.services.binance.models.account import Account, AccountTrade
from cryptotrader.services.binance.models.orders import OrderReport
from cryptotrader.services.binance.websocketAPI.account_requests import (
    acct_order_history,
    acct_trade_history,
    get_user_acct_info,
)
from cryptotrader.services.binance.websocketAPI.general_requests import server_time
from cryptotrader.services.binance.websocketAPI.trading_requests import current_open_orders, query_order

PAGE = 1_000
"""Rows per request, the most that Binance gives."""

MAX_PAGES = 10
"""Pages of fills per symbol in one recovery. Reason: ten thousand fills in one outage are beyond any spot account's
order limits for the longest outage that a process sits out."""

MAX_ASKED_SYMBOLS = 50
"""Symbols asked about only because of changed balances. Unit: symbols. Reason: each costs 40 of 6000 weight."""


class UserRecovery:
    """Asks REST for orders, fills and balances and compares them with what has been told.

    Args:
        rest: Requests to the venue.
        catalogue: Which symbols trade which assets.
        memory: What has been told.
        clock: Time.
    """

    def __init__(self, rest: VenueRest, catalogue: SymbolCatalogue, memory: UserMemory, *, clock: WaitingClock) -> None:
        self._rest = rest
        self._catalogue = catalogue
        self._memory = memory
        self._clock = clock
        self._partial: dict[str, list[Event]] = {}

    def begin(self) -> None:
        """A new connection: what an earlier attempt found out is out of date."""
        self._partial.clear()

    async def venue_ms(self) -> int:
        """The venue's own time, epoch milliseconds."""
        return (await self._rest.call(server_time.SPEC, server_time.SPEC.params())).server_time

    async def take_stock(self) -> None:
        """Remember how things stand when the first client arrives; nothing of it is news."""
        account = await self._account()
        for order in await self._open_orders():
            self._memory.note_existing(order)
        self._memory.balances = _balances(account)

    async def missed(self, since_ms: int) -> tuple[list[Event], Event | None, int]:
        """What has not been told: order events in order, the changed balances, and the account's update time.

        Symbols that were asked about before a request failed are not asked about again, so that an account with more
        symbols than a minute's request weight allows gets there in the end.

        Args:
            since_ms: Venue time from which on something may be missing.
        """
        account = await self._account()
        open_orders = await self._open_orders()
        changed = differing(self._memory.balances, _balances(account))
        await self._catalogue.load()
        suspects = self._catalogue.trading(changed.keys())[:MAX_ASKED_SYMBOLS]
        symbols = self._memory.symbols | {order.symbol for order in open_orders} | set(suspects)
        events: list[Event] = []
        for symbol in sorted(symbols):
            if symbol not in self._partial:
                self._partial[symbol] = await self._missed_in(symbol, since_ms)
            events += self._partial[symbol]
        self._partial.clear()
        now_ms = to_ms(self._clock.now_ns())
        position = account_position(changed, update_ms=account.update_time, now_ms=now_ms) if changed else None
        return _in_order(events), position, account.update_time

    async def _missed_in(self, symbol: str, since_ms: int) -> list[Event]:
        memory = self._memory
        fills = await self._fills(symbol, since_ms)
        params = acct_order_history.AllOrdersParams(symbol=symbol, start_time=since_ms, limit=PAGE)
        orders = {row.order_id: row for row in await self._rest.call(acct_order_history.SPEC, params)}
        wanted = {row.order_id for row in fills} | {row.order_id for row in memory.open_orders if row.symbol == symbol}
        for order_id in sorted(wanted - orders.keys()):
            row = await self._order(symbol, order_id)
            if row is not None:
                orders[order_id] = row
        events: list[Event] = []
        now_ms = to_ms(self._clock.now_ns())
        for order_id, order in sorted(orders.items()):
            known = memory.order(symbol, order_id, order.time)
            own = [row for row in fills if row.order_id == order_id and not memory.was_told(known, row.id)]
            is_new = not known.existed and order.time >= since_ms
            if not is_new and not own and not known.is_open:
                continue
            events += missed_reports(order, own, known=known, is_new=is_new, now_ms=now_ms)
        return events

    async def _fills(self, symbol: str, since_ms: int) -> list[AccountTrade]:
        spec, params = acct_trade_history.SPEC, acct_trade_history.MyTradesParams
        rows = await self._rest.call(spec, params(symbol=symbol, start_time=since_ms, limit=PAGE))
        fills = list(rows)
        for _ in range(MAX_PAGES):
            if len(rows) < PAGE:
                break
            rows = await self._rest.call(spec, params(symbol=symbol, from_id=fills[-1].id + 1, limit=PAGE))
            fills += rows
        return sorted((row for row in fills if row.time >= since_ms), key=lambda row: row.id)

    async def _order(self, symbol: str, order_id: int) -> OrderReport | None:
        try:
            return await self._rest.call(
                query_order.SPEC, query_order.QueryOrderParams(symbol=symbol, order_id=order_id)
            )
        except VenueRejected:
            return None  # The venue has forgotten it: it archives orders that ended long ago without a fill.

    async def _account(self) -> Account:
        return await self._rest.call(get_user_acct_info.SPEC, get_user_acct_info.AccountParams())

    async def _open_orders(self) -> list[OrderReport]:
        return await self._rest.call(current_open_orders.SPEC, current_open_orders.OpenOrdersParams())


def _balances(account: Account) -> dict[str, tuple[str, str]]:
    return {row.asset: (row.free, row.locked) for row in account.balances}


def _in_order(events: list[Event]) -> list[Event]:
    """By time, but never one order's events against the order in which they are given."""
    newest_ms: dict[object, int] = {}
    timed: list[tuple[int, Event]] = []
    for event in events:
        time_ms, key = event["T"], (event["s"], event["i"])
        happened_ms = max(time_ms if isinstance(time_ms, int) else 0, newest_ms.get(key, 0))
        newest_ms[key] = happened_ms
        timed.append((happened_ms, event))
    return [event for _, event in sorted(timed, key=lambda pair: pair[0])]
