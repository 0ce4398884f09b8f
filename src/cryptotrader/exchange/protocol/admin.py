"""The exchange's back door: faults on demand and paper money. Only programs on the same machine get through."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.core.scaled import format_scaled, parse_scaled
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.faults import MAX_FAULTS, FaultSpec
from cryptotrader.exchange.protocol.operations import Operations
from cryptotrader.services.binance.registry import by_method

MAX_BODY_BYTES = 16_384
"""Largest request body. Unit: bytes. Reason: a fault takes a few hundred."""

_decode_fault = msgspec.json.Decoder(FaultSpec).decode


class Deposit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``POST /admin/accounts/{account}/deposit``; a negative amount withdraws."""

    asset: Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{1,20}$")]
    amount: Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,10}(\.[0-9]{1,8})?$")]


_decode_deposit = msgspec.json.Decoder(Deposit).decode


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def _problem(text: str, status: int) -> Response:
    return _json({"code": -1130, "msg": text}, status)


def refusal_of(request: Request) -> Response | None:
    """Why the request may not use the back door; None where it may.

    A web page in a browser on this machine is on this machine too: without CORS headers from us it cannot send JSON.
    """
    if not is_local(request):
        return _problem("Only from this machine.", 403)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method == "POST" and kind != "application/json":
        return _problem("The body must be application/json.", 415)
    if request.method != "GET" and "origin" in request.headers:
        return _problem("Not from a web page.", 403)
    return None


def is_local(request: Request) -> bool:
    """Whether the other side is on this machine."""
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


class Admin:
    """Routes under ``/admin``."""

    def __init__(self, operations: Operations) -> None:
        self._desk = operations.desk

    def routes(self) -> list[Route]:
        """For the exchange's application."""
        return [
            Route("/admin/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/admin/faults/{fault_id:int}", self.fault, methods=["DELETE"]),
            Route("/admin/accounts", self.accounts, methods=["GET"]),
            Route("/admin/accounts/{account}/deposit", self.deposit, methods=["POST"]),
        ]

    async def faults(self, request: Request) -> Response:
        """List, add or clear faults."""
        if (refusal := refusal_of(request)) is not None:
            return refusal
        book = self._desk.faults
        match request.method:
            case "POST":
                return await self._add_fault(request)
            case "DELETE":
                return _json({"cleared": book.clear()})
            case _:
                return _json([msgspec.to_builtins(fault) for fault in book.list()])

    async def fault(self, request: Request) -> Response:
        """Clear one fault."""
        if (refusal := refusal_of(request)) is not None:
            return refusal
        cleared = self._desk.faults.clear(int(request.path_params["fault_id"]))
        return _json({"cleared": cleared}, 200 if cleared else 404)

    async def _add_fault(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _problem("The body is too large.", 413)
        try:
            spec = _decode_fault(body)
        except msgspec.DecodeError as error:
            return _problem(f"Not a fault: {error}", 400)
        if spec.operation != "*" and by_method(spec.operation) is None:
            return _problem("No such operation; name it as the WebSocket API does, or * for all.", 400)
        fault = self._desk.faults.add(spec)
        if fault is None:
            return _problem(f"More than {MAX_FAULTS} faults are waiting.", 409)
        return _json(msgspec.to_builtins(fault), 201)

    async def accounts(self, request: Request) -> Response:
        """Accounts with what they hold."""
        if (refusal := refusal_of(request)) is not None:
            return refusal
        venue = self._desk.venue
        return _json(
            [
                {
                    "account": account.id,
                    "uid": account.uid,
                    "keys": [key.id for key in venue.keys if key.account == account.id],
                    "balances": {
                        asset: {"free": format_scaled(free), "locked": format_scaled(locked)}
                        for asset, free, locked in venue.balances(account.id)
                    },
                }
                for account in venue.accounts()
            ]
        )

    async def deposit(self, request: Request) -> Response:
        """Add paper money to an account."""
        if (refusal := refusal_of(request)) is not None:
            return refusal
        body = await _body(request)
        if body is None:
            return _problem("The body is too large.", 413)
        venue = self._desk.venue
        account = str(request.path_params["account"])
        try:
            wanted = _decode_deposit(body)
            venue.account(account)
            venue.deposit(account, wanted.asset, parse_scaled(wanted.amount))
        except msgspec.DecodeError as error:
            return _problem(f"Not a deposit: {error}", 400)
        except Refusal:
            return _problem("No such account.", 404)
        except ValueError:
            return _problem("The account does not have that much.", 400)
        await venue.committed()
        return _json({})


async def _body(request: Request) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            return None
        parts.append(chunk)
    return b"".join(parts)
