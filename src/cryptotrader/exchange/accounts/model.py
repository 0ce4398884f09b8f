"""Accounts of the paper exchange and the API keys that open them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address, ip_network

from cryptotrader.config import REDACTOR
from cryptotrader.core.errors import ConfigError
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.engine.rules import Terms
from cryptotrader.exchange.engine.rules.commission import FREE, Fees, Rates, SymbolFees
from cryptotrader.exchange.engine.rules.terms import AssetLimit
from cryptotrader.exchange.latency import Latency
from cryptotrader.services.binance.signing import read_public_key, verify

SAMPLE_KEY_ID = "your_binance_api_key"
"""Key of the default account: what source 0 writes into ``BINANCE_API_KEY``, so its samples run unchanged."""

SAMPLE_SECRET = "your_binance_secret_key"
"""Its secret, which is public and opens paper money only."""

DEFAULT_ACCOUNT_ID = "default"

DEFAULT_BALANCES: Mapping[str, int] = {
    "BTC": 10 * SCALE,
    "ETH": 100 * SCALE,
    "BNB": 200 * SCALE,
    "SOL": 500 * SCALE,
    "XRP": 50_000 * SCALE,
    "ADA": 100_000 * SCALE,
    "DOGE": 500_000 * SCALE,
    "LTC": 500 * SCALE,
    "LINK": 5_000 * SCALE,
    "USDT": 100_000 * SCALE,
}
"""Scaled. Generous, yet far from what 1,000 BTC cost, so that the sample of a refused order is refused (S0-28)."""

DEFAULT_FEE_BPS = 10
"""Maker and taker commission. Unit: hundredths of a percent. Reason: Binance's standard spot rate."""

FIRST_UID = 100_001
"""Number of the first account."""

DEFAULT_REALISM = "realistic"

NO_TRADE_GROUP = -1

MAX_ACCOUNTS = 10_000
"""Most accounts at a time. Unit: accounts. Reason: a test suite that opens one per test fits in many times over."""

MAX_KEYS = 10_000
"""Most keys at a time. Unit: keys. Reason: the ring must not grow without end."""


class KeyKind(StrEnum):
    """How a key signs (``rest-api.md``, "SIGNED Endpoint security")."""

    HMAC = "hmac"
    ED25519 = "ed25519"
    RSA = "rsa"


class Permission(StrEnum):
    """What a key may do."""

    TRADE = "TRADE"
    USER_DATA = "USER_DATA"


ALL_PERMISSIONS = frozenset(Permission)


@dataclass(frozen=True)
class ApiKey:
    """One key.

    Attributes:
        id: What travels in ``X-MBX-APIKEY``.
        account: Which account it opens.
        kind: How its signatures are checked.
        secret: The shared secret, or for Ed25519 and RSA the public key as PEM.
        permissions: What it may do.
        addresses: Addresses and networks (``10.0.0.0/8``) that may use it; empty lets everyone.
        name: What the owner calls it.
    """

    id: str
    account: str
    kind: KeyKind
    secret: str = field(repr=False)
    permissions: frozenset[Permission] = ALL_PERMISSIONS
    addresses: tuple[str, ...] = ()
    name: str = ""

    def admits(self, address: str) -> bool:
        """Whether it may be used from an address."""
        if not self.addresses:
            return True
        try:
            found = ip_address(address)
            return any(found in ip_network(each, strict=False) for each in self.addresses)
        except ValueError:
            return False

    def verify(self, payload: bytes, signature: str) -> bool:
        """Whether ``signature`` is this key's signature of ``payload``.

        An HMAC is hexadecimal in any case; the others are Base64 and case-sensitive.
        """
        return verify(self.kind.value, self.secret, payload, signature=signature)


@dataclass(frozen=True)
class PaperAccount:
    """One account as it is opened.

    Attributes:
        id: Name inside the exchange.
        uid: Number shown in ``/account``.
        balances: Asset to scaled quantity at the very first start.
        maker_bps: Commission where its order rested. Unit: hundredths of a percent.
        taker_bps: Commission where its order took.
        realism: ``optimistic``, ``realistic`` or ``pessimistic``: when its resting orders are filled.
        can_trade: Whether it may place and cancel orders at all.
        permissions: Permission sets of its own, as ``/account`` shows them.
        latency: How long its requests are on their way; None goes by the exchange's.
        pays_in_bnb: Whether it has chosen to pay commission in BNB where it can, at a discount.
        special: Commission on top of the standard one.
        tax: Tax on top of that.
        symbol_fees: In place of all the above, on the symbols named.
        asset_limits: Most of an asset in one order (the filter MAX_ASSET).
        sor_disabled: Whether it may not use smart order routing.
        trade_group: ``tradeGroupId``: accounts of one group do not trade with each other; -1 is in none.
    """

    id: str = DEFAULT_ACCOUNT_ID
    uid: int = FIRST_UID
    balances: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_BALANCES))
    maker_bps: int = DEFAULT_FEE_BPS
    taker_bps: int = DEFAULT_FEE_BPS
    realism: str = DEFAULT_REALISM
    can_trade: bool = True
    permissions: tuple[str, ...] = ("SPOT",)
    latency: Latency | None = None
    pays_in_bnb: bool = False
    special: Rates = FREE
    tax: Rates = FREE
    symbol_fees: Mapping[str, SymbolFees] = field(default_factory=dict)
    asset_limits: tuple[AssetLimit, ...] = ()
    sor_disabled: bool = False
    trade_group: int = NO_TRADE_GROUP

    @property
    def fees(self) -> Fees:
        """What it pays, as the engine takes it."""
        return Fees(
            maker_bps=self.maker_bps,
            taker_bps=self.taker_bps,
            special=self.special,
            tax=self.tax,
            by_symbol=tuple(sorted(self.symbol_fees.items())),
            pays_in_discount_asset=self.pays_in_bnb,
        )

    @property
    def terms(self) -> Terms:
        """What it may do, as the engine takes it."""
        return Terms(
            permissions=self.permissions,
            can_trade=self.can_trade,
            sor_disabled=self.sor_disabled,
            asset_limits=self.asset_limits,
        )


class KeyRing:
    """All keys by id; the secrets in it are made known to the log redactor.

    Raises:
        ConfigError: Two keys have one id, there are more than ``MAX_KEYS``, or a public key cannot be read.
    """

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self._keys: dict[str, ApiKey] = {}
        for key in keys:
            self.add(key)

    def __iter__(self) -> Iterator[ApiKey]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: ApiKey) -> None:
        """Let a key in."""
        if key.id in self._keys or len(self._keys) >= MAX_KEYS:
            raise ConfigError("an API key is there twice, or there are too many")
        if key.kind is KeyKind.HMAC:
            REDACTOR.learn(key.secret)
        else:
            read_public_key(key.secret, key.kind.value)
        self._keys[key.id] = key

    def remove(self, key_id: str) -> bool:
        """Take a key out; False where there was none."""
        return self._keys.pop(key_id, None) is not None

    def find(self, key_id: str) -> ApiKey | None:
        """The key with this id."""
        return self._keys.get(key_id)


def sample_key(account: str = DEFAULT_ACCOUNT_ID) -> ApiKey:
    """The documented key of the default account. Only for a loopback paper set-up."""
    return ApiKey(id=SAMPLE_KEY_ID, account=account, kind=KeyKind.HMAC, secret=SAMPLE_SECRET)
