"""Runs the exchange's accounts while it runs: opens them, gives out keys, sets what they hold."""

from __future__ import annotations

import dataclasses
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cryptotrader.config import REDACTOR
from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.accounts import ALL_PERMISSIONS, FIRST_UID, ApiKey, KeyKind, PaperAccount, Permission
from cryptotrader.exchange.venue import PaperVenue

KEY_CHARS = 64
"""Length of key ids and shared secrets. Reason: as at Binance."""

RSA_BITS = 2048
RSA_EXPONENT = 65_537

MAX_KEYS_OF_ACCOUNT = 30
"""Most keys of one account. Source: Binance's limit per account."""

_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True)
class KeyMaterial:
    """What a key signs and is checked with."""

    kind: KeyKind
    checking: str = field(repr=False)
    """The shared secret, or the public key as PEM: what the exchange keeps."""
    signing: str | None = field(default=None, repr=False)
    """The shared secret, or the private key as PEM: shown once. None where the owner made the key."""


@dataclass(frozen=True)
class KeyTerms:
    """What a key may do, and from where."""

    permissions: frozenset[Permission] = ALL_PERMISSIONS
    addresses: tuple[str, ...] = ()
    name: str = ""


def make_material(kind: KeyKind) -> KeyMaterial:
    """A new secret or pair of keys. An RSA pair takes a tenth of a second; not for the event loop."""
    if kind is KeyKind.HMAC:
        secret = _random_text()
        REDACTOR.learn(secret)
        return KeyMaterial(kind, secret, secret)
    private: Ed25519PrivateKey | RSAPrivateKey
    if kind is KeyKind.ED25519:
        private = Ed25519PrivateKey.generate()
    else:
        private = generate_private_key(public_exponent=RSA_EXPONENT, key_size=RSA_BITS)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signing = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    REDACTOR.learn(signing)
    return KeyMaterial(kind, public, signing)


class BackOffice:
    """Changes accounts and keys; everything lasts as soon as ``venue.committed`` returns.

    Args:
        venue: Whose accounts they are.
    """

    def __init__(self, venue: PaperVenue) -> None:
        self._venue = venue

    def open(self, account: PaperAccount) -> PaperAccount:
        """Open an account; its ``uid`` is chosen here.

        Raises:
            ConfigError: There is one of this name, or there are too many.
        """
        uid = max((each.uid for each in self._venue.accounts()), default=FIRST_UID - 1) + 1
        opened = dataclasses.replace(account, uid=uid)
        self._venue.open_account(opened)
        return opened

    def change(self, account: PaperAccount) -> None:
        """Put a new record in the place of an account's old one.

        Raises:
            Refusal: There is no such account.
        """
        self._venue.require_store()
        self._venue.roster.change(account)

    def reset(self, account_id: str, balances: Mapping[str, int] | None = None) -> int:
        """Cancel all open orders and set what the account holds; its owner is told of all of it.

        Args:
            account_id: Which account.
            balances: Asset to scaled quantity; what is not named is taken away. None: as when it was opened.

        Returns:
            How many orders were cancelled.

        Raises:
            Refusal: There is no such account.
        """
        venue = self._venue
        wanted = dict(venue.account(account_id).balances if balances is None else balances)
        orders = venue.open_orders(account_id)
        for symbol in sorted({order.symbol for order in orders}):
            venue.cancel_all(account_id, symbol)
        held = {asset: free for asset, free, _ in venue.balances(account_id)}
        for asset in sorted(held.keys() | wanted.keys()):
            delta = wanted.get(asset, 0) - held.get(asset, 0)
            if delta:
                venue.deposit(account_id, asset, delta)
        return len(orders)

    def keys_of(self, account_id: str) -> list[ApiKey]:
        """All keys of an account."""
        return [key for key in self._venue.keys if key.account == account_id]

    def add_key(self, account_id: str, material: KeyMaterial, terms: KeyTerms = KeyTerms()) -> ApiKey:
        """Let a new key open an account.

        Raises:
            Refusal: There is no such account.
            ConfigError: It has too many keys, or the public key or an address cannot be read.
        """
        self._venue.account(account_id)
        if len(self.keys_of(account_id)) >= MAX_KEYS_OF_ACCOUNT:
            raise ConfigError(f"an account has {MAX_KEYS_OF_ACCOUNT} keys at most")
        key = ApiKey(
            id=_random_text(),
            account=account_id,
            kind=material.kind,
            secret=material.checking,
            permissions=terms.permissions,
            addresses=_checked(terms.addresses),
            name=terms.name,
        )
        self._venue.require_store()
        self._venue.roster.put_key(key)
        return key

    def change_key(self, key: ApiKey, terms: KeyTerms) -> ApiKey:
        """Change what a key may do.

        Raises:
            ConfigError: An address cannot be read.
        """
        changed = dataclasses.replace(
            key, permissions=terms.permissions, addresses=_checked(terms.addresses), name=terms.name
        )
        self._venue.require_store()
        self._venue.roster.put_key(changed)
        return changed

    def drop_key(self, key: ApiKey) -> None:
        """Make a key useless at once."""
        self._venue.require_store()
        self._venue.roster.drop_key(key.id)


def _random_text() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(KEY_CHARS))


def _checked(addresses: tuple[str, ...]) -> tuple[str, ...]:
    for address in addresses:
        try:
            ip_network(address, strict=False)
        except ValueError:
            raise ConfigError(f"{address!r} is neither an address nor a network") from None
    return addresses
