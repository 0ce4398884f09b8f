"""The vocabulary of orders. Values are Binance's own words (``enums.md``), so they go on the wire as they are."""

from __future__ import annotations

from enum import StrEnum as _StrEnum


class StrEnum(_StrEnum):
    """Words that hash as the strings they are: the hash of ``enum`` is in Python, which a matching engine feels."""

    __hash__ = str.__hash__


class Side(StrEnum):
    """Which way an order trades the base asset."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def opposite(self) -> Side:
        """The side that this one trades against."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """Order types of the spot market."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"
    LIMIT_MAKER = "LIMIT_MAKER"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"


class TimeInForce(StrEnum):
    """How long an order may work: until cancelled, immediately or not at all, whole or not at all."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderStatus(StrEnum):
    """Where an order stands."""

    NEW = "NEW"
    PENDING_NEW = "PENDING_NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    PENDING_CANCEL = "PENDING_CANCEL"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self in OPEN_STATUSES


OPEN_STATUSES = frozenset(
    {OrderStatus.NEW, OrderStatus.PENDING_NEW, OrderStatus.PARTIALLY_FILLED, OrderStatus.PENDING_CANCEL}
)
"""Of orders that can still trade."""


class ExecutionType(StrEnum):
    """Why an execution report is sent (field ``x``)."""

    NEW = "NEW"
    CANCELED = "CANCELED"
    REPLACED = "REPLACED"
    REJECTED = "REJECTED"
    TRADE = "TRADE"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"


class ListStatusType(StrEnum):
    """What a ``listStatus`` tells (``enums.md``, "Order List Status")."""

    RESPONSE = "RESPONSE"
    EXEC_STARTED = "EXEC_STARTED"
    UPDATED = "UPDATED"
    ALL_DONE = "ALL_DONE"


class ListOrderStatus(StrEnum):
    """Where an order list stands (``enums.md``, "Order List Order Status")."""

    EXECUTING = "EXECUTING"
    ALL_DONE = "ALL_DONE"
    REJECT = "REJECT"


class PegPriceType(StrEnum):
    """Which price a pegged order starts from: the same side's best, or the opposite side's."""

    PRIMARY_PEG = "PRIMARY_PEG"
    MARKET_PEG = "MARKET_PEG"


class PegOffsetType(StrEnum):
    """How the offset of a pegged order is counted."""

    PRICE_LEVEL = "PRICE_LEVEL"


class FillReason(StrEnum):
    """Why a paper order was filled."""

    TAKER = "TAKER"
    """It came in and met what rested there."""
    USER = "USER"
    """Another user's order came in and met it."""
    TOUCH = "TOUCH"
    """The market reached its price."""
    QUEUE = "QUEUE"
    """Trades at its price ate the queue ahead of it."""
    THROUGH = "THROUGH"
    """The market traded beyond its price."""
    CROSSED = "CROSSED"
    """The source's book came to lie beyond its price."""
    ALLOCATION = "ALLOCATION"
    """Smart order routing took it from another book."""


class Realism(StrEnum):
    """How readily an account's paper orders are filled by the market. Other users' orders always count in full."""

    OPTIMISTIC = "optimistic"
    """A resting order is filled whole as soon as the market touches its price, whatever queued there before it."""
    REALISTIC = "realistic"
    """It queues behind the size that was there, and gets no more than what traded."""
    PESSIMISTIC = "pessimistic"
    """It is filled only when the market trades, or offers, beyond its price. A taker gets half of what a level shows
    (rounded up to a step), and twice what it got is gone from the level."""
