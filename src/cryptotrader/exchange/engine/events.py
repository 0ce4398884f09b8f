"""What the engine tells about a command or a market event, in the order in which it happened."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cryptotrader.core.events import BookTicker, DepthDiff, Trade
from cryptotrader.core.orders import ExecutionType
from cryptotrader.exchange.engine.order_lists import OrderList
from cryptotrader.exchange.engine.orders import Amendment, Fill, Order, PreventedMatch, Trail

Balance = tuple[str, int, int]
"""(asset, free, locked), scaled."""


class OrderUpdate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order changed: an ``executionReport`` (``user-data-stream.md``, "Order Update")."""

    order: Order
    """The order after the change, with its own client order id: the row to keep."""
    execution: ExecutionType
    execution_id: int
    """``I``: grows by one with every update of the exchange."""
    time_ms: int
    client_order_id: str
    """``c``: the order's own id; in a cancel the id of the cancel."""
    orig_client_order_id: str = ""
    """``C``: in a cancel the order's own id, else empty."""
    fill: Fill | None = None
    reason: str = "NONE"
    """``r``: the reject reason."""
    prevented: PreventedMatch | None = None
    """In a ``TRADE_PREVENTION`` and in the expiry that follows from it."""
    last_prevented_qty: int = 0
    """``B``, scaled."""
    amendment: Amendment | None = None
    """In a ``REPLACED`` by an amendment."""


Part = tuple[int, str, bool, int]
"""What an order's side of a trade has of its own: (trade id, why, whether it is the maker, allocation id)."""


class Cause(NamedTuple):
    """What a report tells besides the order."""

    cancel_id: str = ""
    """Client order id of the cancel."""
    prevented: PreventedMatch | None = None
    lost: int = 0
    """What self-trade prevention took away just now, scaled."""
    amendment: Amendment | None = None
    refused: str = "NONE"
    """Why an order that waited was not let in (``user-data-stream.md``, "Order Reject Reason")."""


NO_CAUSE = Cause()


class ListUpdate(msgspec.Struct, frozen=True, gc=False):
    """An order list changed: ``listStatus``. Comes before the reports of its orders."""

    order_list: OrderList
    time_ms: int


class BalancesChanged(msgspec.Struct, frozen=True, gc=False):
    """Balances that a command or market event may have changed: ``outboundAccountPosition``."""

    account: str
    balances: tuple[Balance, ...]
    time_ms: int


class BalanceAdjusted(msgspec.Struct, frozen=True, gc=False):
    """A deposit or withdrawal from outside: ``balanceUpdate``."""

    account: str
    asset: str
    delta: int
    time_ms: int


class TradePrinted(msgspec.Struct, frozen=True, gc=False):
    """A public trade."""

    trade: Trade
    taker: int = 0
    """Id of the user's order that took; 0 where somebody in the source's market did."""


class DepthChanged(msgspec.Struct, frozen=True, gc=False):
    """The displayed book changed. Quantities are absolute and include users' orders."""

    diff: DepthDiff


class TopChanged(msgspec.Struct, frozen=True, gc=False):
    """The displayed best bid and ask."""

    ticker: BookTicker


class OrderKept(msgspec.Struct, frozen=True, gc=False):
    """An order's record changed in a way that nobody is told of: what it holds for its list, that it began to trail."""

    order: Order
    time_ms: int


class TrailMoved(msgspec.Struct, frozen=True, gc=False):
    """Trailing stops of one side of a symbol began to follow the price, or followed it. Nobody is told."""

    trail: Trail
    time_ms: int


UserEvent = OrderUpdate | ListUpdate | BalancesChanged | BalanceAdjusted
"""Events for one account."""

MarketEvent = TradePrinted | DepthChanged | TopChanged
"""Public events."""

KeptEvent = OrderKept | TrailMoved
"""For whoever keeps the records; nobody else is told."""

Event = UserEvent | MarketEvent | KeptEvent
