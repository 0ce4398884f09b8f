"""Asking the venue, and the one place that passes its bytes on untouched (C-14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.responses import Response

from cryptotrader.gateway.http.replies import json_reply
from cryptotrader.gateway.ports import GatewayServices
from cryptotrader.services.binance.request import RequestSpec
from cryptotrader.services.binance.validate import parse_params
from cryptotrader.telemetry.metrics import REST_SOURCE
from cryptotrader.trading.ports import Upstream

MODE_HEADER = "X-Trading-Mode"
"""Says what an order is worth: ``paper``, ``testnet`` or ``live``."""


class Asked(Protocol):
    """Who has a way to the venue: the services in common, or an account."""

    @property
    def upstream(self) -> Upstream:
        """Sends, and signs where it can."""
        ...


async def ask(asked: Asked, spec: RequestSpec[Any, Any], given: Mapping[str, object]) -> bytes:
    """Send a request upstream; what is None in ``given`` is left out.

    Raises:
        InvalidParams: A parameter, or a combination of them, makes no sense.
        CryptotraderError: The venue refused or failed.
    """
    params = parse_params(spec, {name: value for name, value in given.items() if value is not None})
    return (await asked.upstream.raw(spec, params)).body


async def symbol_of(services: GatewayServices, text: str) -> str:
    """Any spelling of a symbol to the venue's own (C-12)."""
    return await services.catalogue.require(text)


def from_live(route: str, body: bytes) -> Response:
    """An answer out of live state."""
    REST_SOURCE.labels(route, "live").inc()
    return json_reply(body)


def from_venue(route: str, body: bytes) -> Response:
    """An answer that the venue gave just now."""
    REST_SOURCE.labels(route, "upstream").inc()
    return json_reply(body)
