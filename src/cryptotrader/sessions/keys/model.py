"""What a key is, what it allows, and who somebody is that proved to have one (C-3)."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import msgspec

from cryptotrader.config.accounts import DEFAULT_ACCOUNT


class Scope(StrEnum):
    """What a key allows."""

    READ = "read"
    """Market data, and the account's balances, orders and trades."""
    TRADE = "trade"
    """Placing and cancelling orders."""
    ADMIN = "admin"
    """Changing the server itself."""


class KeyKind(StrEnum):
    """What a key signs with."""

    HMAC = "hmac"
    """A shared secret, which is also the bearer token."""
    ED25519 = "ed25519"
    """A key pair of which only the public half is here. It has no bearer token."""


class KeyLimits(msgspec.Struct, frozen=True, omit_defaults=True):
    """Limits of one key; None goes by the server's own."""

    requests_per_minute: int | None = None
    """REST requests."""
    connections: int | None = None
    """WebSockets at a time, all protocols together."""
    subscriptions: int | None = None
    """Subscriptions of one WebSocket connection."""


NO_LIMITS = KeyLimits()


class Principal(msgspec.Struct, frozen=True):
    """A client that proved who it is."""

    key_id: str
    name: str
    scopes: frozenset[Scope]
    account: str = DEFAULT_ACCOUNT
    """Whose orders and balances it deals with."""
    limits: KeyLimits = NO_LIMITS
    addresses: tuple[str, ...] = ()
    """Networks that it may come from; empty lets it come from everywhere."""

    def admits(self, client: str | None) -> bool:
        """Whether it may come from an address; one that nobody knows is on no list."""
        return not self.addresses or (client is not None and is_within(client, self.addresses))


class StoredKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key as it lies in the file. Files of before signed logins lack what has a default here."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created_ms: int
    kind: KeyKind = KeyKind.HMAC
    secret_sha256: str | None = None
    """Of the bearer token, in hexadecimal."""
    sealed_secret: str | None = None
    """The same secret for checking signatures, encrypted (``vault``)."""
    public_key: str | None = None
    """PEM, of an Ed25519 key."""
    account: str = DEFAULT_ACCOUNT
    addresses: tuple[str, ...] = ()
    expires_ms: int | None = None
    limits: KeyLimits = NO_LIMITS
    revoked_ms: int | None = None

    def __repr__(self) -> str:
        return f"StoredKey(id={self.id!r}, name={self.name!r})"

    @property
    def principal(self) -> Principal:
        """Who comes with this key."""
        return Principal(self.id, self.name, frozenset(self.scopes), self.account, self.limits, self.addresses)

    def state(self, now_ms: int) -> str:
        """``active``, ``expired`` or ``revoked``."""
        if self.revoked_ms is not None:
            return "revoked"
        return "active" if self.expires_ms is None or now_ms < self.expires_ms else "expired"


class KeyTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a new key is to be, besides its name and scopes."""

    account: str = DEFAULT_ACCOUNT
    public_key: str | None = None
    """PEM of an Ed25519 key; None makes a shared secret."""
    addresses: tuple[str, ...] = ()
    expires_ms: int | None = None
    limits: KeyLimits = NO_LIMITS


class NewKey(msgspec.Struct, frozen=True):
    """What ``keys create`` shows once: the key's public id, and the secret that is sent as the bearer token."""

    key: str
    secret: str
    """Empty where the owner has a private key."""

    def __repr__(self) -> str:
        return f"NewKey(key={self.key!r}, secret='***')"


def is_within(client: str, networks: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks. IPv4 written as IPv6 is IPv4."""
    try:
        address: IPv4Address | IPv6Address = ip_address(client)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in map(read_network, networks))


def read_network(text: str) -> IPv4Network | IPv6Network:
    """An address or a network (``10.0.0.0/8``).

    Raises:
        ValueError: It is neither.
    """
    return ip_network(text, strict=False)
