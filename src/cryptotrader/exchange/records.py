"""The exchange's state as rows of its store, and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.accounts import ApiKey, PaperAccount
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.events import Balance, OrderUpdate
from cryptotrader.exchange.engine.orders import Fill, Order
from cryptotrader.exchange.engine.records import AccountState, Counters, EngineState
from cryptotrader.exchange.store import Row, Store

_ORDER = "order"
_FILL = "fill"
_BALANCE = "balance"
_ACCOUNT = "account"
_KEY = "key"
_COUNTERS = "counters"
_CHECKPOINT = "checkpoint"
_LISTEN_KEY = "listen-key"
_STATUS = "status"

_encode = msgspec.json.encode
_decode_order = msgspec.json.Decoder(Order).decode
_decode_fill = msgspec.json.Decoder(Fill).decode
_decode_balance = msgspec.json.Decoder(tuple[str, str, int, int]).decode
_decode_account = msgspec.json.Decoder(PaperAccount).decode
_decode_key = msgspec.json.Decoder(ApiKey).decode
_decode_counters = msgspec.json.Decoder(Counters).decode


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
        """An account as it was opened."""
        return _ACCOUNT, account.id, _encode(account)

    def key(self, key: ApiKey) -> Row:
        """An API key that was made while the exchange ran."""
        return _KEY, key.id, _encode(key)

    def dropped_key(self, key_id: str) -> Row:
        """An API key that is gone."""
        return _KEY, key_id, b""

    def balances(self, account: str, balances: Iterable[Balance]) -> list[Row]:
        """What an account holds."""
        return [
            (_BALANCE, f"{account}/{asset}", _encode((account, asset, free, locked)))
            for asset, free, locked in balances
        ]

    def order(self, update: OrderUpdate) -> list[Row]:
        """An order after a change, and the fill that changed it."""
        order = msgspec.structs.replace(update.order, fills=()) if update.order.fills else update.order
        rows = [(_ORDER, f"{order.order_id:020d}", _encode(order))]
        if update.fill is not None:
            rows.append((_FILL, _fill_key(update.fill), _encode(update.fill)))
        return rows

    def counters(self, counters: Counters) -> Row:
        """Ids to give next."""
        return _COUNTERS, "", _encode(counters)

    def checkpoint(self, name: str, data: bytes) -> Row:
        """Where a market source stands."""
        return _CHECKPOINT, name, data

    def listen_key(self, account: str, data: bytes) -> Row:
        """An account's key to its stream."""
        return _LISTEN_KEY, account, data

    def status(self, symbol: str, status: str) -> Row:
        """Whether a symbol trades."""
        return _STATUS, symbol, _encode(status)

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
        counters = [_decode_counters(data) for _, data in store.read(_COUNTERS)]
        states = tuple(
            AccountState(
                account=account.id,
                fees=Fees(maker_bps=account.maker_bps, taker_bps=account.taker_bps),
                balances=tuple(balances[account.id]),
            )
            for account in accounts
        )
        state = EngineState(
            counters=counters[0] if counters else Counters(),
            accounts=states,
            orders=tuple(_decode_order(data) for _, data in store.read(_ORDER)),
            fills=tuple(_decode_fill(data) for _, data in store.read(_FILL)),
        )
        return Kept(
            state=state,
            accounts=accounts,
            keys=[_decode_key(data) for _, data in store.read(_KEY) if data],
            checkpoints=dict(store.read(_CHECKPOINT)),
            listen_keys=dict(store.read(_LISTEN_KEY)),
        )


def _fill_key(fill: Fill) -> str:
    """Sorts by symbol and age."""
    return f"{fill.symbol}/{fill.trade_id:020d}/{fill.order_id:020d}"
