"""What changes the paper exchange: every command, who may sign, and how it is kept.

A command takes effect at once; it is acknowledged when ``committed`` returns, and not before.
"""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Iterable

from cryptotrader.config import get_logger
from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.engine.events import Event
from cryptotrader.exchange.engine.order_lists import CancelledList, CancelList, NewOrderList, OrderList
from cryptotrader.exchange.engine.orders import Amendment, AmendOrder, CancelOrder, NewOrder, Order
from cryptotrader.exchange.keeper import Keeper
from cryptotrader.exchange.questions import VenueQuestions
from cryptotrader.exchange.records import Records
from cryptotrader.exchange.store import StoreBroken

log = get_logger(__name__)


class VenueCommands(VenueQuestions):
    """The part of the venue that changes something.

    All commands raise ``StoreBroken`` and change nothing once the disk or the engine has failed.
    """

    _keeper: Keeper
    _records: Records
    _is_failure_told = False

    @abstractmethod
    def _emit(self, command: str, events: Iterable[Event]) -> None:
        """Count, keep and publish what a command did; ``command`` names it in the journal."""

    # Keeping

    def require_store(self) -> None:
        """Make sure that what happens next can be kept.

        Raises:
            StoreBroken: The disk did not take something earlier, or the engine failed.
        """
        if self._keeper.is_broken or self._has_failed():
            raise StoreBroken

    def _has_failed(self) -> bool:
        """Whether the engine failed midway: what it holds then may not be kept, told or traded with."""
        if self.engine.is_broken and not self._is_failure_told:
            self._is_failure_told = True
            log.error(
                "the paper exchange failed in the midst of a command and takes nothing any more; start it again: what "
                "it acknowledged is on disk"
            )
        return self.engine.is_broken

    async def committed(self) -> None:
        """Return when everything that has happened so far is on disk.

        Raises:
            StoreBroken: The disk does not take it.
        """
        await self._keeper.wait()

    def tell_when_committed(self, told: Callable[[bool], None]) -> None:
        """The same by a call back, which gets whether it is; at once where there is nothing to wait for.

        Raises:
            StoreBroken: The disk does not take it.
        """
        self._keeper.tell(told)

    # Orders

    def submit(self, account: str, order: NewOrder) -> Order:
        """Place an order.

        Raises:
            Refusal: It was not accepted; nothing has changed.
        """
        self.require_store()
        placed, events = self.engine.submit(account, order, self.now_ms())
        self._emit("submit", events)
        return placed

    def check(self, account: str, order: NewOrder) -> None:
        """Would the order be accepted?

        Raises:
            Refusal: It would not.
        """
        self.engine.check(account, order, self.now_ms())

    def cancel(self, account: str, which: CancelOrder) -> Order:
        """Cancel an open order, and with it the list that it belongs to.

        Raises:
            Refusal: There is no such open order.
        """
        self.require_store()
        order, events = self.engine.cancel(account, which, self.now_ms())
        self._emit("cancel", events)
        return order

    def cancel_all(self, account: str, symbol: str) -> list[Order | CancelledList]:
        """Cancel every open order of a symbol; lists come as lists.

        Raises:
            Refusal: There is none.
        """
        self.require_store()
        found, events = self.engine.cancel_all(account, symbol, self.now_ms())
        self._emit("cancel_all", events)
        return found

    def amend(self, account: str, which: AmendOrder) -> tuple[Amendment, Order, OrderList | None]:
        """Make an open order smaller in its place.

        Raises:
            Refusal: There is no such order, or it cannot become what is wanted.
        """
        self.require_store()
        amendment, order, order_list, events = self.engine.amend(account, which, self.now_ms())
        self._emit("amend", events)
        return amendment, order, order_list

    def submit_list(self, account: str, new: NewOrderList) -> tuple[OrderList, list[Order]]:
        """Place an order list.

        Raises:
            Refusal: It was not accepted; nothing has changed.
        """
        self.require_store()
        order_list, orders, events = self.engine.submit_list(account, new, self.now_ms())
        self._emit("submit_list", events)
        return order_list, orders

    def cancel_list(self, account: str, which: CancelList) -> tuple[OrderList, list[Order]]:
        """Cancel a whole order list.

        Raises:
            Refusal: There is no such open list.
        """
        self.require_store()
        order_list, orders, events = self.engine.cancel_list(account, which, self.now_ms())
        self._emit("cancel_list", events)
        return order_list, orders

    # Accounts

    def open_account(self, account: PaperAccount) -> None:
        """Open an account with its first balances.

        Raises:
            ConfigError: There is one of this name.
        """
        self.require_store()
        self.roster.open(account)

    def set_realism(self, account: str, realism: str) -> None:
        """How the account's resting orders are filled from now on: optimistic, realistic or pessimistic.

        Raises:
            Refusal: -2015, there is no such account.
        """
        self.require_store()
        self.roster.change(dataclasses.replace(self.roster.account(account), realism=realism))

    def deposit(self, account: str, asset: str, delta: int) -> None:
        """Add to what is free (scaled), or with a negative amount take from it.

        Raises:
            ValueError: More is taken than is free.
        """
        self.require_store()
        self._emit("deposit", self.engine.adjust(account, asset, delta, self.now_ms()))

    def keep_listen_key(self, account: str, data: bytes) -> None:
        """Put an account's listen key on disk with the next transaction."""
        self._keeper.add([self._records.listen_key(account, data)], command="listen_key")

    # The market

    def set_status(self, symbol: str, status: str) -> None:
        """Halt a symbol (``HALT``, ``BREAK``, ``END_OF_DAY``) or let it trade again (``TRADING``)."""
        self.require_store()
        self._emit("set_status", self.engine.set_status(symbol, status, self.now_ms()))
        self._keeper.add([self._records.status(symbol, status)], command="set_status")
