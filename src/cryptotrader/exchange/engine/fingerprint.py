"""One number for everything that the engine must not lose."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from cryptotrader.exchange.engine.orders import Order

if TYPE_CHECKING:
    from cryptotrader.exchange.engine.state import AccountState, EngineState, SymbolCounters

DIGEST_BYTES = 32
"""Length of the fingerprint. Reason: no two states meet by chance."""


def fingerprint(state: EngineState) -> str:
    """BLAKE2b over accounts, balances, orders, fills, lists, prevented matches, amendments and ids, as hex digits.

    What the market source moves by itself (book, queues, last trade) is left out, and so is what other records repeat:
    two engines that were told the same commands and trades have the same fingerprint, however one came by its state.
    """
    counters = state.counters
    symbols = sorted(filter(None, map(_ids, counters.symbols)))
    parts = (
        (counters.next_order_id, counters.next_execution_id, counters.next_list_id, symbols),
        [_account(each) for each in sorted(state.accounts, key=lambda each: each.account)],
        sorted(state.statuses),
        [_order(each) for each in sorted(state.orders, key=lambda each: each.order_id)],
        sorted(state.fills, key=lambda each: (each.symbol, each.trade_id, each.allocation_id, each.order_id)),
        sorted(state.lists, key=lambda each: each.list_id),
        sorted(state.prevented, key=lambda each: (each.symbol, each.prevented_match_id)),
        sorted(state.amendments, key=lambda each: each.execution_id),
    )
    encoded = msgspec.msgpack.encode(parts, order="deterministic")
    return blake2b(encoded, digest_size=DIGEST_BYTES).hexdigest()


def _ids(counters: SymbolCounters) -> tuple[object, ...] | None:
    """What commands moved of a symbol's counters; None where none has."""
    moved = (counters.trade_shift, counters.next_prevented_id, counters.next_allocation_id)
    return (counters.symbol, *moved) if any(moved) else None


def _account(account: AccountState) -> AccountState:
    held = tuple(balance for balance in account.balances if any(balance[1:]))
    return msgspec.structs.replace(account, balances=held)


def _order(order: Order) -> Order:
    return msgspec.structs.replace(order, fills=(), prevented_matches=(), orig_client_order_id="")
