"""A market that another venue moves: its live books and trades, on which orders are executed on paper.

This half is passive. Whoever follows the venue (``runtime.mirror``) puts in what happens there; here ids are kept
growing, whatever happens to the venue, and books are kept as far as they were handed over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from fractions import Fraction

import msgspec

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.events import BookSnapshot, BookTicker, Candle, DepthDiff, Trade
from cryptotrader.exchange.market.control import PlayState
from cryptotrader.exchange.market.source import MarketEvent
from cryptotrader.market.book import OrderBook

MAX_WAITING = 100_000
"""Events that may wait to be handed over. Unit: events. Overflow: all of them give way to whole books, which the public
sees as one change. Reason: a quarter of a minute of all symbols of a busy venue."""

NOT_HERE = "a mirrored market goes as its venue goes"
"""Why nothing can be controlled."""


class _Ids(msgspec.Struct):
    """Ids of one symbol: the last that were handed over, and how far they are ahead of the venue's."""

    update_id: int = 0
    trade_id: int = 0
    update_shift: int = 0
    trade_shift: int = 0


class _Checkpoint(msgspec.Struct, frozen=True):
    venue: str
    ids: dict[str, _Ids]


class MirrorHistory:
    """What the venue's REST API told of the past when the mirror was opened.

    Args:
        candles: (symbol, interval) to candles, oldest first.
        trades: Symbol to the last trades, oldest first.
    """

    def __init__(self, candles: Mapping[tuple[str, str], list[Candle]], trades: Mapping[str, list[Trade]]) -> None:
        self._candles = candles
        self._trades = trades

    def candles(
        self, symbol: str, interval: str, *, start_ms: int | None = None, end_ms: int | None = None, limit: int = 500
    ) -> list[Candle]:
        """As ``source.MarketHistory``; nothing older than what was fetched."""
        found = [
            candle
            for candle in self._candles.get((symbol, interval), ())
            if (start_ms is None or candle.open_ms >= start_ms) and (end_ms is None or candle.open_ms <= end_ms)
        ]
        return found[:limit] if start_ms is not None else found[max(0, len(found) - limit) :]

    def trades(self, symbol: str, limit: int = 500) -> list[Trade]:
        """The last ``limit`` trades before the mirror was opened."""
        found = self._trades.get(symbol, [])
        return found[max(0, len(found) - limit) :]


class MirrorSource:
    """A market source that is fed from outside.

    Args:
        venue: Its name, for people.
        books: The live book of each symbol; each is the same object all the time, and true at the start.
        history: The past.
        is_live: Whether the books are those of this moment.
    """

    def __init__(
        self,
        venue: str,
        books: Mapping[str, OrderBook],
        history: MirrorHistory,
        *,
        is_live: Callable[[], bool] = lambda: True,
    ) -> None:
        self._venue = venue
        self._live = dict(books)
        self._history = history
        self._is_live = is_live
        self._books: dict[str, OrderBook] = {}
        self._ids = {symbol: _Ids() for symbol in books}
        self._tops = {symbol: BookTicker(symbol, 0, 0, 0, 0, 0) for symbol in books}
        self._waiting: deque[MarketEvent] = deque()
        self._wake: Callable[[], None] | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols mirrored."""
        return tuple(self._live)

    @property
    def history(self) -> MirrorHistory:
        """What the venue told of the past."""
        return self._history

    # What the venue does

    def on_diff(self, diff: DepthDiff) -> None:
        """A book changed; its ids continue those before."""
        if not self._books:
            return
        self._put(self._shifted_diff(diff))

    def on_whole_book(self, snapshot: BookSnapshot) -> None:
        """A book is known anew and does not continue the one before; its ids may have gone back."""
        if not self._books:
            return
        self._put(self._shifted_book(snapshot))

    def on_trade(self, trade: Trade) -> None:
        """A trade; newer than all before it."""
        if not self._books:
            return
        ids = self._ids[trade.symbol]
        if trade.trade_id + ids.trade_shift <= ids.trade_id:
            # The venue began anew with lower ids.
            ids.trade_shift = ids.trade_id + 1 - trade.trade_id
        ids.trade_id = trade.trade_id + ids.trade_shift
        self._put(msgspec.structs.replace(trade, trade_id=ids.trade_id) if ids.trade_shift else trade)

    def on_top(self, top: BookTicker) -> None:
        """Best bid and ask; may be ahead of the book, and may come again."""
        if not self._books:
            return
        self._put(msgspec.structs.replace(top, update_id=top.update_id + self._ids[top.symbol].update_shift))

    def call_when_due(self, wake: Callable[[], None]) -> None:
        """Tell ``wake`` whenever there is something to hand over."""
        self._wake = wake

    def _put(self, event: MarketEvent) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.clear()
            self._waiting.extend(self._shifted_book(book.snapshot()) for book in self._live.values())
        else:
            self._waiting.append(event)
        if self._wake is not None:
            self._wake()

    def _shifted_diff(self, diff: DepthDiff) -> DepthDiff:
        ids = self._ids[diff.symbol]
        ids.update_id = max(ids.update_id, diff.last_id + ids.update_shift)
        if not ids.update_shift:
            return diff
        shift = ids.update_shift
        return msgspec.structs.replace(diff, first_id=diff.first_id + shift, last_id=diff.last_id + shift)

    def _shifted_book(self, snapshot: BookSnapshot) -> BookSnapshot:
        ids = self._ids[snapshot.symbol]
        if snapshot.last_id + ids.update_shift <= ids.update_id:
            ids.update_shift = ids.update_id + 1 - snapshot.last_id
        ids.update_id = snapshot.last_id + ids.update_shift
        return msgspec.structs.replace(snapshot, last_id=ids.update_id)

    # Market source

    def start(self, now_ns: int) -> None:
        """Begin with the books as they are."""
        for symbol, book in self._live.items():
            mine = self._books[symbol] = OrderBook(symbol)
            mine.load(self._shifted_book(book.snapshot()))
            trades = self._history.trades(symbol, 1)
            if trades:
                ids = self._ids[symbol]
                ids.trade_shift = max(ids.trade_shift, ids.trade_id - trades[-1].trade_id)
                ids.trade_id = trades[-1].trade_id + ids.trade_shift

    def snapshot(self, symbol: str) -> BookSnapshot:
        """The book as far as it was handed over."""
        return self._books[symbol].snapshot()

    def advance(self, now_ns: int, max_events: int) -> list[MarketEvent]:
        """What has happened, and the top of each book where nobody has told it."""
        events: list[MarketEvent] = []
        while self._waiting and len(events) < max_events:
            event = self._waiting.popleft()
            if isinstance(event, BookTicker):
                if event.update_id > self._tops[event.symbol].update_id:
                    self._tops[event.symbol] = event
                    events.append(event)
                continue
            events.append(event)
            match event:
                case DepthDiff():
                    self._books[event.symbol].apply(event.bids, event.asks, event.last_id)
                case BookSnapshot():
                    self._books[event.symbol].load(event)
                case _:
                    continue
            top = self._new_top(event.symbol)
            if top is not None:
                events.append(top)
        return events

    def _new_top(self, symbol: str) -> BookTicker | None:
        book, told = self._books[symbol], self._tops[symbol]
        bid, ask = book.best_bid, book.best_ask
        if bid is None or ask is None or book.last_id <= told.update_id:
            return None
        top = BookTicker(symbol, book.last_id, *bid, *ask)
        if msgspec.structs.replace(told, update_id=top.update_id) == top:
            return None
        self._tops[symbol] = top
        return top

    def next_due_ns(self) -> int | None:
        """At once, where something has happened."""
        return 0 if self._waiting else None

    def release(self, symbol: str, now_ns: int) -> None:
        """Nothing to do: the venue does not wait."""

    def checkpoint(self) -> bytes:
        """The ids that were given; books and the past are the venue's to tell."""
        return msgspec.json.encode(_Checkpoint(self._venue, self._ids))

    def resume(self, data: bytes, now_ns: int) -> None:
        """Go on with the venue's books of now, and with ids above those that were given.

        While the mirror runs (the machine slept) nothing is to be done: the venue's events bring it up to date.
        """
        if self._books:
            return
        try:
            saved = msgspec.json.decode(data, type=_Checkpoint)
        except msgspec.MsgspecError as problem:
            raise ConfigError(f"mirror: unreadable checkpoint: {problem}") from None
        self._ids |= {symbol: ids for symbol, ids in saved.ids.items() if symbol in self._ids}
        self.start(now_ns)

    # Control: there is none

    def state(self, now_ns: int) -> PlayState:
        """Which venue, and whether it can be heard."""
        return PlayState(kind="mirror", symbols=self.symbols, venue=self._venue, is_live=self._is_live())

    def pause(self, now_ns: int) -> None:
        """Refused with ValueError, as everything else."""
        raise ValueError(NOT_HERE)

    def play(self, now_ns: int) -> None:
        """Refused with ValueError."""
        raise ValueError(NOT_HERE)

    def step(self, count: int, now_ns: int) -> None:
        """Refused with ValueError."""
        raise ValueError(NOT_HERE)

    def set_speed(self, speed: Fraction | None, now_ns: int) -> None:
        """Refused with ValueError."""
        raise ValueError(NOT_HERE)

    def seek(self, offset_ns: int, now_ns: int) -> None:
        """Refused with ValueError."""
        raise ValueError(NOT_HERE)

    def reseed(self, seed: int, now_ns: int) -> None:
        """Refused with ValueError."""
        raise ValueError(NOT_HERE)
