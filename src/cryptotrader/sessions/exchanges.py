"""What the sessions can serve of each exchange, and of each account at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cryptotrader.services.binance.models.commission import Commission
from cryptotrader.sessions.ports import Catalogue, LiveMarket, UserFeed
from cryptotrader.trading.positions.ports import Positions


@dataclass(frozen=True)
class AccountFeeds:
    """What one account has at one exchange.

    Attributes:
        name: The account, as keys name it.
        user: Its events.
        positions: Its positions; None where nobody keeps them.
        commission: What it pays on a symbol; raises VenueError. None where nobody can be asked.
    """

    name: str
    user: UserFeed
    positions: Positions | None = None
    commission: Callable[[str], Awaitable[Commission]] | None = None


AccountsOf = Callable[[str], AccountFeeds | None]
"""An account by its name; None where the exchange has no credentials for it. Opened when it is first asked for."""


@dataclass(frozen=True)
class ExchangeFeeds:
    """One exchange.

    Attributes:
        name: As clients name it.
        live: Its live market state.
        catalogue: Its symbols.
        accounts: Its accounts.
    """

    name: str
    live: LiveMarket
    catalogue: Catalogue
    accounts: AccountsOf
