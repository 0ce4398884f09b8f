"""``/admin/accounts``: accounts with their balances, fees and terms."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.core.errors import ConfigError
from cryptotrader.core.scaled import format_scaled, parse_scaled
from cryptotrader.exchange.accounts import DEFAULT_FEE_BPS, NO_TRADE_GROUP, KeyKind, PaperAccount
from cryptotrader.exchange.accounts.office import BackOffice, make_material
from cryptotrader.exchange.engine.rules.commission import Rates, SymbolFees
from cryptotrader.exchange.engine.rules.terms import AssetLimit
from cryptotrader.exchange.latency import Latency
from cryptotrader.exchange.protocol.admin.guard import Guard, Problem, answer, read
from cryptotrader.exchange.protocol.admin.keys import named_account, shown_key
from cryptotrader.exchange.protocol.operations import Desk

MAX_FEE_BPS = 1_000
"""Highest commission. Unit: hundredths of a percent. Reason: ten percent is more than any venue takes."""

AccountName = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_.-]{1,64}$")]
Asset = Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{1,20}$")]
Amount = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,10}(\.[0-9]{1,8})?$")]
Holding = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,8})?$")]
Realism = Literal["optimistic", "realistic", "pessimistic"]
Share = Annotated[str, msgspec.Meta(pattern=r"^0(\.[0-9]{1,8})?$")]
TradeGroup = Annotated[int, msgspec.Meta(ge=NO_TRADE_GROUP, le=2**31 - 1)]
FeeBps = Annotated[int, msgspec.Meta(ge=0, le=MAX_FEE_BPS)]
PermissionSet = Annotated[str, msgspec.Meta(pattern="^[A-Z0-9_]{1,32}$")]
PermissionSets = Annotated[tuple[PermissionSet, ...], msgspec.Meta(max_length=64)]


_TERMS = (
    "maker_bps",
    "taker_bps",
    "realism",
    "can_trade",
    "permissions",
    "latency",
    "pays_in_bnb",
    "sor_disabled",
    "trade_group",
)
"""Attributes of an account that stand in the JSON as they are."""


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of commission, as shares: ``{"maker": "0.001"}`` is ten basis points."""

    maker: Share = "0"
    taker: Share = "0"
    buyer: Share = "0"
    seller: Share = "0"

    def rates(self) -> Rates:
        """As the engine takes them."""
        return Rates(
            maker=parse_scaled(self.maker),
            taker=parse_scaled(self.taker),
            buyer=parse_scaled(self.buyer),
            seller=parse_scaled(self.seller),
        )


class SymbolRate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one symbol costs."""

    standard: Rate
    special: Rate = Rate()
    tax: Rate = Rate()
    discount_enabled: bool = True

    def fees(self) -> SymbolFees:
        """As the engine takes them."""
        return SymbolFees(
            standard=self.standard.rates(),
            special=self.special.rates(),
            tax=self.tax.rates(),
            discount_enabled=self.discount_enabled,
        )


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /admin/accounts``."""

    account: AccountName
    balances: dict[Asset, Holding] | None = None
    """What it holds; None is what the default account gets."""
    maker_bps: FeeBps = DEFAULT_FEE_BPS
    taker_bps: FeeBps = DEFAULT_FEE_BPS
    realism: Realism = "realistic"
    can_trade: bool = True
    permissions: PermissionSets = ("SPOT",)
    latency: Latency | None = None
    pays_in_bnb: bool = False
    sor_disabled: bool = False
    trade_group: TradeGroup = NO_TRADE_GROUP
    keys: Annotated[tuple[KeyKind, ...], msgspec.Meta(max_length=3)] = (KeyKind.HMAC,)
    """Keys to make with it, by kind."""


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``PATCH /admin/accounts/{account}``; what is not named stays."""

    maker_bps: FeeBps | msgspec.UnsetType = msgspec.UNSET
    taker_bps: FeeBps | msgspec.UnsetType = msgspec.UNSET
    realism: Realism | msgspec.UnsetType = msgspec.UNSET
    can_trade: bool | msgspec.UnsetType = msgspec.UNSET
    permissions: PermissionSets | msgspec.UnsetType = msgspec.UNSET
    latency: Latency | msgspec.UnsetType | None = msgspec.UNSET
    pays_in_bnb: bool | msgspec.UnsetType = msgspec.UNSET
    sor_disabled: bool | msgspec.UnsetType = msgspec.UNSET
    trade_group: TradeGroup | msgspec.UnsetType = msgspec.UNSET
    special: Rate | msgspec.UnsetType = msgspec.UNSET
    tax: Rate | msgspec.UnsetType = msgspec.UNSET
    symbol_fees: dict[Asset, SymbolRate] | msgspec.UnsetType = msgspec.UNSET
    """All symbols that differ; an empty object lets none differ."""
    asset_limits: dict[Asset, Holding] | msgspec.UnsetType = msgspec.UNSET
    """MAX_ASSET: most of an asset in one order."""


class Deposit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /admin/accounts/{account}/deposit``; a negative amount withdraws."""

    asset: Asset
    amount: Amount


class Reset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /admin/accounts/{account}/reset``; without balances they are those of the opening."""

    balances: dict[Asset, Holding] | None = None


class AccountRoutes:
    """Open, change, fund and reset accounts.

    Args:
        desk: Has the venue.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._office = BackOffice(desk.venue)

    def routes(self, guard: Guard) -> list[Route]:
        """For the exchange's application."""
        one = "/admin/accounts/{account}"
        return [
            guard.route("/admin/accounts", get=self._list, post=self._open),
            guard.route(one, get=self._show, patch=self._change),
            guard.route(f"{one}/deposit", post=self._deposit),
            guard.route(f"{one}/reset", post=self._reset),
        ]

    async def _list(self, request: Request) -> Response:
        return answer([self._shown(account) for account in self._desk.venue.accounts()])

    async def _show(self, request: Request) -> Response:
        return answer(self._shown(named_account(self._desk, request)))

    async def _open(self, request: Request) -> Response:
        wanted = await read(request, Opening)
        terms = {name: getattr(wanted, name) for name in _TERMS}
        account = PaperAccount(id=wanted.account, **terms)
        if wanted.balances is not None:
            account = dataclasses.replace(account, balances=_scaled(wanted.balances))
        # Before the account is there: an RSA pair takes its time, and nothing must come in between.
        materials = [await asyncio.to_thread(make_material, kind) for kind in wanted.keys]
        try:
            opened = self._office.open(account)
        except ConfigError as error:
            raise Problem(error.message, 409) from None
        made = [(self._office.add_key(opened.id, material), material) for material in materials]
        await self._desk.venue.committed()
        shown = self._shown(opened)
        shown["keys"] = [shown_key(key, material) for key, material in made]
        return answer(shown, 201)

    async def _change(self, request: Request) -> Response:
        wanted = await read(request, Change)
        account = named_account(self._desk, request)
        changes = {name: value for name, value in _changes(wanted) if value is not msgspec.UNSET}
        changed = dataclasses.replace(account, **changes)
        self._office.change(changed)
        self._desk.roads.forget(account.id)
        await self._desk.venue.committed()
        return answer(self._shown(changed))

    async def _deposit(self, request: Request) -> Response:
        wanted = await read(request, Deposit)
        account = named_account(self._desk, request)
        try:
            self._desk.venue.deposit(account.id, wanted.asset, parse_scaled(wanted.amount))
        except ValueError:
            raise Problem("The account does not have that much.") from None
        await self._desk.venue.committed()
        return answer(self._shown(account))

    async def _reset(self, request: Request) -> Response:
        wanted = await read(request, Reset)
        account = named_account(self._desk, request)
        balances = None if wanted.balances is None else _scaled(wanted.balances)
        cancelled = self._office.reset(account.id, balances)
        await self._desk.venue.committed()
        return answer(self._shown(account) | {"cancelled": cancelled})

    def _shown(self, account: PaperAccount) -> dict[str, object]:
        venue = self._desk.venue
        return {
            "account": account.id,
            "uid": account.uid,
            **{name: getattr(account, name) for name in _TERMS},
            "special": _shown_rates(account.special),
            "tax": _shown_rates(account.tax),
            "symbol_fees": {
                symbol: {
                    "standard": _shown_rates(fees.standard),
                    "special": _shown_rates(fees.special),
                    "tax": _shown_rates(fees.tax),
                    "discount_enabled": fees.discount_enabled,
                }
                for symbol, fees in account.symbol_fees.items()
            },
            "asset_limits": {each.asset: format_scaled(each.limit) for each in account.asset_limits},
            "open_orders": len(venue.open_orders(account.id)),
            "keys": [key.id for key in self._office.keys_of(account.id)],
            "balances": {
                asset: {"free": format_scaled(free), "locked": format_scaled(locked)}
                for asset, free, locked in venue.balances(account.id)
            },
        }


def _changes(wanted: Change) -> Iterator[tuple[str, Any]]:
    """(attribute of the account, new value), unset ones included."""
    for name in _TERMS:
        yield name, getattr(wanted, name)
    for name in ("special", "tax"):
        rate = getattr(wanted, name)
        yield name, rate.rates() if isinstance(rate, Rate) else rate
    if wanted.symbol_fees is not msgspec.UNSET:
        yield "symbol_fees", {symbol: rate.fees() for symbol, rate in wanted.symbol_fees.items()}
    if wanted.asset_limits is not msgspec.UNSET:
        yield "asset_limits", tuple(AssetLimit(*each) for each in sorted(_scaled(wanted.asset_limits).items()))


def _shown_rates(rates: Rates) -> dict[str, str]:
    return {name: format_scaled(getattr(rates, name)) for name in ("maker", "taker", "buyer", "seller")}


def _scaled(balances: dict[str, str]) -> dict[str, int]:
    return {asset: parse_scaled(amount) for asset, amount in balances.items()}
