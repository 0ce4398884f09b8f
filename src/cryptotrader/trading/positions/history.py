"""Reads an account's fills from the venue, from where it stopped the last time.

Binance: ``rest-api.md``, "Account trade list" and "Query Allocations".
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.portfolio.positions import FillRow
from cryptotrader.services.binance.websocketAPI.account_requests import acct_trade_history, my_allocations
from cryptotrader.trading.positions.book import SymbolBook
from cryptotrader.trading.positions.fills import fill_of, needs_value
from cryptotrader.trading.positions.ports import Instruments, Venue
from cryptotrader.trading.positions.store import Store
from cryptotrader.trading.positions.values import Valuer

log = get_logger(__name__)

PAGE = 1_000
"""Rows per request, the most that Binance gives."""

TRADES = "trades"
ALLOCATIONS = "allocations"


class History:
    """What the venue remembers of an account's fills.

    Args:
        account: Whose.
        venue: Requests in its name.
        instruments: Which symbols smart order routing serves.
        store: Remembers how far was read.
        valuer: Says what commissions in a third asset were worth.
    """

    def __init__(self, account: str, venue: Venue, *, instruments: Instruments, store: Store, valuer: Valuer) -> None:
        self._account = account
        self._venue = venue
        self._instruments = instruments
        self._store = store
        self._valuer = valuer

    async def read(self, book: SymbolBook) -> bool:
        """Bring a book up to date; whether anything was new.

        What was read stays where a later page fails.

        Raises:
            VenueError: The venue did not answer.
        """
        is_new = await self._read(book, TRADES)
        if book.symbol in await self._routed():
            is_new = await self._read(book, ALLOCATIONS) or is_new
        return is_new

    async def _routed(self) -> set[str]:
        return {symbol for group in (await self._instruments.load()).sors or () for symbol in group.symbols}

    async def _read(self, book: SymbolBook, kind: str) -> bool:
        note = f"{kind} {book.symbol}"
        text = self._store.notes(self._account).get(note)
        last = int(text) if text else None
        is_first, is_new = True, False
        async for rows in self._pages(book.symbol, kind, from_id=last or 0):
            if is_first and last is not None and (not rows or _id(rows[0]) != last):
                log.warning(f"{book.symbol}: the venue does not know the account's last fill any more and began anew")
                book.forget()
                for each in (TRADES, ALLOCATIONS):
                    self._store.note(self._account, f"{each} {book.symbol}", "")
                return await self._read(book, kind) or True
            is_first = False
            is_new = bool(book.add([await self._valued(book, row) for row in rows])) or is_new
            if rows:
                self._store.note(self._account, note, str(_id(rows[-1])))
        return is_new

    async def _valued(self, book: SymbolBook, fill: FillRow) -> FillRow:
        if not needs_value(fill, book.base, book.quote):
            return fill
        return msgspec.structs.replace(fill, commission_value=await self._valuer.value(fill, book.quote))

    async def _pages(self, symbol: str, kind: str, *, from_id: int) -> AsyncIterator[list[FillRow]]:
        """From an id on, itself included, oldest first."""
        while True:
            rows = await (self._trades if kind == TRADES else self._allocations)(symbol, from_id)
            yield rows
            # Both sides of an own trade may lie on two pages, so the last id is asked for again.
            if len(rows) < PAGE or _id(rows[-1]) == from_id:
                return
            from_id = _id(rows[-1])

    async def _trades(self, symbol: str, from_id: int) -> list[FillRow]:
        params = acct_trade_history.MyTradesParams(symbol=symbol, from_id=from_id, limit=PAGE)
        rows = await self._venue.call(acct_trade_history.SPEC, params)
        return sorted((fill_of(row) for row in rows), key=_id)

    async def _allocations(self, symbol: str, from_id: int) -> list[FillRow]:
        params = my_allocations.AllocationsParams(symbol=symbol, from_allocation_id=from_id, limit=PAGE)
        rows = await self._venue.call(my_allocations.SPEC, params)
        return sorted((fill_of(row) for row in rows), key=_id)


def _id(fill: FillRow) -> int:
    return fill.key[1]
