"""Orders and fills. Prices and quantities are scaled integers (``core.scaled``), times epoch milliseconds."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from cryptotrader.core.orders import (
    OPEN_STATUSES,
    OrderStatus,
    OrderType,
    PegOffsetType,
    PegPriceType,
    Side,
    TimeInForce,
)

NO_ORDER_LIST = -1
"""``orderListId`` of an order that belongs to no list."""

NOT_WORKING_MS = -1
"""``workingTime`` of an order that has not worked yet."""

NO_TRADE = -1
"""Trade id of a fill that is an allocation, and allocation id of one that is a trade."""


class Stop(msgspec.Struct, frozen=True):
    """When a contingent order begins to work (``faqs/trailing-stop-faq.md``). At least one of the two is set."""

    price: int = 0
    """``stopPrice``, scaled; 0 for a trailing order that tracks from the start."""
    trailing_delta: int = 0
    """Basis points; 0 where the order does not trail."""


class Peg(msgspec.Struct, frozen=True):
    """How an order takes its price from the book when it enters (``faqs/pegged_orders.md``)."""

    price_type: PegPriceType
    offset_type: PegOffsetType | None = None
    offset_value: int = 0
    """Price levels, 0 to 100."""
    price: int = 0
    """Scaled: what the client sent as ``price`` besides, which answers repeat; 0 where it sent none."""


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a client asks for: ``POST /api/v3/order`` after its parameters were read.

    A MARKET order has either ``qty`` or ``quote_order_qty``; an order of any other type has ``price`` and ``qty``.
    """

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce = TimeInForce.GTC
    price: int = 0
    """Scaled; 0 for MARKET."""
    qty: int = 0
    """Scaled; 0 where ``quote_order_qty`` is given."""
    quote_order_qty: int = 0
    """Scaled; MARKET only: how much of the quote asset to spend or to receive."""
    client_order_id: str = ""
    """Empty: the engine makes one."""
    self_trade_prevention_mode: str = "NONE"
    strategy_id: int | None = None
    strategy_type: int | None = None
    stop: Stop | None = None
    """STOP_LOSS, TAKE_PROFIT and their _LIMIT kinds."""
    iceberg_qty: int = 0
    """Scaled: how much of it the book shows at a time; 0 shows all."""
    peg: Peg | None = None
    """``price`` is 0 then."""
    use_sor: bool = False
    """Smart order routing: trade with every book of the base asset's group (``faqs/sor_faq.md``)."""


class CancelOrder(msgspec.Struct, frozen=True, gc=False):
    """A command to cancel one open order, named by either id."""

    symbol: str
    order_id: int | None = None
    client_order_id: str | None = None
    new_client_order_id: str = ""
    """Id of the cancel itself. Empty: the engine makes one."""


class AmendOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A command to make an open order smaller in its place (``faqs/order_amend_keep_priority.md``)."""

    symbol: str
    order_id: int | None = None
    client_order_id: str | None = None
    qty: int
    """Scaled: the whole quantity from now on."""
    new_client_order_id: str = ""
    """The order's id from then on. Empty: the engine makes one."""


class Amendment(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One amendment that was carried out: a row of ``order.amendments``."""

    account: str
    symbol: str
    order_id: int
    execution_id: int
    orig_client_order_id: str
    new_client_order_id: str
    orig_qty: int
    new_qty: int
    time_ms: int


class PreventedMatch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A trade that self-trade prevention did not let happen: a row of ``myPreventedMatches`` (``faqs/stp_faq.md``)."""

    prevented_match_id: int
    """Counts per symbol."""
    account: str
    symbol: str
    taker_order_id: int
    maker_symbol: str
    maker_order_id: int
    maker_account: str = ""
    """Whose the maker is: ``account``, or another one of its trade group."""
    trade_group_id: int
    mode: str
    price: int
    qty: int = 0
    """Scaled: what would have traded (``pl`` of an execution report), which is at most what either side had left."""
    taker_prevented_qty: int = 0
    """Scaled: what the taker lost; 0 where the mode leaves the taker alone."""
    maker_prevented_qty: int = 0
    time_ms: int


class Fill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One account's side of one trade: a row of ``myTrades``, or of ``myAllocations`` where it has an allocation id."""

    trade_id: int
    order_id: int
    account: str
    symbol: str
    price: int
    qty: int
    quote_qty: int
    """price * qty, cut to eight places."""
    commission: int
    commission_asset: str
    is_maker: bool
    is_buyer: bool
    time_ms: int
    allocation_id: int = NO_TRADE
    """Smart order routing: counts per symbol; ``trade_id`` is ``NO_TRADE`` then."""
    why: str = ""
    """What made it happen: see ``FillReason``."""


class Trail(msgspec.Struct, frozen=True):
    """How far the trailing stops of one side of a symbol have followed the price.

    One that began to follow later has never seen a better price than one that began earlier, so a few steps tell of all
    of them, and one trade changes one step.
    """

    symbol: str
    side: Side
    steps: tuple[tuple[int, int], ...]
    """(trade id, price), by trade id: whoever began at this trade or a later one, before the next step's, has followed
    to the price."""

    def followed(self, order: Order) -> int:
        """The price that a trailing order of this symbol and side has followed to."""
        place = bisect_right(self.steps, order.trailing_trade_id, key=lambda step: step[0])
        return self.steps[place - 1][1] if place else order.trailing_price


class Order(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """The engine's record of one order. What leaves the engine is a copy that changes no more.

    Written down without what has its default value: less than half the bytes to write and to read.
    """

    order_id: int
    client_order_id: str
    account: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    price: int
    qty: int
    """Scaled (``origQty``). For MARKET by ``quote_order_qty``: what that amount bought or sold."""
    time_ms: int
    """When it was accepted."""
    update_ms: int
    working_ms: int
    """When it went on the book or to match; ``NOT_WORKING_MS`` before."""
    executed: int = 0
    quote_executed: int = 0
    """``cummulativeQuoteQty``."""
    status: OrderStatus = OrderStatus.NEW
    quote_order_qty: int = 0
    order_list_id: int = NO_ORDER_LIST
    self_trade_prevention_mode: str = "NONE"
    strategy_id: int | None = None
    strategy_type: int | None = None
    stop: Stop | None = None
    iceberg_qty: int = 0
    peg: Peg | None = None
    """``price`` is what the peg gave when the order entered the book; 0 before."""
    use_sor: bool = False
    is_working: bool = True
    """Whether it is on the book or has matched. A stop that waits, and an order that pends in a list, do not work."""
    trailing_ms: int = 0
    """``trailingTime``: since when a trailing order follows the price; 0 before."""
    trailing_price: int = 0
    """The best price that it has followed to, scaled. Between two reports the ``Trail`` of its symbol knows better."""
    trailing_trade_id: int = 0
    """Public id of the last trade when it began to follow."""
    prevented_qty: int = 0
    """``preventedQuantity``: what self-trade prevention took away from it, scaled."""
    amends: int = 0
    """How often it was amended."""
    held: int = 0
    """What it holds locked, scaled: of the quote asset for a buy, of the base asset for a sell. Of two orders of which
    one cancels the other, one holds for both."""
    expiry_reason: str = ""
    """``expiryReason`` of an order that expired (``user-data-stream.md``, "Order Expiry Reason")."""
    prevented_match_id: int = NO_TRADE
    """``preventedMatchId``: the last prevented match that took quantity away from it; ``NO_TRADE`` where none did."""
    working_floor: str = ""
    """``workingFloor`` of an order that uses smart order routing: ``SOR`` where its last activity (a fill, its expiry)
    was on another book, ``EXCHANGE`` where it was on its own. Empty counts as ``EXCHANGE``."""
    orig_client_order_id: str = ""
    """Only in the answer to a cancel: the order's own id, while ``client_order_id`` there names the cancel."""
    fills: tuple[Fill, ...] = ()
    prevented_matches: tuple[PreventedMatch, ...] = ()
    """Like ``fills``: those in which it was the taker, for the answer to its placing (``preventedMatches``)."""

    @property
    def remaining(self) -> int:
        """What is still to be traded. What self-trade prevention took away counts as gone."""
        return self.qty - self.executed - self.prevented_qty

    @property
    def is_open(self) -> bool:
        """Whether it can still trade."""
        return self.status in OPEN_STATUSES

    if TYPE_CHECKING:

        def snapshot(self) -> Order:
            """A copy for the outside."""
            ...

    else:
        snapshot = msgspec.Struct.__copy__
        """Without a function around it: orders are copied with every report, and the call takes as long as the copy."""
