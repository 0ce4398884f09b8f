"""``/admin/accounts/{account}/keys``: who may sign for an account. A secret is shown once, where it is made."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.exchange.accounts import ALL_PERMISSIONS, ApiKey, KeyKind, PaperAccount, Permission
from cryptotrader.exchange.accounts.office import BackOffice, KeyMaterial, KeyTerms, make_material
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.admin.guard import Guard, Problem, answer, read
from cryptotrader.exchange.protocol.operations import Desk

Addresses = Annotated[tuple[str, ...], msgspec.Meta(max_length=30)]
Name = Annotated[str, msgspec.Meta(max_length=64)]


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /admin/accounts/{account}/keys``."""

    kind: KeyKind = KeyKind.HMAC
    public_key: Annotated[str, msgspec.Meta(max_length=8_192)] | None = None
    """PEM of a key that the owner made; None has the exchange make one."""
    permissions: frozenset[Permission] = ALL_PERMISSIONS
    addresses: Addresses = ()
    name: Name = ""


class KeyChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``PATCH /admin/accounts/{account}/keys/{key}``; what is not named stays."""

    permissions: frozenset[Permission] | None = None
    addresses: Addresses | None = None
    name: Name | None = None


class KeyRoutes:
    """Make, change and revoke keys.

    Args:
        desk: Has the venue.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._office = BackOffice(desk.venue)

    def routes(self, guard: Guard) -> list[Route]:
        """For the exchange's application."""
        path = "/admin/accounts/{account}/keys"
        return [
            guard.route(path, get=self._list, post=self._make),
            guard.route(f"{path}/{{key}}", patch=self._change, delete=self._drop),
        ]

    async def _list(self, request: Request) -> Response:
        return answer([shown_key(key) for key in self._office.keys_of(named_account(self._desk, request).id)])

    async def _make(self, request: Request) -> Response:
        wanted = await read(request, NewKey)
        account = named_account(self._desk, request)
        if wanted.public_key is None:
            material = await asyncio.to_thread(make_material, wanted.kind)
        elif wanted.kind is KeyKind.HMAC:
            raise Problem("An HMAC key has no public key.")
        else:
            material = KeyMaterial(wanted.kind, wanted.public_key)
        terms = KeyTerms(permissions=wanted.permissions, addresses=wanted.addresses, name=wanted.name)
        key = self._office.add_key(account.id, material, terms)
        await self._desk.venue.committed()
        return answer(shown_key(key, material), 201)

    async def _change(self, request: Request) -> Response:
        wanted = await read(request, KeyChange)
        key = self._key(request)
        terms = KeyTerms(
            permissions=key.permissions if wanted.permissions is None else wanted.permissions,
            addresses=key.addresses if wanted.addresses is None else wanted.addresses,
            name=key.name if wanted.name is None else wanted.name,
        )
        changed = self._office.change_key(key, terms)
        await self._desk.venue.committed()
        return answer(shown_key(changed))

    async def _drop(self, request: Request) -> Response:
        key = self._key(request)
        self._office.drop_key(key)
        await self._desk.venue.committed()
        return answer({"revoked": key.id})

    def _key(self, request: Request) -> ApiKey:
        account = named_account(self._desk, request)
        key = self._desk.venue.keys.find(str(request.path_params["key"]))
        if key is None or key.account != account.id:
            raise Problem("No such key.", 404)
        return key


def named_account(desk: Desk, request: Request) -> PaperAccount:
    """The account that the path names.

    Raises:
        Problem: There is none.
    """
    try:
        return desk.venue.account(str(request.path_params["account"]))
    except Refusal:
        raise Problem("No such account.", 404) from None


def shown_key(key: ApiKey, material: KeyMaterial | None = None) -> dict[str, object]:
    """A key as the back door shows it; with ``material`` what it signs with, this once."""
    shown: dict[str, object] = {
        "key": key.id,
        "account": key.account,
        "kind": key.kind,
        "permissions": sorted(key.permissions),
        "addresses": key.addresses,
        "name": key.name,
    }
    if material is not None and material.signing is not None:
        shown["secret" if key.kind is KeyKind.HMAC else "private_key"] = material.signing
    return shown
