"""The paper exchange's engine: the one entrance for commands and market events.

Every command either raises ``Refusal`` and changes nothing, or is carried out whole and returns what happened.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptotrader.core.events import BookSnapshot, BookTicker, DepthDiff, Trade
from cryptotrader.core.orders import OrderStatus, OrderType, TimeInForce
from cryptotrader.exchange.engine.accounts import TAKE_ANY_PRICE, needed_lock, waiting_lock
from cryptotrader.exchange.engine.admission import admit, check_rules
from cryptotrader.exchange.engine.contingent.activation import settle
from cryptotrader.exchange.engine.contingent.placing import admit_list, cancel_whole, place
from cryptotrader.exchange.engine.errors import unknown_order
from cryptotrader.exchange.engine.events import (
    BalanceAdjusted,
    Cause,
    DepthChanged,
    Event,
    ListUpdate,
    TopChanged,
    TradePrinted,
)
from cryptotrader.exchange.engine.execution import Execution
from cryptotrader.exchange.engine.ids import make_client_order_id
from cryptotrader.exchange.engine.match_records import MatchRecords
from cryptotrader.exchange.engine.matching import liquidity
from cryptotrader.exchange.engine.matching.amend import amend, find_amendable
from cryptotrader.exchange.engine.matching.entry import enter
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.matching.pegs import check_pegged, price_new
from cryptotrader.exchange.engine.matching.routing import route
from cryptotrader.exchange.engine.order_lists import CancelledList, CancelList, Leg, NewOrderList, OrderList
from cryptotrader.exchange.engine.orders import NOT_WORKING_MS, Amendment, AmendOrder, CancelOrder, NewOrder, Order
from cryptotrader.exchange.engine.rules import SorGroup, SymbolRules, check_may_cancel

_TIMED = frozenset({OrderType.LIMIT, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
"""Types that have a time in force; the others are GTC."""

_CANCELED = OrderStatus.CANCELED


class Engine(MatchRecords):
    """Matching, balances and the public book of every symbol.

    Questions, accounts and state are in ``Records`` and ``MatchRecords``, which this extends.

    Args:
        rules: The symbols that trade here.
        sor_groups: Symbols that smart order routing joins.
    """

    def __init__(self, rules: Iterable[SymbolRules], sor_groups: Iterable[SorGroup] = ()) -> None:
        super().__init__(rules, sor_groups)
        self._run = Execution(self._accounts, self._due, self._next_execution_id, 0)
        self._is_midway = False

    @property
    def is_broken(self) -> bool:
        """Whether something failed midway, by a fault of ours: a part of it has happened, and nobody was told."""
        return self._is_midway

    # Commands

    def adjust(self, account: str, asset: str, delta: int, now_ms: int) -> list[Event]:
        """Deposit (or with a negative amount withdraw) from outside.

        Raises:
            ValueError: More is withdrawn than is free.
        """
        self._accounts[account].wallet.credit(asset, delta)
        run = self._start(now_ms)
        run.events.append(BalanceAdjusted(account, asset, delta, now_ms))
        run.touch(account, (asset,))
        return self._end(run)

    def submit(self, account: str, new: NewOrder, now_ms: int) -> tuple[Order, list[Event]]:
        """Place an order.

        Returns:
            A copy of the order after its immediate trades, with its fills; and what happened.

        Raises:
            Refusal: The order is not accepted; nothing has changed.
        """
        market = self._market(new.symbol)
        owner = self._accounts[account]
        if new.peg is not None:
            new = price_new(market, new, lambda each: check_rules(market, owner, each, now_ms))
        if new.use_sor:
            # The account's terms come before the route, as in ``check``.
            check_rules(market, owner, new, now_ms)
        others = route(self._routes, new) if new.use_sor else ()
        plan = admit(market, owner, new, others, now_ms)
        run = self._start(now_ms)
        order = self._new_order(account, new, new.qty or plan.wanted, now_ms)
        if order.stop is not None:
            market.wait(order, self._due, now_ms)
            run.accept(market, order, lock=waiting_lock(order, market.last_price))
        else:
            run.accept(market, order, lock=needed_lock(order))
            enter(market, order, plan, run)
        return order.snapshot(), self._end(run)

    def _new_order(self, account: str, new: NewOrder, qty: int, now_ms: int) -> Order:
        order_id = self._next_order_id
        self._next_order_id += 1
        order = Order(
            order_id=order_id,
            client_order_id=new.client_order_id or make_client_order_id("order", order_id),
            account=account,
            symbol=new.symbol,
            side=new.side,
            type=new.type,
            time_in_force=new.time_in_force if new.type in _TIMED else TimeInForce.GTC,
            price=0 if new.type in TAKE_ANY_PRICE else new.price,
            qty=qty,
            time_ms=now_ms,
            update_ms=now_ms,
            working_ms=now_ms,
            quote_order_qty=new.quote_order_qty,
            self_trade_prevention_mode=new.self_trade_prevention_mode,
            iceberg_qty=new.iceberg_qty,
            peg=new.peg,
            use_sor=new.use_sor,
        )
        # What few orders have: left out above, it saves the others a tenth of their way through the engine.
        if new.strategy_id is not None or new.strategy_type is not None:
            order.strategy_id, order.strategy_type = new.strategy_id, new.strategy_type
        if new.stop is not None:
            order.stop, order.working_ms, order.is_working = new.stop, NOT_WORKING_MS, False
        return order

    def check(self, account: str, new: NewOrder, now_ms: int) -> None:
        """``order/test``: the symbol's rules, neither balances nor the book.

        Raises:
            Refusal: The order breaks a rule.
        """
        market = self._market(new.symbol)
        owner = self._accounts[account]
        if new.peg is not None:
            check_pegged(new, lambda each: check_rules(market, owner, each, now_ms))
        else:
            check_rules(market, owner, new, now_ms)
        if new.use_sor:
            route(self._routes, new)

    def cancel(self, account: str, which: CancelOrder, now_ms: int) -> tuple[Order, list[Event]]:
        """Cancel an open order.

        Returns:
            A copy of the order in which ``client_order_id`` names the cancel and ``orig_client_order_id`` is the
            order's own, as in Binance's answer; and what happened.

        Raises:
            Refusal: -2011 where the account has no such open order.
        """
        market = self._market(which.symbol)
        owner = self._accounts[account]
        check_may_cancel(owner)
        order = owner.history(which.symbol).find(which.order_id, which.client_order_id)
        if order is None or not order.is_open:
            raise unknown_order()
        run = self._start(now_ms)
        answer = self._cancel(market, order, which.new_client_order_id, run)
        return answer, self._end(run)

    def cancel_all(self, account: str, symbol: str, now_ms: int) -> tuple[list[Order | CancelledList], list[Event]]:
        """Cancel all open orders of a symbol, lists and all, with one id for the whole.

        Returns:
            Copies as ``cancel`` and ``cancel_list`` give them, oldest first; and what happened.

        Raises:
            Refusal: -2011 where there is none.
        """
        market = self._market(symbol)
        owner = self._accounts[account]
        check_may_cancel(owner)
        orders = list(owner.history(symbol).open.values())
        if not orders:
            raise unknown_order()
        run = self._start(now_ms)
        cancel_id = make_client_order_id("cancel", run.next_execution_id)
        answers: list[Order | CancelledList] = []
        for order in orders:
            order_list = owner.lists.open.get(order.order_list_id)
            if order_list is not None:
                gone = cancel_whole(market, owner, order_list, cancel_id, run)
                answers.append(CancelledList(order_list.snapshot(), tuple(gone)))
            elif order.is_open:
                answers.append(self._cancel(market, order, cancel_id, run))
        return answers, self._end(run)

    def submit_list(self, account: str, new: NewOrderList, now_ms: int) -> tuple[OrderList, list[Order], list[Event]]:
        """Place an order list: all of it or nothing.

        Returns:
            Copies of the list and of its orders after the immediate trades of the one that works, but before anything
            that these bring about, as in Binance's answer; and what happened.

        Raises:
            Refusal: The list is not accepted; nothing has changed.
        """
        market = self._market(new.symbol)
        owner = self._accounts[account]
        admitted = admit_list(market, self._accounts, account, new, now_ms)
        run = self._start(now_ms)
        list_id = self._next_list_id
        self._next_list_id += 1
        orders = [self._new_order(account, leg, leg.qty, now_ms) for leg in admitted.legs]
        order_list = OrderList(
            list_id=list_id,
            client_list_id=new.client_list_id or make_client_order_id("list", list_id),
            account=account,
            symbol=new.symbol,
            kind=new.kind,
            time_ms=now_ms,
            legs=tuple(Leg(order.order_id, order.client_order_id) for order in orders),
        )
        owner.lists.add(order_list)
        run.events.append(ListUpdate(order_list.snapshot(), now_ms))
        place(market, order_list, orders, admitted, run)
        answers = [order.snapshot() for order in orders]
        return order_list.snapshot(), answers, self._end(run)

    def cancel_list(self, account: str, which: CancelList, now_ms: int) -> tuple[OrderList, list[Order], list[Event]]:
        """Cancel a whole order list.

        Returns:
            Copies of the list and of all its orders, of those cancelled as ``cancel`` gives them; and what happened.

        Raises:
            Refusal: -2011 where the account has no such open list on the symbol.
        """
        market = self._market(which.symbol)
        owner = self._accounts[account]
        check_may_cancel(owner)
        order_list = owner.lists.find(which.list_id, which.client_list_id)
        if order_list is None or not order_list.is_open or order_list.symbol != which.symbol:
            raise unknown_order()
        run = self._start(now_ms)
        cancel_id = which.new_client_order_id or make_client_order_id("cancel", run.next_execution_id)
        answers = cancel_whole(market, owner, order_list, cancel_id, run)
        return order_list.snapshot(), answers, self._end(run)

    def _cancel(self, market: SymbolMarket, order: Order, cancel_id: str, run: Execution) -> Order:
        cancel_id = cancel_id or make_client_order_id("cancel", run.next_execution_id)
        run.withdraw(market, order, _CANCELED, cause=Cause(cancel_id))
        answer = order.snapshot()
        answer.client_order_id = cancel_id
        answer.orig_client_order_id = order.client_order_id
        return answer

    def set_status(self, symbol: str, status: str, now_ms: int) -> list[Event]:
        """Let a symbol trade or stop it: ``TRADING``, ``HALT``, ``BREAK``, ``END_OF_DAY``, ``CANCEL_ONLY``.

        While it is stopped new orders are refused, open ones stay and can be cancelled, and the market stands still:
        what the source tells is neither shown nor traded with. When it trades again the source's market goes on with
        the next ``on_snapshot``.

        Raises:
            ValueError: There is no such status.
        """
        self._market(symbol).set_status(status)
        self._now_ms = now_ms
        return []

    def amend(
        self, account: str, which: AmendOrder, now_ms: int
    ) -> tuple[Amendment, Order, OrderList | None, list[Event]]:
        """Make an open order smaller; it keeps its place in the queue.

        Returns:
            The amendment; a copy of the order, with its id from before as ``orig_client_order_id``; its list, where it
            is in one; and what happened.

        Raises:
            Refusal: -2038, -2039 or a filter's; nothing has changed.
        """
        market = self._market(which.symbol)
        orders = find_amendable(market, self._accounts[account], which)
        run = self._start(now_ms)
        amended = amend(run, market, which, orders)
        return *amended, self._end(run)

    # Market events

    def on_snapshot(self, snapshot: BookSnapshot, now_ms: int) -> list[Event]:
        """The source shows a whole book: its first one, or one across a seam. Users' orders stay.

        Of a symbol that does not trade only the first book is shown, and only where no orders are that it might cross.

        Across a seam with a newer id the public gets one diff that leads from the book shown before to this one. With
        an id that is not newer the differences wait for the source's next diff.
        """
        market = self._market(snapshot.symbol)
        self._now_ms = now_ms
        if not market.is_trading and (market.has_book or market.has_orders):
            return []
        run = self._start(now_ms)
        is_first = not market.has_book
        first_id = market.last_id + 1
        market.replace(snapshot)
        if market.is_trading:
            liquidity.fill_crossed(market, run)
            if market.is_still:
                market.is_still, market.fresh_from = False, snapshot.last_id
        market.last_id = snapshot.last_id
        if not is_first and snapshot.last_id >= first_id:
            seam = DepthDiff(
                symbol=snapshot.symbol, first_id=first_id, last_id=snapshot.last_id, bids=(), asks=(), event_ms=now_ms
            )
            run.events.append(DepthChanged(market.show(seam)))
        return self._end(run)

    def on_depth(self, diff: DepthDiff, now_ms: int) -> list[Event]:
        """The source's book changed."""
        market = self._market(diff.symbol)
        self._now_ms = now_ms
        if market.is_still or diff.last_id <= market.fresh_from:
            return []
        market.apply(diff)
        if market.is_plain:
            return [DepthChanged(diff)]
        run = self._start(now_ms)
        liquidity.fill_crossed(market, run)
        run.events.append(DepthChanged(market.show(diff)))
        top = market.displayed_top()
        if diff.last_id >= market.top_id and top != market.top:
            run.events.append(TopChanged(market.ticker(diff.last_id, top)))
        return self._end(run)

    def on_trade(self, trade: Trade, now_ms: int) -> list[Event]:
        """The source's market traded."""
        market = self._market(trade.symbol)
        self._now_ms = now_ms
        if market.is_still:
            return []
        if not market.has_orders:
            printed = market.print_external(trade, trade.qty)
            events: list[Event] = [TradePrinted(printed)] if printed is not None else []
            if not self._due:
                return events
            run = self._start(now_ms)
            run.events.extend(events)
            return self._end(run)
        run = self._start(now_ms)
        liquidity.pass_trade(market, trade, run)
        return self._end(run)

    def on_book_ticker(self, ticker: BookTicker, now_ms: int) -> list[Event]:
        """The source's best bid or ask changed."""
        market = self._market(ticker.symbol)
        self._now_ms = now_ms
        if market.is_still or ticker.update_id < market.fresh_from:
            return []
        if market.is_plain:
            market.top_id = ticker.update_id
            market.top = ((ticker.bid, ticker.bid_qty), (ticker.ask, ticker.ask_qty))
            return [TopChanged(ticker)]
        run = self._start(now_ms)
        liquidity.fill_from_ticker(market, ticker, run)
        top = liquidity.top_with_users(market, ticker)
        if ticker.update_id != market.top_id or top != market.top:  # Else the diff of that id has told it already.
            run.events.append(TopChanged(market.ticker(ticker.update_id, top)))
        return self._end(run)

    def prime(self, trade: Trade) -> None:
        """Take id, price and time of the source's last trade before the start or restart, without printing it.

        Without it a user's trade before the source's first one would take an id that the source has used already.
        """
        market = self._market(trade.symbol)
        if market.last_trade_id < market.public_id(trade):
            waiting, market.waiting = market.waiting, None
            market.print_external(trade, trade.qty)
            market.waiting = waiting
            if waiting is not None:
                waiting.follow(trade.price, trade.time_ms)

    def _start(self, now_ms: int) -> Execution:
        if self._is_midway:
            raise RuntimeError("the engine failed before and can't go on")
        self._is_midway, self._now_ms = True, now_ms
        run = self._run
        run.begin(self._next_execution_id, now_ms)
        return run

    def _end(self, run: Execution) -> list[Event]:
        if self._due:
            settle(self._markets, run)
        self._next_execution_id = run.next_execution_id
        events = run.finish()
        self._is_midway = False
        return events
