"""Positions of a spot account, folded exactly from its fills (S1-13, S1-14, C-27).

Average cost method, in integers of 10**-8, nothing rounded twice:

- A buy adds what was received (quantity less a commission in the base asset) and costs what was paid (amount plus a
  commission in the quote asset).
- A sale takes its share of the cost with it: ``cost * sold / amount``, cut to eight places; the rest of the division
  stays in the position, so cost plus what left it is always what was paid. The last sale takes everything.
- Realised profit of a sale is what was received (amount less a commission in the quote asset) less that share.
- A commission in a third asset counts with its value in the quote asset at the time of the fill, where that is known;
  else it is only listed in ``fees``.
- A fill by smart order routing is an allocation: it has an id of another sequence, and counts the same.
- A spot account cannot be short. What is sold beyond the position came from a deposit or from before the known
  history: its cost is unknown, so it makes no profit and no loss, and is counted in ``untracked_sold``.
"""

from __future__ import annotations

import msgspec

from cryptotrader.core.scaled import SCALE, div_scaled, mul_scaled

PERCENT = 100

CENT = SCALE // 100
"""Two decimal places. Reason: S1-14 shows a percentage cut to two."""


class FillRow(msgspec.Struct, frozen=True, kw_only=True):
    """One fill of one account, scaled."""

    symbol: str
    trade_id: int
    """-1 where it is an allocation of smart order routing."""
    order_id: int
    is_buyer: bool
    price: int
    qty: int
    quote_qty: int
    commission: int
    commission_asset: str
    commission_value: int | None = None
    """Worth of a commission in a third asset, in the quote asset at that time; None where nobody knows."""
    time_ms: int
    allocation_id: int = -1
    """-1 where it is a trade."""

    @property
    def is_allocation(self) -> bool:
        """Whether smart order routing took it from another book."""
        return self.allocation_id >= 0

    @property
    def key(self) -> tuple[bool, int, int]:
        """What tells it from every other fill of its account and symbol; an account can be on both sides of a trade."""
        return (self.is_allocation, self.allocation_id if self.is_allocation else self.trade_id, self.order_id)

    @property
    def place(self) -> tuple[int, bool, int, int]:
        """Sorts the fills of a symbol as they happened."""
        return (self.time_ms, *self.key)


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one symbol's base asset because of trades in that symbol, scaled."""

    symbol: str
    base: str
    quote: str
    amount: int = 0
    cost: int = 0
    """What the amount has cost, in the quote asset."""
    realised_pnl: int = 0
    """In the quote asset, after fees as far as their worth is known."""
    fees: tuple[tuple[str, int], ...] = ()
    """(asset, sum of all commissions) by name of the asset."""
    untracked_sold: int = 0
    """Base asset sold of which the cost is not known."""
    bought: int = 0
    """Sum of all bought quantities before commission."""
    sold: int = 0
    paid: int = 0
    """Sum of all amounts paid in the quote asset, before commission."""
    received: int = 0
    """Sum of all amounts received in the quote asset, before commission."""
    last_trade_id: int = -1
    last_order_ids: tuple[int, ...] = ()
    """Orders whose side of the last trade is counted: an account can be on both sides."""
    last_allocation_id: int = -1
    update_ms: int = 0

    @property
    def average_price(self) -> int:
        """Cost of one unit, scaled and cut; 0 without a position."""
        return div_scaled(self.cost, self.amount) if self.amount else 0

    def unrealised_pnl(self, mark: int) -> int:
        """Worth at a price less cost, scaled."""
        return mul_scaled(mark, self.amount) - self.cost

    def unrealised_percent(self, mark: int) -> int:
        """``unrealised_pnl`` in percent of the cost, scaled, cut towards zero to two places (S1-14: 0.586 is 0.58)."""
        if not self.cost:
            return 0
        percent = div_scaled(self.unrealised_pnl(mark) * PERCENT, self.cost)
        return percent // CENT * CENT if percent >= 0 else -(-percent // CENT * CENT)

    def knows(self, fill: FillRow) -> bool:
        """Whether a fill is counted already; trades and allocations each come in order of their ids."""
        if fill.is_allocation:
            return fill.allocation_id <= self.last_allocation_id
        if fill.trade_id != self.last_trade_id:
            return fill.trade_id < self.last_trade_id
        return fill.order_id in self.last_order_ids


def fold(position: Position, fill: FillRow) -> Position:
    """The position after a fill; one that is known already changes nothing.

    Raises:
        ValueError: The fill is of another symbol.
    """
    if fill.symbol != position.symbol:
        raise ValueError(f"a fill of {fill.symbol} is none of {position.symbol}")
    return position if position.knows(fill) else count(position, fill)


def count(position: Position, fill: FillRow) -> Position:
    """The position after a fill of which the caller knows that it is not counted yet, whatever its ids."""
    changed = _buy(position, fill) if fill.is_buyer else _sell(position, fill)
    changed = msgspec.structs.replace(
        changed, fees=_with_fee(position.fees, fill), update_ms=max(position.update_ms, fill.time_ms)
    )
    if fill.is_allocation:
        return msgspec.structs.replace(changed, last_allocation_id=fill.allocation_id)
    is_same_trade = fill.trade_id == position.last_trade_id
    return msgspec.structs.replace(
        changed,
        last_trade_id=fill.trade_id,
        last_order_ids=(*(position.last_order_ids if is_same_trade else ()), fill.order_id),
    )


def _buy(position: Position, fill: FillRow) -> Position:
    received = fill.qty - _fee_in(fill, position.base)
    return msgspec.structs.replace(
        position,
        amount=position.amount + received,
        cost=position.cost + fill.quote_qty + _fee_in_quote(fill, position),
        bought=position.bought + fill.qty,
        paid=position.paid + fill.quote_qty,
    )


def _sell(position: Position, fill: FillRow) -> Position:
    given = fill.qty + _fee_in(fill, position.base)
    proceeds = fill.quote_qty - _fee_in_quote(fill, position)
    tracked = min(given, position.amount)
    share = position.cost * tracked // position.amount if position.amount else 0
    # Of a sale that is only partly tracked, only that part of the proceeds has a cost to compare with.
    earned = proceeds if tracked == given else proceeds * tracked // given
    return msgspec.structs.replace(
        position,
        amount=position.amount - tracked,
        cost=position.cost - share,
        realised_pnl=position.realised_pnl + (earned - share if tracked else 0),
        untracked_sold=position.untracked_sold + given - tracked,
        sold=position.sold + fill.qty,
        received=position.received + fill.quote_qty,
    )


def _fee_in(fill: FillRow, asset: str) -> int:
    return fill.commission if fill.commission_asset == asset else 0


def _fee_in_quote(fill: FillRow, position: Position) -> int:
    if fill.commission_asset == position.quote:
        return fill.commission
    if fill.commission_asset == position.base:
        return 0
    return fill.commission_value or 0


def _with_fee(fees: tuple[tuple[str, int], ...], fill: FillRow) -> tuple[tuple[str, int], ...]:
    if not fill.commission:
        return fees
    sums = dict(fees)
    sums[fill.commission_asset] = sums.get(fill.commission_asset, 0) + fill.commission
    return tuple(sorted(sums.items()))
