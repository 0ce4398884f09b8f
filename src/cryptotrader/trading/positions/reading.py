"""Reads the account's history when it is needed, and compares positions with balances.

It is read at the start, whenever the account's stream has come back, and where a fill could not be taken from the
stream. Balances are compared after that and every few minutes; what does not fit is looked into before it is reported.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import CryptotraderError, UnknownSymbol
from cryptotrader.core.events import SystemEvent
from cryptotrader.core.scaled import format_scaled
from cryptotrader.services.binance.websocketAPI.trading_requests import current_open_orders
from cryptotrader.trading.positions.balances import Balances
from cryptotrader.trading.positions.history import History

if TYPE_CHECKING:
    from cryptotrader.trading.positions.keeper import KeeperDeps, PositionKeeper

log = get_logger(__name__)

LOOK_S = 1.0
"""How often it is looked whether there is something to do. Unit: seconds."""

COMPARE_S = 300.0
"""How often balances are compared while nothing happens. Unit: seconds. Reason: costs 20 of 6000 weight a minute."""

SECOND_LOOK_S = 5.0
"""A difference is reported once it was there twice, so long apart. Unit: seconds. Reason: a fill and the balance that
it changes are told one after the other."""

STREAM_S = 3.0
"""How long the first reading waits for the account's stream. Unit: seconds. Reason: what is read before it speaks has
to be read again, and two readings of one account would use up what all accounts may spend at once."""

STREAM_POLL_S = 0.05
"""How often that wait looks. Unit: seconds."""

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0
"""Pauses after the venue did not answer; they double. Unit: seconds."""

MAX_SYMBOLS = 300
"""Symbols whose history is read only because their base asset is held. Reason: each costs 20 of 6000 weight a minute,
and the most held ones come first."""

MISMATCHES = "mismatches"


class Reader:
    """Brings a keeper's books up to date.

    Args:
        keeper: Whose books.
        deps: What the keeper needs.
        history: The venue's memory.
        balances: What the account holds.
    """

    def __init__(self, keeper: PositionKeeper, deps: KeeperDeps, *, history: History, balances: Balances) -> None:
        self.problem: CryptotraderError | None = None
        """Why the last reading failed; None where it did not."""
        self._keeper = keeper
        self._deps = deps
        self._history = history
        self._balances = balances
        self._ready = asyncio.Event()
        self._complete: dict[str, asyncio.Event] = {}
        self._asked, self._answered = 1, 0
        """How often a reading was asked for, and up to which of these wishes it was done."""
        self._was_live = False
        self._failures = 0
        self._suspects: dict[str, int] = {}

    @property
    def is_ready(self) -> bool:
        """Whether everything was read once."""
        return self._ready.is_set()

    async def wait_ready(self) -> None:
        """Return when ``is_ready``."""
        await self._ready.wait()

    def has_read(self, symbol: str) -> bool:
        """Whether a symbol was read once, or everything was."""
        return self.is_ready or ((event := self._complete.get(symbol)) is not None and event.is_set())

    async def wait_read(self, symbol: str) -> None:
        """Return when a symbol was read once, or everything was."""
        if not self.is_ready:
            await self._complete.setdefault(symbol, asyncio.Event()).wait()

    def ask_again(self) -> None:
        """Something was missed: read the history soon."""
        self._asked += 1

    @property
    def _is_due(self) -> bool:
        return self._asked != self._answered

    async def run(self) -> None:
        """Read and compare, for ever."""
        await self._wait_for_stream()
        while True:
            try:
                await self._round()
                self.problem, self._failures = None, 0
                pause_s = SECOND_LOOK_S if self._suspects else COMPARE_S
            except CryptotraderError as error:
                self.problem = error
                pause_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(self._failures, 16))
                pause_s = max(pause_s, error.retry_after_s or 0.0)
                self._failures += 1
                log.warning(f"positions of {self._keeper.account}: {type(error).__name__} - again in {pause_s:.0f}s")
            await self._pause(pause_s, may_end_early=self.problem is None)

    async def _wait_for_stream(self) -> None:
        """What somebody may have to sell is read at once; all else once nothing can be missed any more."""
        for attempt in range(int(STREAM_S / STREAM_POLL_S)):
            if self._deps.stream.is_live:
                return
            if not attempt:
                with contextlib.suppress(CryptotraderError):
                    await self._read(self._watched())
            await self._deps.clock.sleep(STREAM_POLL_S)

    def _watched(self) -> set[str]:
        return {protection.symbol for protection in self._keeper.protections.active}

    async def _pause(self, pause_s: float, *, may_end_early: bool) -> None:
        """Wait; a stream that came back, or a fill that was missed, ends it."""
        clock = self._deps.clock
        end_ns = clock.monotonic_ns() + int(pause_s * NS_PER_S)
        while clock.monotonic_ns() < end_ns:
            await clock.sleep(min(LOOK_S, pause_s))
            is_live = self._deps.stream.is_live
            if is_live and not self._was_live:
                self.ask_again()
            elif not is_live and self._was_live:
                self._keeper.lose()
            self._was_live = is_live
            if self._is_due and may_end_early:
                return

    async def _round(self) -> None:
        is_live = self._was_live = self._deps.stream.is_live
        is_full, asked = self._is_due, self._asked
        await self._balances.read(is_followed=is_live)
        if is_full:
            await self._read_all()
            self._answered = asked
        changed = self._changed()
        if changed and not is_full:
            await self._read(self._symbols_of(set(changed)))
            changed = self._changed()
        self._report(changed)

    async def _read_all(self) -> None:
        """Every symbol that matters."""
        keeper, deps = self._keeper, self._deps
        # First what somebody may have to sell soon, then what is known to be held.
        watched, known = self._watched(), set(keeper.books)
        await self._read(watched)
        await self._read(known - watched)
        orders = await deps.venue.call(current_open_orders.SPEC, current_open_orders.OpenOrdersParams())
        listed = (await deps.instruments.load()).symbols
        assets = sorted(self._balances.assets, key=self._balances.total, reverse=True)
        by_base: dict[str, list[str]] = {asset: [] for asset in assets}
        for row in listed:
            if row.base_asset in by_base:
                by_base[row.base_asset].append(row.symbol)
        held = [symbol for asset in assets for symbol in by_base[asset]]
        if len(held) > MAX_SYMBOLS:
            log.warning(f"positions of {keeper.account}: only {MAX_SYMBOLS} of {len(held)} possible symbols are read")
        await self._read({*(order.symbol for order in orders), *held[:MAX_SYMBOLS]} - known - watched)
        self._ready.set()
        for event in self._complete.values():
            event.set()
        self._complete.clear()
        for symbol in known | watched:
            keeper.check_closed(symbol)
        await keeper.fetch_marks()

    async def _read(self, symbols: set[str]) -> None:
        """Each of these; before the next of them what somebody waits for."""
        left = set(symbols)
        while left:
            symbol = min(self._waited_for() or left)
            left.discard(symbol)
            await self._read_one(symbol)
            if not self.is_ready:
                self._complete.setdefault(symbol, asyncio.Event()).set()

    def _waited_for(self) -> list[str]:
        return [symbol for symbol, event in self._complete.items() if not event.is_set()]

    async def _read_one(self, symbol: str) -> None:
        book = self._keeper.books.get(symbol)
        if book is None:
            try:
                info = await self._deps.instruments.info(symbol)
            except UnknownSymbol:
                log.warning(f"{symbol} is not listed any more; its history is not read")
                return
            book = self._keeper.book(symbol, (info.base_asset, info.quote_asset))
        is_new = await self._history.read(book)
        await self._keeper.revalue(book)
        if is_new:
            self._keeper.changed(symbol)

    def _symbols_of(self, assets: set[str]) -> set[str]:
        return {symbol for symbol, book in self._keeper.books.items() if assets & {book.base, book.quote}}

    # Differences

    def _changed(self) -> dict[str, int]:
        """What fills do not explain, by asset, where it is not what was noted last."""
        reported = self._reported()
        now = self._keeper.unexplained()
        return {
            asset: now.get(asset, 0)
            for asset in now.keys() | reported.keys()
            if now.get(asset, 0) != reported.get(asset, 0)
        }

    def _reported(self) -> dict[str, int]:
        text = self._deps.store.notes(self._keeper.account).get(MISMATCHES, "{}")
        return msgspec.json.decode(text, type=dict[str, int])

    def _note(self, differences: dict[str, int]) -> None:
        noted = {asset: value for asset, value in differences.items() if value}
        self._deps.store.note(self._keeper.account, MISMATCHES, msgspec.json.encode(noted).decode())

    def _report(self, changed: dict[str, int]) -> None:
        """Tell of what was the same when it was looked at a while ago."""
        if MISMATCHES not in self._deps.store.notes(self._keeper.account):
            # What the account held before anyone kept its positions; ``reconciliation`` shows it.
            self._note(changed)
            return
        certain = {asset: value for asset, value in changed.items() if self._suspects.get(asset) == value}
        self._suspects = {asset: value for asset, value in changed.items() if asset not in certain}
        if not certain:
            return
        rows = {row.asset: row for row in self._keeper.reconciliation()}
        self._note(self._reported() | certain)
        for asset in sorted(certain):
            row = rows.get(asset)
            detail = (
                f"{asset}: balance {format_scaled(row.balance)}, positions {format_scaled(row.positions)}"
                if row is not None
                else f"{asset}: balance and positions agree"
            )
            log.warning(f"positions of {self._keeper.account}: {detail}")
            self._keeper.protections.topic.publish(
                SystemEvent(
                    event="position_mismatch",
                    status="resolved" if row is None else "untracked" if row.difference > 0 else "missing",
                    at_ms=self._deps.venue.venue_now_ms(),
                    detail=detail,
                    account=self._keeper.account,
                )
            )
