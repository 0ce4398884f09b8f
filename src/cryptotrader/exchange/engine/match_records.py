"""What matching keeps besides trades: prevented matches, allocations, amendments; trade groups and realism."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from cryptotrader.core.orders import Realism
from cryptotrader.exchange.engine.accounts import ALWAYS, Period
from cryptotrader.exchange.engine.matching.routing import routes_of
from cryptotrader.exchange.engine.orders import NO_TRADE, Amendment, Fill, PreventedMatch
from cryptotrader.exchange.engine.records import DEFAULT_LIMIT, Records
from cryptotrader.exchange.engine.rules import SorGroup, SymbolRules


class MatchRecords(Records):
    """Records with what self-trade prevention, smart order routing and amendments add.

    Args:
        rules: The symbols that trade here.
        sor_groups: Symbols that smart order routing joins.
    """

    def __init__(self, rules: Iterable[SymbolRules], sor_groups: Iterable[SorGroup] = ()) -> None:
        super().__init__(rules)
        self.sor_groups = tuple(sor_groups)
        """``sors`` of ``exchangeInfo``."""
        self._routes = routes_of(self.sor_groups, self._markets)

    # Accounts

    def realism(self, account: str) -> Realism:
        """How readily an account's orders are filled."""
        return self._accounts[account].realism

    def set_realism(self, account: str, realism: Realism) -> None:
        """Change how readily an account's orders are filled, from the next command or market event on."""
        self._accounts[account].realism = realism

    def trade_group(self, account: str) -> int:
        """``tradeGroupId``; -1 for none."""
        return self._accounts[account].trade_group_id

    def set_trade_group(self, account: str, trade_group_id: int) -> None:
        """Put an account into a trade group (0 or more), or with -1 into none."""
        self._accounts[account].trade_group_id = trade_group_id

    # Questions

    def reference_price(self, symbol: str, now_ms: int) -> int | None:
        """The reference price of the price range rule; None where the symbol has none now."""
        return self._market(symbol).reference_price(now_ms)

    def prevented_matches(
        self, account: str, symbol: str, *, limit: int = DEFAULT_LIMIT, **which: int | None
    ) -> list[PreventedMatch]:
        """Prevented matches in which the account was on either side, oldest first (``myPreventedMatches``).

        Args:
            account: Whose.
            symbol: The taker's.
            limit: Most rows.
            which: ``prevented_match_id``, ``order_id`` (of either side), ``from_id``; None and left out are the same.
        """
        self._market(symbol)
        match_id, order_id, from_id = _named(which, "prevented_match_id", "order_id", "from_id")
        found: Iterable[PreventedMatch] = self._accounts[account].history(symbol).prevented
        if match_id is not None:
            found = (each for each in found if each.prevented_match_id == match_id)
        if order_id is not None:
            found = (each for each in found if order_id in (each.taker_order_id, each.maker_order_id))
        if from_id is not None:
            found = (each for each in found if each.prevented_match_id >= from_id)
        return list(islice(found, limit))

    def allocations(
        self,
        account: str,
        symbol: str,
        *,
        period: Period = ALWAYS,
        limit: int = DEFAULT_LIMIT,
        **which: int | None,
    ) -> list[Fill]:
        """Fills that smart order routing allocated, oldest first (``myAllocations``).

        Args:
            account: Whose.
            symbol: The taker's.
            period: When.
            limit: Most rows: the first ones from an id or a time on, else the newest.
            which: ``order_id``, ``from_id``; None and left out are the same.
        """
        self._market(symbol)
        order_id, from_id = _named(which, "order_id", "from_id")
        found = [
            fill
            for fill in self._accounts[account].history(symbol).fills
            if fill.allocation_id != NO_TRADE
            and order_id in (None, fill.order_id)
            and fill.allocation_id >= (from_id or 0)
            and period.holds(fill.time_ms)
        ]
        is_from_the_start = from_id is not None or period.start_ms is not None
        return found[:limit] if is_from_the_start else found[-limit:]

    def amendments(
        self,
        account: str,
        symbol: str,
        order_id: int,
        *,
        from_execution_id: int | None = None,
        limit: int = DEFAULT_LIMIT,
    ) -> list[Amendment]:
        """Amendments of one order, oldest first (``order.amendments``)."""
        self._market(symbol)
        found = [
            each
            for each in self._accounts[account].history(symbol).amendments
            if each.order_id == order_id and each.execution_id >= (from_execution_id or 0)
        ]
        return found[:limit]


def _named(which: dict[str, int | None], *names: str) -> list[int | None]:
    """The values of keywords, in order; who passes another one hears of it as of any function."""
    unknown = which.keys() - set(names)
    if unknown:
        raise TypeError(f"no such way to choose: {', '.join(sorted(unknown))}")
    return [which.get(name) for name in names]
