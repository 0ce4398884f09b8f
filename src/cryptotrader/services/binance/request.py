"""A request to Binance is a value: method, path, security, weight, parameters and result, stated once.

The REST client, the paper exchange (routing, validation, weights), the gateway's OpenAPI document and the contract
tests all read the same ``RequestSpec``. Facts come from ``rest-api.md`` and ``web-socket-api.md`` of Binance.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar, cast

import msgspec

Symbol = Annotated[str, msgspec.Meta(pattern=r"^(?=[^a-z]{1,50}$)[\w.-]{1,50}$")]
"""A symbol in upper case, such as ``BTCUSDT``. Letters need not be ASCII."""

DecimalText = Annotated[str, msgspec.Meta(pattern=r"^([0-9]{1,20})(\.[0-9]{1,20})?$")]
"""An exact positive number as text, kept as it was written so that it is signed as it is sent."""

MAX_LONG = 2**63 - 1
"""Largest number of the venue's type LONG."""

Long = Annotated[int, msgspec.Meta(ge=0, le=MAX_LONG)]
"""A whole number that fits 64 bits."""

Millis = Long
"""Milliseconds since 1970-01-01 UTC."""

RecvWindow = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")]
"""Milliseconds for which a signed request stays valid, up to 60000, with up to three decimal places."""

ClientOrderId = Annotated[str, msgspec.Meta(pattern=r"^[.A-Z:/a-z0-9_-]{1,36}$")]
"""An order's name given by its owner."""

OrderId = Long
"""The venue's number of an order; unique per symbol."""

TradeId = Long
"""The venue's number of a trade; unique per symbol."""

Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]
"""Rows wanted. The venue answers 500 when it is absent."""

Interval = Literal["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]
"""Length of a candle; upper and lower case differ."""

TimeZone = Annotated[str, msgspec.Meta(pattern=r"^[+-]?[0-9]{1,2}(:[0-9]{2})?$")]
"""Offset to UTC that candles and days follow: ``8``, ``-1:00``, from -12:00 to +14:00."""

SymbolStatus = Literal["TRADING", "HALT", "BREAK"]
"""Keeps only symbols in this state."""

TickerType = Literal["FULL", "MINI"]
"""How much a price statistic tells; ``FULL`` when absent."""


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
        built: dict[str, Any] = msgspec.to_builtins(self)
        if None in built.values():
            # Only where None is not what a field is when nothing is said.
            return {name: value for name, value in built.items() if value is not None}
        return built

    def text(self) -> dict[str, str]:
        """The same as a query string carries it: every value as text, lists as compact JSON."""
        return {name: _as_text(value) for name, value in self.wire().items()}


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


class SignedParams(Params, frozen=True, kw_only=True):
    """Base of the parameters of signed requests. Whoever signs adds ``timestamp`` and ``signature``."""

    recv_window: RecvWindow | None = None


P = TypeVar("P", bound=Params)
R = TypeVar("R")
T = TypeVar("T")

Weight = Callable[[Mapping[str, Any]], int]
"""From wire parameters to request weight (unit: weight per IP and minute)."""

Rule = Callable[[Mapping[str, Any]], None]
"""A relation between wire parameters that must hold; raises ``InvalidParams`` where it does not."""


Callback = Callable[[dict[str, Any]], Awaitable[None]]
"""Gets the whole reply: ``{"id","status","result"|"error","rateLimits"}``."""


class Requester(Protocol):
    """What a request is sent over: a ``BinanceWebSocketConnection``, or a test's."""

    async def submit(self, spec: RequestSpec[P, R], given: Mapping[str, Any], callback: Callback) -> str:
        """Check, send, and return the id of the message."""
        ...

    async def request(self, spec: RequestSpec[P, R], params: P, *, timeout_s: float | None = None) -> R:
        """Send and wait for the typed result."""
        ...


ProcessRequest = Callable[[Requester, Mapping[str, Any], Callback], Awaitable[str]]
"""``async (connection, params, callback) -> message id`` (S4-6)."""


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
        signed: Whether it is signed although its security type alone would not say so.
        rules: Relations between parameters that types cannot express, such as "one of these two".
    """

    method: str
    rest: str
    security: SecurityType
    weight: Weight
    params: type[P]
    result: type[R]
    order_count: int = 0
    signed: bool = False
    rules: tuple[Rule, ...] = ()

    @property
    def name(self) -> str:
        """What logs and metrics call it: the method, else verb and path."""
        return self.method or self.rest

    @cached_property
    def is_signed(self) -> bool:
        """Whether a timestamp and a signature go along."""
        return self.signed or self.security.is_signed

    @cached_property
    def needs_key(self) -> bool:
        """Whether the API key goes along."""
        return self.signed or self.security.needs_key

    @property
    def weight_words(self) -> str:
        """The rule of its weight in words: ``6 with symbol, else 80``."""
        return self.weight.__doc__ or ""

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

    @cached_property
    def process_request(self) -> ProcessRequest:
        """What a module offers as ``process_request``; its docstring is made of this spec (S4-5, S4-6)."""

        async def process_request(connection: Requester, params: Mapping[str, Any], callback: Callback) -> str:
            return await connection.submit(self, params, callback)

        process_request.__doc__ = _describe(self)
        return process_request

    @cached_property
    def decode(self) -> Callable[[bytes | msgspec.Raw], R]:
        """Reads a result; raises ``msgspec.DecodeError``."""
        return msgspec.json.Decoder(self.result).decode

    def call(self, connection: Requester, params: P, *, timeout_s: float | None = None) -> Coroutine[Any, Any, R]:
        """Send it over the WebSocket API and wait for the typed result; errors as ``request`` of the connection."""
        return connection.request(self, params, timeout_s=timeout_s)


_DESCRIPTION = """Process a {method} request.

Endpoint: {endpoint}
Method: {method}
Weight: {weight}
Security Type: {security}

Args:
    connection: Active WebSocket connection.
    params: Request parameters by Binance's names: {params}.
    callback: Awaited with the whole reply to this request: ``id``, ``status``, ``result`` or ``error``, ``rateLimits``.

Returns:
    Message ID of the request.

Raises:
    ConnectionError: The WebSocket is not connected.
    ValueError: A required parameter is missing ("Missing required parameter: <name>") or a parameter is wrong.
"""


def _describe(spec: RequestSpec[Any, Any]) -> str:
    fields = msgspec.structs.fields(spec.params)
    names = [field.encode_name + (" (required)" if field.required else "") for field in fields]
    return _DESCRIPTION.format(
        method=spec.method or spec.rest,
        endpoint=spec.rest or "WebSocket API only",
        weight=spec.weight.__doc__ or "see Binance's document",
        security=spec.security.value,
        params=", ".join(names) or "none",
    )


def one_or_many(item: type[T]) -> type[T | list[T]]:
    """Result type of a request that answers an object for ``symbol`` and an array otherwise."""
    return cast("type[T | list[T]]", item | list[item])  # type: ignore[valid-type]


def fixed_weight(weight: int) -> Weight:
    """The same weight whatever the parameters."""
    return _told(lambda params: weight, str(weight))


def weight_by_limit(steps: Mapping[int, int], *, default: int = 100) -> Weight:
    """Weight by the ``limit`` parameter: ``{100: 5, 500: 25}`` means 5 up to 100, 25 up to 500; the last step is open.

    Args:
        steps: Upper bound of ``limit`` to weight, ascending.
        default: The limit that the venue assumes when there is none.
    """

    def weigh(params: Mapping[str, Any]) -> int:
        limit = int(params.get("limit") or default)
        return next((weight for bound, weight in steps.items() if limit <= bound), list(steps.values())[-1])

    return _told(weigh, ", ".join(f"{weight} up to limit {bound}" for bound, weight in steps.items()))


def weight_by_symbols(*, one: int, steps: Mapping[int, int], every: int) -> Weight:
    """Weight by how many symbols are asked for: ``one`` for ``symbol``, by count for ``symbols``, else ``every``."""

    def weigh(params: Mapping[str, Any]) -> int:
        if params.get("symbol"):
            return one
        symbols = params.get("symbols")
        if not symbols:
            return every
        count = _symbol_count(symbols)
        return next((weight for bound, weight in steps.items() if count <= bound), every)

    several = "".join(f"{weight} for up to {bound} symbols, " for bound, weight in steps.items())
    return _told(weigh, f"{one} for symbol, {several}else {every}")


def weight_if(param: str, *, present: int, absent: int) -> Weight:
    """One weight where the parameter is sent (and is not ``false``), another where it is not."""
    return _told(
        lambda params: absent if params.get(param) in (None, "", False, "false") else present,
        f"{present} with {param}, else {absent}",
    )


def weight_per_symbol(each: int, *, cap: int, every: int | None = None) -> Weight:
    """``each`` for every symbol asked for, at most ``cap``; ``every`` (by default as for one) where none is named."""

    def weigh(params: Mapping[str, Any]) -> int:
        symbols = params.get("symbols")
        if not symbols and not params.get("symbol") and every is not None:
            return every
        return min(cap, each * _symbol_count(symbols or "one"))

    rest = "" if every is None else f", {every} for all"
    return _told(weigh, f"{each} for each symbol, at most {cap}{rest}")


def _told(weight: Weight, words: str) -> Weight:
    """The weight, with its rule in words as its docstring."""
    weight.__doc__ = words
    return weight


def _symbol_count(symbols: object) -> int:
    return len(symbols) if isinstance(symbols, (list, tuple)) else str(symbols).count(",") + 1
