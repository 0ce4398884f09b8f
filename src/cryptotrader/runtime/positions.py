"""Wires the positions of accounts: one store for a venue, one keeper for each account that is open."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from cryptotrader.feeds.user import UserFeed
from cryptotrader.ledger.lock import FileLock
from cryptotrader.net import SystemClock
from cryptotrader.runtime.paths import make_data_dir
from cryptotrader.runtime.upstream import Upstream
from cryptotrader.services.binance.endpoints import VenueEndpoints
from cryptotrader.services.binance.restAPI.client import BinanceRest
from cryptotrader.trading.orders import OrderDesk
from cryptotrader.trading.positions.keeper import KeeperDeps, PositionKeeper
from cryptotrader.trading.positions.pace import Allowance, PacedVenue
from cryptotrader.trading.positions.store import PositionStore


@dataclass(frozen=True)
class Keeping:
    """What the keepers of a venue share.

    Attributes:
        store: Fills and protections.
        allowance: How fast histories are read.
        may_trade: False where orders would use real money and that was not switched on.
    """

    store: PositionStore
    allowance: Allowance
    may_trade: bool

    def keeper(
        self, account: str, upstream: Upstream, *, rest: BinanceRest, user: UserFeed, orders: OrderDesk
    ) -> PositionKeeper:
        """The positions of an account, not started."""
        deps = KeeperDeps(
            venue=PacedVenue(rest, self.allowance),
            instruments=upstream.catalogue,
            stream=user,
            market=upstream.live,
            store=self.store,
            desk=orders,
            clock=SystemClock(),
            may_trade=self.may_trade,
        )
        keeper = PositionKeeper(account, deps)
        keeper.protections.topic.subscribe(upstream.shared.reports.publish)
        return keeper


def open_keeping(stack: AsyncExitStack, data_dir: Path, *, endpoints: VenueEndpoints, may_trade: bool) -> Keeping:
    """Open a venue's store; ``stack`` closes it.

    Two processes must not watch over the same positions, since both would sell.

    Raises:
        ConfigError: It cannot be opened, or another process uses it.
    """
    make_data_dir(data_dir)
    name = endpoints.name
    lock = FileLock(data_dir / f"positions-{name}.lock", owner="another gateway")
    stack.callback(lock.release)
    store = PositionStore(data_dir / f"positions-{name}.sqlite")
    stack.callback(store.close)
    return Keeping(store, Allowance(endpoints.weight_per_minute, SystemClock()), may_trade)
