"""A request to Binance is a value: method, path, security, weight, parameters and result, stated once.

The REST client, the paper exchange (routing, validation, weights), the gateway's OpenAPI document and the contract
tests all read the same ``RequestSpec``. Facts come from ``rest-api.md`` and ``web-socket-api.md`` of Binance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar

import msgspec

Symbol = Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
"""A symbol in upper case, such as ``BTCUSDT``. Letters need not be ASCII."""

DecimalText = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{1,20})(\.[0-9]{1,20})?$")]
"""An exact positive number as text, kept as it was written so that it is signed as it is sent."""

Millis = Annotated[int, msgspec.Meta(ge=0)]
"""Milliseconds since 1970-01-01 UTC."""


class SecurityType(Enum):
    """What a request must carry (``rest-api.md``, "Endpoint security type"; S4-9, C-24)."""

    NONE = "NONE"
    TRADE = "TRADE"
    USER_DATA = "USER_DATA"
    USER_STREAM = "USER_STREAM"
    MARKET_DATA = "MARKET_DATA"

    @property
    def needs_key(self) -> bool:
        """Whether the API key goes along."""
        return self is not SecurityType.NONE

    @property
    def is_signed(self) -> bool:
        """Whether a timestamp and a signature go along."""
        return self in (SecurityType.TRADE, SecurityType.USER_DATA)


class Params(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Base of all parameter sets: snake_case here, camelCase on the wire, absent where None."""

    def wire(self) -> dict[str, Any]:
        """What goes on the wire, in the order of the fields, without what is absent."""
        built = msgspec.to_builtins(self)
        return {name: value for name, value in built.items() if value is not None}


P = TypeVar("P", bound=Params)
R = TypeVar("R")

Weight = Callable[[Mapping[str, Any]], int]
"""From wire parameters to request weight (unit: weight per IP and minute)."""


@dataclass(frozen=True)
class RequestSpec(Generic[P, R]):
    """One request that Binance understands.

    Attributes:
        method: Name in the WebSocket API (``depth``); empty where it has none.
        rest: Verb and path of the REST API (``GET /api/v3/depth``); empty where it has none.
        security: What the request must carry.
        weight: Request weight as a function of the wire parameters.
        params: Type of the parameters.
        result: Type of the result.
        order_count: How much a success adds to the account's unfilled order count.
    """

    method: str
    rest: str
    security: SecurityType
    weight: Weight
    params: type[P]
    result: type[R]
    order_count: int = 0

    @property
    def verb(self) -> str:
        """``GET``, ``POST``, ``PUT`` or ``DELETE``."""
        return self.rest.partition(" ")[0]

    @property
    def path(self) -> str:
        """``/api/v3/depth``."""
        return self.rest.partition(" ")[2]

    @property
    def is_idempotent(self) -> bool:
        """Whether sending it twice is the same as sending it once; never true of what could trade."""
        return self.verb == "GET"


def fixed_weight(weight: int) -> Weight:
    """The same weight whatever the parameters."""
    return lambda params: weight


def weight_by_limit(steps: Mapping[int, int], *, default: int = 100) -> Weight:
    """Weight by the ``limit`` parameter: ``{100: 5, 500: 25}`` means 5 up to 100, 25 up to 500; the last step is open.

    Args:
        steps: Upper bound of ``limit`` to weight, ascending.
        default: The limit that the venue assumes when there is none.
    """

    def weigh(params: Mapping[str, Any]) -> int:
        limit = int(params.get("limit") or default)
        return next((weight for bound, weight in steps.items() if limit <= bound), list(steps.values())[-1])

    return weigh


def weight_by_symbols(*, one: int, steps: Mapping[int, int], every: int) -> Weight:
    """Weight by how many symbols are asked for: ``one`` for ``symbol``, by count for ``symbols``, else ``every``."""

    def weigh(params: Mapping[str, Any]) -> int:
        if params.get("symbol"):
            return one
        symbols = params.get("symbols")
        if not symbols:
            return every
        count = len(symbols) if isinstance(symbols, (list, tuple)) else str(symbols).count(",") + 1
        return next((weight for bound, weight in steps.items() if count <= bound), every)

    return weigh
