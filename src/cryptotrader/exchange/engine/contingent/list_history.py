"""One account's order lists, oldest first, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptotrader.exchange.engine.order_lists import OrderList

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.accounts import Period

MAX_KEPT_LISTS = 20_000
"""Order lists remembered per account. Unit: lists. Reason: bounds memory as the bound on orders does."""


class ListHistory:
    """Order lists by id and by client id; the open ones apart."""

    def __init__(self) -> None:
        self.lists: dict[int, OrderList] = {}
        self.open: dict[int, OrderList] = {}
        self._by_client_id: dict[str, int] = {}

    def add(self, order_list: OrderList) -> None:
        """Remember a new list; forgets the oldest closed one when full."""
        self.lists[order_list.list_id] = order_list
        self._by_client_id[order_list.client_list_id] = order_list.list_id
        if order_list.is_open:
            self.open[order_list.list_id] = order_list
        if len(self.lists) > MAX_KEPT_LISTS:
            oldest = next((kept for kept in self.lists.values() if not kept.is_open), None)
            if oldest is not None:
                del self.lists[oldest.list_id]
                if self._by_client_id.get(oldest.client_list_id) == oldest.list_id:
                    del self._by_client_id[oldest.client_list_id]

    def close(self, order_list: OrderList) -> None:
        """A list is done."""
        self.open.pop(order_list.list_id, None)

    def bears_open(self, client_list_id: str) -> bool:
        """Whether an open list bears a client id."""
        return self._by_client_id.get(client_list_id) in self.open

    def count_open(self, symbol: str | None = None) -> int:
        """How many lists are open, on one symbol or on all."""
        if symbol is None:
            return len(self.open)
        return sum(order_list.symbol == symbol for order_list in self.open.values())

    def find(self, list_id: int | None, client_list_id: str | None) -> OrderList | None:
        """The list that bears the ids given; where both are given, both must fit."""
        if list_id is None:
            list_id = None if client_list_id is None else self._by_client_id.get(client_list_id)
            return None if list_id is None else self.lists.get(list_id)
        found = self.lists.get(list_id)
        if found is not None and client_list_id is not None and found.client_list_id != client_list_id:
            return None
        return found

    def select(self, *, from_id: int | None, period: Period, limit: int) -> list[OrderList]:
        """Copies: the oldest first from an id or a time on; else the newest first."""
        found = [kept for kept in self.lists.values() if period.holds(kept.time_ms)]
        if from_id is not None:
            found = [kept for kept in found if kept.list_id >= from_id]
        elif period.start_ms is None:
            found.reverse()
        return [kept.snapshot() for kept in found[:limit]]
