"""The exchange's state as rows of its store, and back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import TypeVar, assert_never

import msgspec

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.orders import Realism
from cryptotrader.exchange.accounts import ApiKey, PaperAccount
from cryptotrader.exchange.engine.accounts import MAX_KEPT_FILLS, MAX_KEPT_ORDERS, needed_lock
from cryptotrader.exchange.engine.contingent.list_history import MAX_KEPT_LISTS
from cryptotrader.exchange.engine.events import (
    Balance,
    BalanceAdjusted,
    BalancesChanged,
    KeptEvent,
    ListUpdate,
    OrderKept,
    OrderUpdate,
    TrailMoved,
    UserEvent,
)
from cryptotrader.exchange.engine.order_lists import OrderList
from cryptotrader.exchange.engine.orders import NO_ORDER_LIST, NO_TRADE, Amendment, Fill, Order, PreventedMatch, Trail
from cryptotrader.exchange.engine.records import AccountState, Counters, EngineState, SymbolCounters
from cryptotrader.exchange.store import Row, Store, make_row

MOST_HEADS = 10_000
"""Heads of balances that are remembered. Unit: balances. Reason: memory; those of busy accounts are found at once."""

_ORDER = "order"
_FILL = "fill"
_LIST = "list"
_TRAIL = "trail"
_PREVENTED = "prevented"
_AMENDMENT = "amendment"
_BALANCE = "balance"
_ACCOUNT = "account"
_KEY = "key"
_COUNTERS = "counters"
_SYMBOL = "symbol"
_CHECKPOINT = "checkpoint"
_LISTEN_KEY = "listen-key"
_STATUS = "status"

_encode = msgspec.json.Encoder().encode
_decode_order = msgspec.json.Decoder(Order).decode
_decode_fill = msgspec.json.Decoder(Fill).decode
_decode_list = msgspec.json.Decoder(OrderList).decode
_decode_trail = msgspec.json.Decoder(Trail).decode
_decode_prevented = msgspec.json.Decoder(PreventedMatch).decode
_decode_amendment = msgspec.json.Decoder(Amendment).decode
_decode_balance = msgspec.json.Decoder(tuple[str, str, int, int]).decode
_decode_account = msgspec.json.Decoder(PaperAccount).decode
_decode_key = msgspec.json.Decoder(ApiKey).decode
_decode_counters = msgspec.json.Decoder(Counters).decode
_decode_symbol = msgspec.json.Decoder(SymbolCounters).decode
_decode_status = msgspec.json.Decoder(str).decode


_IDS_HEAD, _ = make_row(_COUNTERS, "", b"")
_ORDER_HEAD = b"order\0%020d\0"


@lru_cache(maxsize=MOST_HEADS)
def _balance_head(account: str, asset: str) -> bytes:
    return make_row(_BALANCE, f"{account}/{asset}", b"")[0]


@dataclass
class Kept:
    """What a store held."""

    state: EngineState = field(default_factory=EngineState)
    accounts: list[PaperAccount] = field(default_factory=list)
    keys: list[ApiKey] = field(default_factory=list)
    checkpoints: dict[str, bytes] = field(default_factory=dict)
    listen_keys: dict[str, bytes] = field(default_factory=dict)
    """By account, as ``ListenKeys`` wrote them."""


class Records:
    """Rows for one store; without one, rows are made all the same and ``load`` finds nothing."""

    def __init__(self, store: Store | None) -> None:
        self.store = store

    def account(self, account: PaperAccount) -> Row:
        """An account as it was opened or changed."""
        return make_row(_ACCOUNT, account.id, _encode(account))

    def key(self, key: ApiKey) -> Row:
        """An API key that was made while the exchange ran."""
        return make_row(_KEY, key.id, _encode(key))

    def dropped_key(self, key_id: str) -> Row:
        """An API key that is gone."""
        return make_row(_KEY, key_id, b"")

    def balances(self, account: str, balances: Iterable[Balance]) -> list[Row]:
        """What an account holds."""
        return [
            (_balance_head(account, asset), _encode((account, asset, free, locked))) for asset, free, locked in balances
        ]

    def outcome(self, events: Iterable[UserEvent | KeptEvent]) -> list[Row]:
        """Every record that a command changed, as it is after the command."""
        orders: dict[int, Order] = {}
        rows: list[Row] = []
        for event in events:
            match event:
                case OrderUpdate():
                    orders[event.order.order_id] = event.order
                    if event.fill is not None or event.prevented is not None or event.amendment is not None:
                        rows.extend(_beside_order(event))
                case OrderKept():
                    orders[event.order.order_id] = event.order
                case TrailMoved():
                    trail = event.trail
                    rows.append(make_row(_TRAIL, f"{trail.symbol}/{trail.side}", _encode(trail)))
                case ListUpdate():
                    order_list = event.order_list
                    rows.append(make_row(_LIST, f"{order_list.list_id:020d}", _encode(order_list)))
                case BalancesChanged():
                    rows.extend(self.balances(event.account, event.balances))
                case BalanceAdjusted():
                    pass  # The balance itself is in a ``BalancesChanged``.
                case _:
                    assert_never(event)
        for order_id, order in orders.items():
            rows.append((_ORDER_HEAD % order_id, _encode(_bare(order))))
        return rows

    def ids(self, counters: Counters) -> Row:
        """Ids to give next that belong to no symbol."""
        return _IDS_HEAD, _encode(counters)

    def symbol(self, counters: SymbolCounters) -> Row:
        """Ids to give next in one symbol."""
        return make_row(_SYMBOL, counters.symbol, _encode(counters))

    def checkpoint(self, name: str, data: bytes) -> Row:
        """Where a market source stands."""
        return make_row(_CHECKPOINT, name, data)

    def listen_key(self, account: str, data: bytes) -> Row:
        """An account's key to its stream."""
        return make_row(_LISTEN_KEY, account, data)

    def status(self, symbol: str, status: str) -> Row:
        """Whether a symbol trades."""
        return make_row(_STATUS, symbol, _encode(status))

    def load(self) -> Kept:
        """Everything that the store has.

        Raises:
            ConfigError: It holds something that this version cannot read.
        """
        if self.store is None:
            return Kept()
        try:
            return self._load(self.store)
        except msgspec.DecodeError as error:
            raise ConfigError(f"{self.store.path} holds a record that cannot be read: {error}") from None

    def _load(self, store: Store) -> Kept:
        accounts = [_decode_account(data) for _, data in store.read(_ACCOUNT)]
        balances: dict[str, list[Balance]] = {account.id: [] for account in accounts}
        for _, data in store.read(_BALANCE):
            account, asset, free, locked = _decode_balance(data)
            balances[account].append((asset, free, locked))
        states = tuple(
            AccountState(
                account=account.id,
                fees=account.fees,
                balances=tuple(balances[account.id]),
                terms=account.terms,
                trade_group_id=account.trade_group,
                realism=Realism(account.realism),
            )
            for account in accounts
        )
        state = EngineState(
            counters=_read_counters(store),
            accounts=states,
            statuses=tuple((symbol, _decode_status(data)) for symbol, data in store.read(_STATUS)),
            orders=_orders(store),
            fills=_newest(map(_decode_fill, store.each(_FILL)), _owner, MAX_KEPT_FILLS),
            lists=_lists(store),
            trails=tuple(_decode_trail(data) for _, data in store.read(_TRAIL)),
            prevented=_prevented(store),
            amendments=_newest(map(_decode_amendment, store.each(_AMENDMENT)), _owner, MAX_KEPT_FILLS),
        )
        return Kept(
            state=state,
            accounts=accounts,
            keys=[_decode_key(data) for _, data in store.read(_KEY) if data],
            checkpoints=dict(store.read(_CHECKPOINT)),
            listen_keys=dict(store.read(_LISTEN_KEY)),
        )


_T = TypeVar("_T")


def _newest(kept: Iterable[_T], owner: Callable[[_T], Hashable], most: int) -> tuple[_T, ...]:
    """The last ``most`` of each owner, in their order: the engine would forget the rest at once.

    The store may hold a hundred times what the engine remembers, so nothing else of it is ever in memory.
    """
    found: dict[Hashable, deque[_T]] = {}
    for each in kept:
        key = owner(each)
        mine = found.get(key)
        if mine is None:
            mine = found[key] = deque(maxlen=most)
        mine.append(each)
    return tuple(chain.from_iterable(found.values()))


def _owner(record: Order | Fill | Amendment) -> Hashable:
    return record.account, record.symbol


def _orders(store: Store) -> tuple[Order, ...]:
    """The open orders and the newest closed ones, oldest first."""
    still_open: list[Order] = []

    def closed() -> Iterator[Order]:
        for order in map(_read_order, store.each(_ORDER)):
            if order.is_open:
                still_open.append(order)
            else:
                yield order

    newest = _newest(closed(), _owner, MAX_KEPT_ORDERS)
    return tuple(sorted((*newest, *still_open), key=lambda order: order.order_id))


def _lists(store: Store) -> tuple[OrderList, ...]:
    """The open lists and the newest closed ones, oldest first."""
    still_open: list[OrderList] = []

    def closed() -> Iterator[OrderList]:
        for order_list in map(_decode_list, store.each(_LIST)):
            if order_list.is_open:
                still_open.append(order_list)
            else:
                yield order_list

    newest = _newest(closed(), lambda order_list: order_list.account, MAX_KEPT_LISTS)
    return tuple(sorted((*newest, *still_open), key=lambda order_list: order_list.list_id))


def _prevented(store: Store) -> tuple[PreventedMatch, ...]:
    """The newest prevented matches of both accounts that each is about, oldest first."""

    def sides() -> Iterator[tuple[str, PreventedMatch]]:
        for match in map(_decode_prevented, store.each(_PREVENTED)):
            for account in {match.account, match.maker_account}:
                yield account, match

    newest = _newest(sides(), lambda side: (side[0], side[1].symbol), MAX_KEPT_FILLS)
    found = {(match.symbol, match.prevented_match_id): match for _, match in newest}
    return tuple(found[key] for key in sorted(found))


def _read_order(data: bytes) -> Order:
    """Orders of version 1 did not say what they hold: what each needs, since there were no lists and no stops."""
    order = _decode_order(data)
    if order.is_open and not order.held and order.order_list_id == NO_ORDER_LIST and order.stop is None:
        order.held = needed_lock(order)
    return order


def _read_counters(store: Store) -> Counters:
    """Version 1 kept the symbols' counters in one record with the others; what was written later counts."""
    found = [_decode_counters(data) for _, data in store.read(_COUNTERS)]
    ids = found[0] if found else Counters()
    symbols = {each.symbol: each for each in ids.symbols}
    symbols |= {symbol: _decode_symbol(data) for symbol, data in store.read(_SYMBOL)}
    return msgspec.structs.replace(ids, symbols=tuple(symbols.values()))


def _beside_order(update: OrderUpdate) -> Iterator[Row]:
    """What an update has besides its order."""
    if update.fill is not None:
        yield make_row(_FILL, _fill_key(update.fill), _encode(update.fill))
    if update.prevented is not None:
        match = update.prevented
        yield make_row(_PREVENTED, f"{match.symbol}/{match.prevented_match_id:020d}", _encode(match))
    if update.amendment is not None:
        amendment = update.amendment
        key = f"{amendment.symbol}/{amendment.order_id:020d}/{amendment.execution_id:020d}"
        yield make_row(_AMENDMENT, key, _encode(amendment))


def _bare(order: Order) -> Order:
    """The order without what is kept beside it."""
    if not order.fills and not order.prevented_matches:
        return order
    bare = order.snapshot()
    bare.fills = ()
    bare.prevented_matches = ()
    return bare


def _fill_key(fill: Fill) -> str:
    """Sorts by symbol and age, allocations after trades."""
    if fill.allocation_id != NO_TRADE:
        return f"{fill.symbol}/allocation/{fill.allocation_id:020d}/{fill.order_id:020d}"
    return f"{fill.symbol}/{fill.trade_id:020d}/{fill.order_id:020d}"
