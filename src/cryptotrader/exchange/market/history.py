"""The made-up past of a symbol: candles of every interval and the last trades, consistent with one price path.

Nothing is stored. A candle is a pure function of (seed, symbol, time), so eight years cost no memory. To make coarse
candles cover fine ones without looking at every second, the past is built from the top: a day's open and close lie on
the path and its high and low are drawn beside them; within the day the path is clipped to that range, and so on for
four hours, one hour, a quarter, a minute and a second. All other intervals are put together from those.
"""

from __future__ import annotations

from functools import partial
from math import exp, sqrt
from typing import NamedTuple

from cryptotrader.core.events import Candle, Trade
from cryptotrader.core.scaled import SCALE, mul_scaled
from cryptotrader.exchange.market.noise import Flow, hash_exponential, hash_unit, seed_key, wander
from cryptotrader.exchange.market.profiles import SymbolProfile
from cryptotrader.market.candles import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, close_ms_of, open_ms_of

LISTED_MS = 1_502_928_000_000
"""The first candle of every symbol: 2017-08-17 00:00 UTC, when Binance's oldest pairs were listed."""

_LEVELS_MS = (DAY_MS, 4 * HOUR_MS, HOUR_MS, 15 * MINUTE_MS, MINUTE_MS, SECOND_MS)
"""Candles that are made directly, coarse to fine; each length is a multiple of the next."""

_WICK = 0.22
"""Mean length of a wick, as a share of what the price moves in that time."""

_NO_CELL = (-1, 0.0, 0.0)

_TRADES_MS = 15 * MINUTE_MS
"""How far back single trades are made up. Reason: where little is traded a thousand of them would reach back hours, and
making sixty symbols would take seconds."""


class _Bar(NamedTuple):
    """A stretch of the past: prices and volumes scaled."""

    open: int
    high: int
    low: int
    close: int


class PricePath:
    """The logarithmic price of a symbol at any time, clipped into candles."""

    def __init__(self, profile: SymbolProfile, seed: int) -> None:
        self._parts = [wander(f"{seed}:path:{name}", weight) for weight, name in profile.path]
        daily = sqrt(sum(weight * weight for weight, _ in profile.path))
        self._wicks = [_WICK * daily * sqrt(length / DAY_MS) for length in _LEVELS_MS]
        self._keys = [seed_key(seed, "wick", profile.kin or profile.symbol, length) for length in _LEVELS_MS]
        self._cells = [_NO_CELL] * len(_LEVELS_MS)
        self._recent = self._before = (-1, 0.0)

    def at(self, time_ms: int) -> float:
        """The value at a whole second; the last two are remembered, since a candle asks for its ends repeatedly."""
        if self._recent[0] == time_ms:
            return self._recent[1]
        if self._before[0] == time_ms:
            return self._before[1]
        value = self._point(time_ms, len(_LEVELS_MS) - 1)
        self._before, self._recent = self._recent, (time_ms, value)
        return value

    def range_of(self, place: int, index: int) -> tuple[float, float]:
        """Lowest and highest value in cell ``index`` of a level."""
        cell = self._cells[place]
        if cell[0] != index:
            length = _LEVELS_MS[place]
            point = self.at if length == SECOND_MS else partial(self._point, place=place)
            start, end = point(index * length), point((index + 1) * length)
            key, wick = self._keys[place] + 2 * index, self._wicks[place]
            low = min(start, end) - wick * hash_exponential(key)
            high = max(start, end) + wick * hash_exponential(key + 1)
            if place:
                outer_low, outer_high = self.range_of(place - 1, index * length // _LEVELS_MS[place - 1])
                low, high = max(low, outer_low), min(high, outer_high)
            cell = self._cells[place] = (index, low, high)
        return cell[1], cell[2]

    def _point(self, time_ms: int, place: int) -> float:
        """The value at a boundary of a level: on the path, but inside the range of every longer candle around it."""
        while place and not time_ms % _LEVELS_MS[place - 1]:
            place -= 1
        value = sum(part.at(time_ms) for part in self._parts)
        if place:
            low, high = self.range_of(place - 1, time_ms // _LEVELS_MS[place - 1])
            value = min(max(value, low), high)
        return value


class Anchor(NamedTuple):
    """A time at which the price is known: there the made-up path is pinned down."""

    time_ms: int
    price: int
    """Scaled."""


class SymbolPast:
    """One symbol's past up to the time at which its live market starts.

    Args:
        profile: How the symbol behaves.
        seed: Same seed and anchor, same past.
        anchor: Where the path is pinned down; its time is cut to a whole second.
        end_ms: Where the past ends; the anchor by default. Cut to a whole second.
        last_trade_id: Id of the last trade of the past; None counts trades from the listing on.
        id_shift: Instead of ``last_trade_id``: how far ids are ahead of that count.
    """

    def __init__(
        self,
        profile: SymbolProfile,
        seed: int,
        *,
        anchor: Anchor,
        end_ms: int | None = None,
        last_trade_id: int | None = None,
        id_shift: int = 0,
    ) -> None:
        self.profile = profile
        self.end_ms = (anchor.time_ms if end_ms is None else end_ms) // SECOND_MS * SECOND_MS
        self._path = PricePath(profile, seed)
        self._anchor_price = anchor.price
        self._anchor_value = self._path.at(anchor.time_ms // SECOND_MS * SECOND_MS)
        self._second = (-1, 0.0, 0.0)
        self._trades = Flow(f"{seed}:trades:{profile.symbol}", profile.trades_per_s, LISTED_MS)
        # Trades and lots share their bursts, because both flows hash the same name.
        lots_per_s = profile.volume_per_s * SCALE / profile.lot
        self._lots = Flow(f"{seed}:trades:{profile.symbol}", lots_per_s, LISTED_MS)
        self._key = seed_key(seed, "trade", profile.symbol)
        self._id_shift = id_shift if last_trade_id is None else last_trade_id + 1 - self._trades.until(self.end_ms)

    def price_at(self, time_ms: int) -> float:
        """The unrounded scaled price at any time, also after the end; linear within a second."""
        second_ms = time_ms // SECOND_MS * SECOND_MS
        if self._second[0] != second_ms:
            self._second = (second_ms, self._path.at(second_ms), self._path.at(second_ms + SECOND_MS))
        _, value, following = self._second
        value += (following - value) * ((time_ms - second_ms) / SECOND_MS)
        return self._anchor_price * exp(value - self._anchor_value)

    def trades_until(self, time_ms: int) -> int:
        """Id of the next trade at a time."""
        return self._trades.until(time_ms) + self._id_shift

    def candle(self, interval: str, open_ms: int) -> Candle | None:
        """The candle that opened at ``open_ms``, None where the past does not reach into it."""
        start_ms = max(open_ms, LISTED_MS)
        close_ms = close_ms_of(interval, open_ms)
        end_ms = min(close_ms + 1, self.end_ms)
        if start_ms >= end_ms:
            return None
        bar = self._bar(start_ms, end_ms)
        first_id, next_id = self.trades_until(start_ms), self.trades_until(end_ms)
        volume = (self._lots.until(end_ms) - self._lots.until(start_ms)) * self.profile.lot if next_id > first_id else 0
        quote = mul_scaled(volume, (bar.open + bar.high + bar.low + bar.close) // 4)
        bought = 0.42 + 0.16 * hash_unit(self._key + open_ms)
        bought_lots = int(volume // self.profile.lot * bought)
        bought_volume = bought_lots * self.profile.lot
        return Candle(
            symbol=self.profile.symbol,
            interval=interval,
            open_ms=open_ms,
            close_ms=close_ms,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=volume,
            quote_volume=quote,
            trade_count=next_id - first_id,
            taker_buy_volume=bought_volume,
            taker_buy_quote_volume=quote * bought_volume // volume if volume else 0,
            is_closed=close_ms < self.end_ms,
            first_trade_id=first_id if next_id > first_id else -1,
            last_trade_id=next_id - 1 if next_id > first_id else -1,
        )

    def last_trades(self, limit: int) -> list[Trade]:
        """The last trades before the end, oldest first, at most those of ``_TRADES_MS``."""
        first_id = self.trades_until(self.end_ms) - limit
        start_ms = self.end_ms
        oldest_ms = max(LISTED_MS, self.end_ms - _TRADES_MS)
        while start_ms > oldest_ms and self.trades_until(start_ms) > first_id:
            start_ms -= MINUTE_MS
        trades: list[Trade] = []
        # Forward in time, since the processes behind a price remember where they are.
        for second_ms in range(max(start_ms, oldest_ms), self.end_ms, SECOND_MS):
            trades.extend(self._trades_in(second_ms))
        return trades[max(0, len(trades) - limit) :]

    def _trades_in(self, second_ms: int) -> list[Trade]:
        first_id, next_id = self.trades_until(second_ms), self.trades_until(second_ms + SECOND_MS)
        if next_id == first_id:
            return []
        bar = self._bar(second_ms, second_ms + SECOND_MS)
        lots = max(
            1, (self._lots.until(second_ms + SECOND_MS) - self._lots.until(second_ms)) // max(1, next_id - first_id)
        )
        trades: list[Trade] = []
        for trade_id in range(first_id, next_id):
            key = self._key + 4 * (trade_id - self._id_shift)
            share = (trade_id - first_id + 1) / (next_id - first_id)
            is_sold = hash_unit(key) < 0.5
            price = self._tick_price(bar.open + (bar.close - bar.open) * share)
            price = min(bar.high, price + self.profile.tick) if not is_sold else max(bar.low, price)
            time_ms = second_ms + int(share * (SECOND_MS - 1))
            trades.append(
                Trade(
                    symbol=self.profile.symbol,
                    trade_id=trade_id,
                    price=price,
                    qty=max(1, int(lots * hash_exponential(key + 1))) * self.profile.lot,
                    time_ms=time_ms,
                    buyer_is_maker=is_sold,
                    event_ms=time_ms,
                )
            )
        return trades

    def _bar(self, start_ms: int, end_ms: int) -> _Bar:
        """Fold ``[start_ms, end_ms)``, whole seconds, from the longest ready-made candles that fit."""
        low = high = self._path.at(start_ms)
        at_ms = start_ms
        while at_ms < end_ms:
            place = next(
                place for place, length in enumerate(_LEVELS_MS) if not at_ms % length and at_ms + length <= end_ms
            )
            length = _LEVELS_MS[place]
            cell_low, cell_high = self._path.range_of(place, at_ms // length)
            low, high = min(low, cell_low), max(high, cell_high)
            at_ms += length
        opening, closing = self._price(self._path.at(start_ms)), self._price(self._path.at(end_ms))
        return _Bar(opening, max(opening, closing, self._price(high)), min(opening, closing, self._price(low)), closing)

    def _price(self, value: float) -> int:
        return self._tick_price(self._anchor_price * exp(value - self._anchor_value))

    def _tick_price(self, price: float) -> int:
        tick = self.profile.tick
        return max(1, round(price / tick)) * tick


class SeededHistory:
    """The past of several symbols, as ``source.MarketHistory`` asks for it."""

    def __init__(self, pasts: dict[str, SymbolPast]) -> None:
        self._pasts = pasts

    def candles(
        self, symbol: str, interval: str, *, start_ms: int | None = None, end_ms: int | None = None, limit: int = 500
    ) -> list[Candle]:
        """Candles that opened in ``[start_ms, end_ms]``, oldest first; see ``source.MarketHistory``."""
        past = self._pasts[symbol]
        newest_ms = open_ms_of(interval, past.end_ms - 1)
        oldest_ms = open_ms_of(interval, LISTED_MS)
        last_ms = newest_ms if end_ms is None else min(newest_ms, open_ms_of(interval, max(0, end_ms)))
        opens: list[int] = []
        if start_ms is not None:
            at_ms = open_ms_of(interval, max(start_ms, oldest_ms))
            at_ms = at_ms if at_ms >= start_ms else close_ms_of(interval, at_ms) + 1
            while at_ms <= last_ms and len(opens) < limit:
                opens.append(at_ms)
                at_ms = close_ms_of(interval, at_ms) + 1
        else:
            at_ms = last_ms
            while at_ms >= oldest_ms and len(opens) < limit:
                opens.append(at_ms)
                at_ms = open_ms_of(interval, at_ms - 1)
            opens.reverse()
        rows = (past.candle(interval, open_ms) for open_ms in opens)
        return [row for row in rows if row is not None]

    def trades(self, symbol: str, limit: int = 500) -> list[Trade]:
        """The last trades before the live start, oldest first."""
        return self._pasts[symbol].last_trades(limit)
