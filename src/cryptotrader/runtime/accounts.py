"""Accounts at the venue: each with credentials, requests, events and an order path of its own.

An account is opened when the first client needs it and stays open. On the embedded paper exchange an account that does
not exist yet is made, with the balances of a new one, so that several bots have separate money.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from cryptotrader.config import get_logger
from cryptotrader.config.settings import UserStreamMode
from cryptotrader.core.errors import ConfigError, VenueAuthError
from cryptotrader.exchange.accounts import ALL_PERMISSIONS, KeyKind, PaperAccount
from cryptotrader.exchange.accounts.office import BackOffice, KeyTerms, make_material
from cryptotrader.exchange.store import StoreBroken
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.feeds.user import UserFeed
from cryptotrader.gateway.ports import AccountServices
from cryptotrader.net import SystemClock
from cryptotrader.net.http import HttpClient
from cryptotrader.runtime.positions import Keeping
from cryptotrader.runtime.upstream import Upstream, open_user, rest_client
from cryptotrader.services.binance.models.commission import Commission
from cryptotrader.services.binance.restAPI.client import BinanceRest
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.account_requests import commission_rates
from cryptotrader.sessions.exchanges import AccountFeeds
from cryptotrader.sessions.keys import DEFAULT_ACCOUNT
from cryptotrader.trading.orders import OrderDesk
from cryptotrader.trading.positions.keeper import PositionKeeper

log = get_logger(__name__)

MAX_ACCOUNTS = 1_000
"""Most accounts open at a time. Reason: each has a connection of its own to the venue while somebody listens."""

GATEWAY_KEY = "gateway"
"""Name of the key that the gateway has for itself with each account of the embedded paper exchange."""

CredentialsOf = Callable[[str], Credentials | None]


@dataclass(frozen=True)
class Account:
    """One account at the venue, open.

    Attributes:
        name: As keys name it.
        rest: Requests in its name.
        user: Its events.
        orders: Its order path.
        positions: What it holds, and what watches over that.
        http: The connections of ``rest``; None where they are not its own.
    """

    name: str
    rest: BinanceRest
    user: UserFeed
    orders: OrderDesk
    positions: PositionKeeper
    http: HttpClient | None = None

    async def commission(self, symbol: str) -> Commission:
        """What it pays on a symbol; raises VenueError."""
        return await self.rest.call(commission_rates.SPEC, commission_rates.CommissionParams(symbol=symbol))

    async def close(self) -> None:
        """End its positions, its orders, its events and its requests, in this order."""
        await self.positions.close()
        await self.orders.close()
        await self.user.close()
        if self.http is not None:
            await self.rest.close()
            await self.http.close()


class VenueAccounts:
    """Opens accounts and holds them.

    Args:
        upstream: The venue; its REST client signs for the default account.
        credentials: Of each account by its name; None where there are none.
        keeping: What keepers of positions share.
        user_stream_mode: How events are had from the venue.
        timeout_s: How long an answer of the venue may take.
        has_predecessor: See ``OrderDesk``.
    """

    def __init__(
        self,
        upstream: Upstream,
        credentials: CredentialsOf,
        *,
        keeping: Keeping,
        user_stream_mode: UserStreamMode,
        timeout_s: float,
        has_predecessor: bool,
    ) -> None:
        self._upstream = upstream
        self._credentials = credentials
        self._keeping = keeping
        self._mode = user_stream_mode
        self._timeout_s = timeout_s
        self._has_predecessor = has_predecessor
        self._open: dict[str, Account] = {}
        self._warned: set[str] = set()

    def find(self, name: str) -> Account | None:
        """An account, opened if need be; None where there are no credentials for it."""
        account = self._open.get(name)
        if account is None:
            account = self._try(name)
            if account is not None:
                self._open[name] = account
        return account

    def feeds(self, name: str) -> AccountFeeds | None:
        """What sessions can serve of an account (``sessions.exchanges.AccountsOf``)."""
        account = self.find(name)
        if account is None:
            return None
        return AccountFeeds(name, account.user, account.positions, commission=account.commission)

    def services(self, name: str) -> AccountServices:
        """What the routes use of an account.

        Raises:
            VenueAuthError: There are no credentials for it.
        """
        account = self.find(name)
        if account is None:
            raise VenueAuthError("Invalid API key")
        return AccountServices(account.rest, account.orders, account.positions)

    def open_watched(self) -> None:
        """Open the default account, and those whose positions are protected, since nobody else will."""
        if self._credentials(DEFAULT_ACCOUNT) is not None:
            self.find(DEFAULT_ACCOUNT)
        for name in self._keeping.store.watched():
            self.find(name)

    async def close(self) -> None:
        """End all of them, side by side."""
        async with asyncio.TaskGroup() as group:
            for account in self._open.values():
                group.create_task(account.close())

    def _try(self, name: str) -> Account | None:
        try:
            if len(self._open) >= MAX_ACCOUNTS:
                raise ConfigError(f"{MAX_ACCOUNTS} are open")
            credentials = self._credentials(name)
            if credentials is None:
                raise ConfigError("there are no credentials for it")
        except ConfigError as error:
            if name not in self._warned:
                self._warned.add(name)
                log.warning(f"account {name} cannot be opened: {error}")
            return None
        http: HttpClient | None = None
        rest = self._upstream.rest
        if name != DEFAULT_ACCOUNT:
            http = HttpClient(answer_timeout_s=self._timeout_s)
            rest = rest_client(http, self._upstream.endpoints, credentials, timeout_s=self._timeout_s)
            reports = self._upstream.shared.reports
            rest.reports.subscribe(lambda told: reports.publish(msgspec.structs.replace(told, account=name)))
        user = open_user(self._upstream, rest, credentials, account=name, mode=self._mode)
        orders = OrderDesk(rest, SystemClock(), entropy=secrets.token_bytes, has_predecessor=self._has_predecessor)
        positions = self._keeping.keeper(name, self._upstream, rest=rest, user=user, orders=orders)
        positions.start()
        return Account(name, rest, user, orders, positions, http)


class PaperAccounts:
    """Accounts of the embedded paper exchange, made when they are needed; each gets a key for the gateway alone.

    Args:
        venue: The exchange.
    """

    def __init__(self, venue: PaperVenue) -> None:
        self._venue = venue
        self._office = BackOffice(venue)

    def credentials(self, name: str) -> Credentials:
        """The gateway's key to an account.

        Raises:
            ConfigError: There are too many accounts or keys, or the exchange's disk takes nothing any more.
        """
        try:
            return self._find_or_make(name)
        except StoreBroken:
            raise ConfigError("the paper exchange cannot keep it: its disk does not take anything") from None

    def _find_or_make(self, name: str) -> Credentials:
        if not self._venue.roster.has(name):
            self._office.open(PaperAccount(id=name))
            log.info(f"opened account {name} at the paper exchange")
        for key in self._office.keys_of(name):
            if key.name == GATEWAY_KEY and key.kind is KeyKind.HMAC and key.permissions == ALL_PERMISSIONS:
                return Credentials.of(key.id, key.secret)
        key = self._office.add_key(name, make_material(KeyKind.HMAC), KeyTerms(name=GATEWAY_KEY))
        return Credentials.of(key.id, key.secret)


def credentials_for(
    default: Credentials | None, configured: Mapping[str, Credentials], paper: PaperVenue | None
) -> CredentialsOf:
    """Where the credentials of an account come from: the settings, or an embedded paper exchange."""
    made = PaperAccounts(paper) if paper is not None else None

    def find(name: str) -> Credentials | None:
        if name == DEFAULT_ACCOUNT:
            return default
        if name in configured:
            return configured[name]
        return made.credentials(name) if made is not None else None

    return find
