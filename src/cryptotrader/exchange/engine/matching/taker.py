"""Who takes: whom it must not trade with, within which prices, how much of the market it gets."""

from __future__ import annotations

from collections.abc import Mapping
from math import lcm
from typing import TYPE_CHECKING, NamedTuple

from cryptotrader.exchange.engine.matching.book import Piece
from cryptotrader.exchange.engine.matching.grouped import Grouped
from cryptotrader.exchange.engine.orders import Order

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.matching.market import SymbolMarket

NO_GROUP = -1
"""Trade group of who is in none."""

EXPIRES_TAKER = frozenset({"EXPIRE_TAKER", "EXPIRE_BOTH"})
EXPIRES_MAKER = frozenset({"EXPIRE_MAKER", "EXPIRE_BOTH"})
DECREMENTS = frozenset({"DECREMENT", "TRANSFER"})


class Taker(NamedTuple):
    """What of an order that takes, and of its account, decides what it may trade with."""

    account: str = ""
    mode: str = "NONE"
    """The taker's self-trade prevention."""
    group: int = NO_GROUP
    accounts: Mapping[str, Grouped] = {}
    """Accounts by id; asked only where the taker is in a trade group."""
    lowest: int = 0
    """Trades below it are not allowed; 0 for no bound."""
    highest: int = 0
    is_thin: bool = False
    """Whether the taker gets only half of each external level (``Realism.PESSIMISTIC``)."""
    step: int = 1
    """Grain of quantities, scaled."""

    def is_self(self, maker: Order) -> bool:
        """Whether a trade with an order would be a self-trade that has to be prevented."""
        if self.mode == "NONE":
            return False
        if maker.account == self.account:
            return True
        return self.group != NO_GROUP and self.accounts[maker.account].trade_group_id == self.group

    def effective_mode(self, maker: Order) -> str:
        """The taker's mode. A transfer takes two that want it (``faqs/stp_faq.md``, the table)."""
        if self.mode == "TRANSFER" and maker.self_trade_prevention_mode != "TRANSFER":
            return "DECREMENT"
        return self.mode

    def offered(self, piece: Piece) -> int:
        """How much of a piece the taker may have."""
        _, available, maker, _ = piece
        if maker is None and self.is_thin:
            half = (available + 1) // 2
            available = min(available, half + -half % self.step)
        return available

    def whole(self, qty: int, market: SymbolMarket | None) -> int:
        """As much of a quantity as is in whole lots of the taker's symbol and of the one where it would trade.

        By smart order routing they may differ; each book keeps to its own.
        """
        if market is None:
            return qty
        return qty - qty % lcm(self.step or 1, market.rules.step or 1)


FREE_TAKER = Taker()
"""A taker that nothing holds back."""
