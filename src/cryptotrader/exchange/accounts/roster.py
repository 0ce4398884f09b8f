"""Who may use the paper exchange: its accounts and keys, kept on disk with everything else."""

from __future__ import annotations

from collections.abc import Iterable

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.orders import Realism
from cryptotrader.exchange.accounts import MAX_ACCOUNTS, ApiKey, KeyRing, PaperAccount
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.keeper import Keeper
from cryptotrader.exchange.records import Records


class Roster:
    """Accounts as they were opened or changed, and the keys that open them.

    Args:
        engine: Holds what the accounts own.
        keys: All keys; those of the configuration are in it, those made later are added.
        records: Makes rows.
        commit: Writes them.
    """

    def __init__(self, engine: Engine, keys: KeyRing, *, records: Records, commit: Keeper) -> None:
        self.keys = keys
        self._engine = engine
        self._records = records
        self._commit = commit
        self._accounts: dict[str, PaperAccount] = {}

    # Accounts

    def restore(self, accounts: Iterable[PaperAccount], keys: Iterable[ApiKey]) -> None:
        """Take over what the store had; the engine has the balances already."""
        for account in accounts:
            self._accounts[account.id] = account
            self._apply(account)
        for key in keys:
            if self.keys.find(key.id) is None:
                self.keys.add(key)

    def check(self) -> None:
        """Make sure that every key opens something.

        Raises:
            ConfigError: One does not.
        """
        for key in self.keys:
            if key.account not in self._accounts:
                raise ConfigError(f"an API key belongs to account {key.account}, which does not exist")

    def has(self, account_id: str) -> bool:
        """Whether there is such an account."""
        return account_id in self._accounts

    def open(self, account: PaperAccount) -> None:
        """Open an account with its first balances.

        Raises:
            ConfigError: There is one of this name, or there are too many.
        """
        if account.id in self._accounts:
            raise ConfigError(f"account {account.id} exists already")
        if len(self._accounts) >= MAX_ACCOUNTS:
            raise ConfigError(f"there are {MAX_ACCOUNTS} accounts already")
        self._engine.open_account(account.id, account.balances, account.fees)
        self._apply(account)
        self._accounts[account.id] = account
        rows = [self._records.account(account)]
        rows.extend(self._records.balances(account.id, self._engine.balances(account.id)))
        self._commit.add(rows)

    def change(self, account: PaperAccount) -> None:
        """Put a new record of an account in the place of the old one; balances are left alone.

        Raises:
            Refusal: -2015, there is none of this name.
        """
        self.account(account.id)
        self._apply(account)
        self._accounts[account.id] = account
        self._commit.add([self._records.account(account)])

    def account(self, account_id: str) -> PaperAccount:
        """The account as it was opened or last changed.

        Raises:
            Refusal: -2015, there is none.
        """
        found = self._accounts.get(account_id)
        if found is None:
            raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.")
        return found

    def accounts(self) -> list[PaperAccount]:
        """All accounts."""
        return list(self._accounts.values())

    def _apply(self, account: PaperAccount) -> None:
        """Let the engine go by an account's record."""
        self._engine.set_fees(account.id, account.fees)
        self._engine.set_terms(account.id, account.terms)
        self._engine.set_realism(account.id, Realism(account.realism))
        self._engine.set_trade_group(account.id, account.trade_group)

    # Keys

    def put_key(self, key: ApiKey) -> None:
        """Let a key in, or change one, and keep it.

        Raises:
            ConfigError: It cannot be used, or there are too many.
        """
        before = self.keys.find(key.id)
        self.keys.remove(key.id)
        try:
            self.keys.add(key)
        except ConfigError:
            if before is not None:
                self.keys.add(before)
            raise
        self._commit.add([self._records.key(key)])

    def drop_key(self, key_id: str) -> bool:
        """Take a key away for good; False where there was none."""
        found = self.keys.remove(key_id)
        if found:
            self._commit.add([self._records.dropped_key(key_id)])
        return found
