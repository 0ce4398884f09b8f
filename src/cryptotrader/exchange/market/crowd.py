"""The crowd that trades one synthetic symbol: it follows the symbol's path and keeps a deep, moving, uncrossed book.

The book changes in steps. When the path leaves the quoted prices, the crowd takes out the levels in between and quotes
anew; besides, it keeps adding, changing and cancelling levels, mostly near the top. Everything about ids is a pure
function of time, so that a crowd which starts later goes on with higher ids.
"""

from __future__ import annotations

from random import Random

from cryptotrader.core.events import BookTicker, DepthDiff, Level, Trade
from cryptotrader.core.orders import Side
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.market.history import LISTED_MS, SymbolPast
from cryptotrader.exchange.market.noise import seed_key
from cryptotrader.exchange.market.source import MarketEvent
from cryptotrader.market.book import OrderBook

IDS_PER_STEP = 7
"""Update ids that one step covers. Real diffs cover several, so clients must not expect ``U == u``."""

_SLACK = 0.00003
"""How far the path may leave the quotes before they move, as a share of the price: real tops stand still at times."""

_CHURN = (4, 12)
"""Least and most levels that change in a step besides those that trading moves."""

_STALE = 1.3
"""Levels beyond this many times the book's range from the top are cancelled."""

_WIDE = 0.06
"""How often quotes leave a wider spread behind when they move."""

_REMOVE = 0.35
"""How often a changed level is cancelled rather than resized."""


class Crowd:
    """One symbol's traders.

    Args:
        past: The symbol's path, also of its future.
        seed: Same seed, start and past: same events.
        start_ms: Where the live market starts; a multiple of the profile's ``step_ms``.
        id_shift: How far update ids are ahead of those that follow from the time.
    """

    def __init__(self, past: SymbolPast, seed: int, *, start_ms: int, id_shift: int = 0) -> None:
        profile = past.profile
        self._past = past
        self._id_shift = id_shift
        self._profile = profile
        self._step = start_ms // profile.step_ms
        self._random = Random(seed_key(seed, "crowd", profile.symbol, self._step))
        self._mean_lots = profile.volume_per_s / profile.trades_per_s * SCALE / profile.lot
        self._size_lots = profile.typical_qty / profile.lot
        self._changes: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        self._bid = self._target_bid(start_ms)
        self._ask = self._bid + profile.spread_ticks
        self.book = OrderBook(profile.symbol)
        self._set(Side.BUY, self._bid, self._size(0))
        self._set(Side.SELL, self._ask, self._size(0))
        for side in (Side.BUY, Side.SELL):
            for _ in range(profile.levels * 2):
                if len(self._changes[side]) < profile.levels:
                    distance = self._distance()
                    self._set(side, self._price(side, distance), self._size(distance))
        self._commit()
        self._top = self.book.best_bid, self.book.best_ask

    @property
    def due_ms(self) -> int:
        """When the next step is due."""
        return (self._step + 1) * self._profile.step_ms

    def step(self) -> list[MarketEvent]:
        """Trades, the depth diff and, where it changed, the top of the book, of the next step."""
        before_ms = self._step * self._profile.step_ms
        self._step += 1
        now_ms = before_ms + self._profile.step_ms
        first_id = self._past.trades_until(before_ms)
        count = self._past.trades_until(now_ms) - first_id
        trades = self._print_trades(count, self._move(now_ms))
        self._churn()
        bids, asks = self._commit()
        events: list[MarketEvent] = []
        for place, (side, price, quantity) in enumerate(trades):
            time_ms = max(before_ms, now_ms - (count - 1 - place))
            events.append(
                Trade(self._profile.symbol, first_id + place, price, quantity, time_ms, side is Side.SELL, now_ms)
            )
        last_id = self.book.last_id
        events.append(DepthDiff(self._profile.symbol, last_id - IDS_PER_STEP + 1, last_id, bids, asks, now_ms))
        top = self.book.best_bid, self.book.best_ask
        if top != self._top and top[0] is not None and top[1] is not None:
            self._top = top
            events.append(BookTicker(self._profile.symbol, last_id, *top[0], *top[1]))
        return events

    def _target_bid(self, now_ms: int) -> int:
        """Where the best bid should be, in ticks."""
        return max(2, round(self._past.price_at(now_ms) / self._profile.tick - self._profile.spread_ticks / 2))

    def _move(self, now_ms: int) -> list[tuple[Side, int, int]]:
        """Quote anew where the path left the quotes; the levels taken out, as (taker's side, price, quantity)."""
        target = self._target_bid(now_ms)
        old_bid = self._bid
        if abs(target - old_bid) <= target * _SLACK:
            return []
        spread = self._profile.spread_ticks + (self._random.random() < _WIDE)
        self._bid, self._ask = target, target + spread
        tick = self._profile.tick
        taken: list[tuple[Side, int, int]] = []
        side, taker = (Side.SELL, Side.BUY) if target > old_bid else (Side.BUY, Side.SELL)
        for price, quantity in self.book.levels(side):
            ticks = price // tick
            if (ticks >= self._ask) if side is Side.SELL else (ticks <= self._bid):
                break
            taken.append((taker, price, quantity))
            self._set(side, ticks, 0)
        for quoted, ticks in ((Side.BUY, self._bid), (Side.SELL, self._ask)):
            self._set(quoted, ticks, self._size(0))
        for _ in range(min(4, abs(target - old_bid))):
            # Whoever quotes at the new top leaves company behind it, not a hole.
            distance = 1 + int(self._random.random() * abs(target - old_bid))
            self._set(side.opposite, self._price(side.opposite, distance), self._size(distance))
        return taken

    def _print_trades(self, count: int, taken: list[tuple[Side, int, int]]) -> list[tuple[Side, int, int]]:
        """``count`` trades (taker's side, price, quantity): through the levels taken out, or at the standing top."""
        lot, tick = self._profile.lot, self._profile.tick
        trades: list[tuple[Side, int, int]] = []
        for place in range(count):
            wanted = max(1, int(self._random.expovariate(1.0) * self._mean_lots)) * lot
            if taken:
                side, price, quantity = taken[place * len(taken) // count]
                trades.append((side, price, min(wanted, quantity)))
                continue
            side = Side.BUY if self._random.random() < 0.5 else Side.SELL
            maker, ticks = (Side.SELL, self._ask) if side is Side.BUY else (Side.BUY, self._bid)
            shown = self._shown(maker, ticks)
            quantity = min(wanted, shown)
            trades.append((side, ticks * tick, quantity))
            self._set(maker, ticks, shown - quantity or self._size(0))
        return trades

    def _churn(self) -> None:
        """Levels come, change and go; at least one changes in every step."""
        profile, rng = self._profile, self._random
        for _ in range(rng.randint(*_CHURN)):
            side = Side.BUY if rng.random() < 0.5 else Side.SELL
            distance = self._distance()
            ticks = self._price(side, distance)
            is_full = self.book.level_count > 2 * profile.levels
            if not self._shown(side, ticks):
                if not is_full:
                    self._set(side, ticks, self._size(distance))
            elif distance and (is_full or rng.random() < _REMOVE):
                self._set(side, ticks, 0)
            else:
                self._set(side, ticks, self._size(distance))
        reach = int(profile.range_ticks * _STALE)
        for side in (Side.BUY, Side.SELL):
            worst = self.book.worst(side)
            if worst is not None and abs(worst[0] // profile.tick - self._price(side, 0)) > reach:
                self._set(side, worst[0] // profile.tick, 0)
        if not any(self._changes.values()):
            self._set(Side.BUY, self._bid, self._shown(Side.BUY, self._bid) + profile.lot)

    def _commit(self) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        """Put the collected changes into the book; what really changed, best first."""
        book, tick = self.book, self._profile.tick
        found: list[tuple[Level, ...]] = []
        for side, changes in self._changes.items():
            levels = [
                (ticks * tick, quantity)
                for ticks, quantity in changes.items()
                if book.quantity(side, ticks * tick) != quantity
            ]
            levels.sort(reverse=side is Side.BUY)
            found.append(tuple(levels))
            changes.clear()
        bids, asks = found
        last_id = (self._step - LISTED_MS // self._profile.step_ms) * IDS_PER_STEP + self._id_shift
        book.apply(bids, asks, last_id)
        return bids, asks

    def _set(self, side: Side, ticks: int, quantity: int) -> None:
        if ticks > 0:
            self._changes[side][ticks] = quantity

    def _shown(self, side: Side, ticks: int) -> int:
        changed = self._changes[side].get(ticks)
        return self.book.quantity(side, ticks * self._profile.tick) if changed is None else changed

    def _price(self, side: Side, distance: int) -> int:
        return self._bid - distance if side is Side.BUY else self._ask + distance

    def _distance(self) -> int:
        """Ticks from the top, most of them near it (density falls with the power -2/3)."""
        return int(self._profile.range_ticks * self._random.random() ** 3)

    def _size(self, distance: int) -> int:
        """A level's quantity: heavy-tailed, larger further down."""
        scale = 0.4 + 1.6 * (distance / self._profile.range_ticks) ** 0.5
        lots = self._size_lots * scale * min(30.0, self._random.paretovariate(1.4) - 0.9)
        return max(1, int(lots)) * self._profile.lot
