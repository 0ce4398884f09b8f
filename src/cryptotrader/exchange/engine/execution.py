"""One command or market event being carried out: moves money, changes orders, collects what happened."""

from __future__ import annotations

from collections.abc import Mapping

from cryptotrader.core.orders import ExecutionType, OrderStatus, Side
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.engine.accounts import TAKE_ANY_PRICE, Account
from cryptotrader.exchange.engine.contingent import lists
from cryptotrader.exchange.engine.contingent.triggers import Due
from cryptotrader.exchange.engine.events import NO_CAUSE, BalancesChanged, Cause, Event, OrderKept, OrderUpdate, Part
from cryptotrader.exchange.engine.ids import make_client_order_id as make_client_order_id
from cryptotrader.exchange.engine.matching.market import SymbolMarket
from cryptotrader.exchange.engine.matching.plan import Match
from cryptotrader.exchange.engine.orders import NO_ORDER_LIST, Fill, Order, PreventedMatch
from cryptotrader.exchange.engine.rules import commission

_CLOSINGS = {
    OrderStatus.CANCELED: ExecutionType.CANCELED,
    OrderStatus.EXPIRED_IN_MATCH: ExecutionType.TRADE_PREVENTION,
}
"""How the end of an order is told; others expire."""


# Names of their own: to look a word up in its enum costs as much as the rest of a line.
_BUY = Side.BUY
_FILLED = OrderStatus.FILLED
_PARTIALLY_FILLED = OrderStatus.PARTIALLY_FILLED
_NEW = ExecutionType.NEW
_EXPIRED = ExecutionType.EXPIRED
_PENDING_NEW = OrderStatus.PENDING_NEW
_TRADE = ExecutionType.TRADE


NOBODY_TAKES = ("", "", 0)


class Execution:
    """Collects events in the order in which they happen.

    Args:
        accounts: All accounts by id.
        due: Where what waits for this one's end is put: stops that it triggers, pending orders that it releases.
        next_execution_id: The first execution id to give.
        now_ms: The time that everything in here happens at, epoch ms.
    """

    __slots__ = ("_accounts", "_touched", "due", "events", "next_execution_id", "now_ms", "taking")

    def __init__(self, accounts: Mapping[str, Account], due: Due, next_execution_id: int, now_ms: int) -> None:
        self._accounts = accounts
        self.due = due
        self._touched: dict[str, tuple[str, ...]] = {}
        self.next_execution_id = next_execution_id
        self.now_ms = now_ms
        self.events: list[Event] = []
        self.taking = NOBODY_TAKES
        """(account, asset, amount) that an order which holds nothing is still to pay: no fee may be taken from that."""

    def begin(self, next_execution_id: int, now_ms: int) -> None:
        """Start anew: one object serves all commands, one after the other."""
        self._touched.clear()
        self.next_execution_id = next_execution_id
        self.now_ms = now_ms
        self.events = []
        self.taking = NOBODY_TAKES

    def finish(self) -> list[Event]:
        """Close with the balances of every account that was touched, and hand out the events."""
        events, now_ms = self.events, self.now_ms
        for account_id, assets in self._touched.items():
            events.append(BalancesChanged(account_id, self._accounts[account_id].wallet.balances_of(assets), now_ms))
        self._touched.clear()
        return events

    def touch(self, account_id: str, assets: tuple[str, ...]) -> None:
        """Balances of these assets may have changed."""
        touched = self._touched.get(account_id)
        if touched is None:
            self._touched[account_id] = assets
        elif touched is not assets:
            self._touched[account_id] = (*touched, *(asset for asset in assets if asset not in touched))

    def report(self, order: Order, execution: ExecutionType, cause: Cause = NO_CAUSE) -> None:
        """Tell of a change of an order as it stands now."""
        cancel_id, prevented, lost, amendment, refused = cause
        if cause is NO_CAUSE or cancel_id:
            update = OrderUpdate(
                order=order.snapshot(),
                execution=execution,
                execution_id=self.next_execution_id,
                time_ms=self.now_ms,
                client_order_id=cancel_id or order.client_order_id,
                orig_client_order_id=order.client_order_id if cancel_id else "",
            )
        else:
            update = OrderUpdate(
                order=order.snapshot(),
                execution=execution,
                execution_id=self.next_execution_id,
                time_ms=self.now_ms,
                client_order_id=order.client_order_id,
                orig_client_order_id="" if amendment is None else amendment.orig_client_order_id,
                reason=refused,
                prevented=prevented,
                last_prevented_qty=lost,
                amendment=amendment,
            )
        self.events.append(update)
        self.next_execution_id += 1

    @property
    def accounts(self) -> Mapping[str, Account]:
        """All accounts by id."""
        return self._accounts

    def account(self, account_id: str) -> Account:
        """Whose orders and balances."""
        return self._accounts[account_id]

    # Locks

    def hold(self, market: SymbolMarket, order: Order, amount: int) -> None:
        """Lock what an order needs from now on in place of what it holds."""
        if amount != order.held:
            base, quote = market.assets
            asset = quote if order.side is _BUY else base
            self._accounts[order.account].wallet.lock(asset, amount - order.held)
            order.held = amount
            self.touch(order.account, market.assets)

    def keep(self, order: Order) -> None:
        """An order's record changed, and no report tells of it."""
        self.events.append(OrderKept(order.snapshot(), self.now_ms))

    def rehold(self, market: SymbolMarket, order: Order) -> None:
        """An open order became smaller: hold less, for a leg of a list with regard to the other leg."""
        lists.rehold(market, order, self)

    # An order's life

    def accept(self, market: SymbolMarket, order: Order, *, lock: int) -> None:
        """A new order enters: lock what it needs and tell."""
        account = self._accounts[order.account]
        account.history(order.symbol).add(order)
        assets = market.assets
        if lock:
            account.wallet.lock(assets[order.side is _BUY], lock)
            order.held = lock
        self.touch(order.account, assets)
        self.events.append(
            OrderUpdate(
                order=order.snapshot(),
                execution=_NEW,
                execution_id=self.next_execution_id,
                time_ms=self.now_ms,
                client_order_id=order.client_order_id,
            )
        )
        self.next_execution_id += 1

    def withdraw(
        self, market: SymbolMarket, order: Order, status: OrderStatus, *, reason: str = "", cause: Cause = NO_CAUSE
    ) -> None:
        """Take an open order from where it rests or waits, and close it."""
        if order.is_working:
            (market.bids if order.side is _BUY else market.asks).remove(order)
        elif order.status is not _PENDING_NEW:
            market.stop_waiting(order)
        self.close(market, order, status, reason=reason, cause=cause)

    def close(
        self, market: SymbolMarket, order: Order, status: OrderStatus, *, reason: str = "", cause: Cause = NO_CAUSE
    ) -> None:
        """An order that neither rests nor waits any more ends: give back what it holds, and tell.

        What else its list has open ends with it, where the list's kind says so.

        Args:
            market: The order's.
            order: Open until now.
            status: CANCELED, EXPIRED or EXPIRED_IN_MATCH.
            reason: ``expiryReason`` where it expires.
            cause: What else the report tells. The id of a cancel is also told of the orders that end with it.
        """
        order.status = status
        order.update_ms = self.now_ms
        order.expiry_reason = reason or order.expiry_reason
        self._accounts[order.account].history(order.symbol).close(order)
        followers = lists.leg_closed(order, self) if order.order_list_id != NO_ORDER_LIST else ()
        self.hold(market, order, 0)
        self.touch(order.account, market.assets)
        self.report(order, _CLOSINGS.get(status, _EXPIRED), cause)
        for follower, follower_status, follower_reason in followers:
            cause = Cause(cancel_id=cause.cancel_id)
            self.withdraw(market, follower, follower_status, reason=follower_reason, cause=cause)

    def lose(self, market: SymbolMarket, order: Order, qty: int, record: PreventedMatch) -> None:
        """Self-trade prevention took quantity away from an open order: one with nothing left expires."""
        order.prevented_match_id = record.prevented_match_id
        cause = Cause(prevented=record, lost=qty)
        if order.remaining:
            order.update_ms = self.now_ms
            self.rehold(market, order)
            self.touch(order.account, market.assets)
            self.report(order, ExecutionType.TRADE_PREVENTION, cause)
        else:
            self.close(market, order, OrderStatus.EXPIRED_IN_MATCH, cause=cause)

    def record_prevented(self, record: PreventedMatch) -> None:
        """Remember a prevented match with the accounts of both orders."""
        for account_id in {record.account, record.maker_account}:
            self._accounts[account_id].history(record.symbol).prevented.append(record)

    def _fee(
        self, market: SymbolMarket, account: Account, match: Match, *, is_buyer: bool, is_maker: bool
    ) -> tuple[str, int]:
        """What one side of a trade costs an account that pays more than a plain rate."""
        rules = market.rules
        fee = commission.charge(
            account.fees,
            commission.Trade(rules.symbol, rules.base, rules.quote, is_buyer, is_maker, match.qty, match.quote_qty),
            prices=market.prices,
            available=self._spare(account),
        )
        if not is_maker:
            self.paid(match.quote_qty if is_buyer else match.qty)
        return fee

    def paid(self, amount: int) -> None:
        """The order that takes now has paid part of what it is to pay."""
        taker, asset, due = self.taking
        self.taking = (taker, asset, due - amount)

    def _spare(self, account: Account) -> int:
        """What is free of the asset that pays fees at a discount, less what the order that takes now is yet to pay."""
        taker, asset, due = self.taking
        free = account.wallet.free(commission.DISCOUNT_ASSET)
        return free - due if taker == account.account_id and asset == commission.DISCOUNT_ASSET else free

    def fill(self, market: SymbolMarket, order: Order, match: Match, part: Part) -> None:
        """One side of a trade: money moves, the order and its history grow, and it is told."""
        trade_id, why, is_maker, allocation_id = part
        account = self._accounts[order.account]
        base, quote = market.assets
        qty, quote_qty = match[1], match[2]
        is_buyer = order.side is _BUY
        paid_asset, paid, got_asset, got = (quote, quote_qty, base, qty) if is_buyer else (base, qty, quote, quote_qty)
        rates = account.plain_rates
        if rates is not None:
            fee_asset, fee = got_asset, got * rates[is_maker] // SCALE
        else:
            fee_asset, fee = self._fee(market, account, match, is_buyer=is_buyer, is_maker=is_maker)
        if order.order_list_id != NO_ORDER_LIST:
            lists.leg_touched(market, order, self)
        order.executed += qty
        order.quote_executed += quote_qty
        left = order.qty - order.executed - order.prevented_qty
        held = order.held
        if order.type in TAKE_ANY_PRICE:
            needed = 0
        else:
            needed = order.price * left // SCALE if is_buyer else left
        order.held = needed
        if fee_asset is got_asset:
            account.wallet.trade(paid_asset, paid, held - needed, got_asset, got - fee)
            if self._touched.get(order.account) is not market.assets:
                self.touch(order.account, market.assets)
        else:
            account.wallet.trade(paid_asset, paid, held - needed, got_asset, got)
            account.wallet.credit(fee_asset, -fee)
            self.touch(order.account, (*market.assets, fee_asset))
        fill = Fill(
            trade_id=trade_id,
            order_id=order.order_id,
            account=order.account,
            symbol=order.symbol,
            price=match.price,
            qty=qty,
            quote_qty=quote_qty,
            commission=fee,
            commission_asset=fee_asset,
            is_maker=is_maker,
            is_buyer=is_buyer,
            time_ms=self.now_ms,
            allocation_id=allocation_id,
            why=why,
        )
        order.fills += (fill,)
        order.update_ms = self.now_ms
        history = account.history(order.symbol)
        history.fills.append(fill)
        if left:
            order.status = _PARTIALLY_FILLED
        else:
            order.status = _FILLED
            history.close(order)
        if order.order_list_id != NO_ORDER_LIST:
            lists.leg_filled(market, order, fill, self)
        self.events.append(
            OrderUpdate(
                order=order.snapshot(),
                execution=_TRADE,
                execution_id=self.next_execution_id,
                time_ms=self.now_ms,
                client_order_id=order.client_order_id,
                fill=fill,
            )
        )
        self.next_execution_id += 1
