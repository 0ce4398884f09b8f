"""What the account holds, and whether its positions fit that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from cryptotrader.core.scaled import parse_scaled
from cryptotrader.portfolio.positions import Position
from cryptotrader.services.binance.websocketAPI.account_requests import get_user_acct_info
from cryptotrader.trading.positions.ports import Discrepancy, Venue

CASH = frozenset(
    {"USD", "EUR", "GBP", "TRY", "BRL", "JPY", "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "DAI", "USD1"}
)
"""What others are paid with. Holding it is no position unless it was bought in a symbol of its own."""


class Balances:
    """Free and locked amounts, read from the venue and followed by the account's stream.

    Args:
        venue: Requests in the account's name.
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._rows: dict[str, tuple[int, int]] = {}
        self._events = 0
        self._is_followed = False

    @property
    def assets(self) -> set[str]:
        """Assets of which there is something."""
        return {asset for asset, row in self._rows.items() if sum(row)}

    def total(self, asset: str) -> int:
        """Free and locked, scaled."""
        return sum(self._rows.get(asset, (0, 0)))

    def lose(self) -> None:
        """The stream broke: what is known may be old."""
        self._is_followed = False

    def on_event(self, event: Mapping[str, Any]) -> None:
        """``outboundAccountPosition``; raises ValueError or KeyError where it is none."""
        self._events += 1
        for row in event["B"]:
            self._rows[row["a"]] = (parse_scaled(row["f"]), parse_scaled(row["l"]))

    async def read(self, *, is_followed: bool) -> None:
        """Ask the venue.

        Args:
            is_followed: Whether the account's stream tells every change from before this call on.

        Raises:
            VenueError: It did not answer.
        """
        events = self._events
        account = await self._venue.call(get_user_acct_info.SPEC, get_user_acct_info.AccountParams())
        if events == self._events:
            self._rows = {row.asset: (parse_scaled(row.free), parse_scaled(row.locked)) for row in account.balances}
            self._is_followed = is_followed

    async def free(self, asset: str) -> int:
        """What of an asset can be sold now, scaled: known at once while the stream tells, else asked for.

        Raises:
            VenueError: The venue did not answer.
        """
        if not self._is_followed:
            await self.read(is_followed=False)
        return self._rows.get(asset, (0, 0))[0]


def discrepancies(positions: Iterable[Position], balances: Balances) -> list[Discrepancy]:
    """Every asset of which the account holds something else than what its positions say, by name; cash aside."""
    held: dict[str, int] = defaultdict(int)
    for position in positions:
        held[position.base] += position.amount
    found = [
        Discrepancy(asset=asset, positions=held[asset], balance=balances.total(asset))
        for asset in sorted(held.keys() | (balances.assets - CASH))
    ]
    return [row for row in found if row.difference]


def unexplained(positions: Iterable[Position], balances: Balances) -> dict[str, int]:
    """What of each balance no known fill explains, scaled; cash and zeros aside.

    It changes with a deposit, a withdrawal or a fill that nobody told of, and not with trades: what they paid, received
    and cost in commission is in it, in whichever symbol.
    """
    flows: dict[str, int] = defaultdict(int)
    for position in positions:
        flows[position.base] += position.bought - position.sold
        flows[position.quote] += position.received - position.paid
        for asset, fee in position.fees:
            flows[asset] -= fee
    rest = {asset: balances.total(asset) - flows[asset] for asset in (flows.keys() | balances.assets) - CASH}
    return {asset: value for asset, value in rest.items() if value}
