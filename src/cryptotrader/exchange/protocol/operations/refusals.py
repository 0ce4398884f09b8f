"""From what is wrong with a request to Binance's number and text for it (``errors.md``), and to an HTTP status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from cryptotrader.core.errors import InvalidParams
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.auth import illegal, mandatory
from cryptotrader.exchange.protocol.limits import LimitReached
from cryptotrader.services.binance.registry import AnySpec
from cryptotrader.services.binance.request import MAX_LONG

UNKNOWN = -1000
UNKNOWN_TEXT = "An unknown error occurred while processing the request."
TIMEOUT = -1007
"""Execution status unknown: the order may have landed."""
TIMEOUT_TEXT = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."

FAULT_TEXTS: Mapping[int, str] = {
    UNKNOWN: UNKNOWN_TEXT,
    -1001: "Internal error; unable to process your request. Please try again.",
    -1002: "You are not authorized to execute this request.",
    -1003: "Too many requests queued.",
    -1006: "An unexpected response was received from the message bus. Execution status unknown.",
    TIMEOUT: TIMEOUT_TEXT,
    -1008: "Server is currently overloaded with other requests. Please try again in a few minutes.",
    -1013: "Filter failure: NOTIONAL",
    -1015: "Too many new orders.",
    -1016: "This service is no longer available.",
    -1021: "Timestamp for this request is outside of the recvWindow.",
    -1022: "Signature for this request is not valid.",
    -1121: "Invalid symbol.",
    -2010: "Account has insufficient balance for requested action.",
    -2011: "Unknown order sent.",
    -2013: "Order does not exist.",
    -2014: "API-key format invalid.",
    -2015: "Invalid API-key, IP, or permissions for action.",
}
"""What faults say that are told a code and no text. Source: ``errors.md``."""

_STATUS: Mapping[int, int] = {
    -1000: 500,
    -1001: 500,
    -1002: 401,
    -1003: 429,
    -1006: 500,
    -1007: 504,
    -1008: 503,
    -1015: 429,
    -1016: 503,
    -2014: 401,
    -2015: 401,
}

_ENUMS: Mapping[str, tuple[int, str]] = {
    "side": (-1117, "Invalid side."),
    "timeInForce": (-1115, "Invalid timeInForce."),
    "interval": (-1120, "Invalid interval."),
    "symbolStatus": (-1122, "Invalid symbolStatus."),
    "cancelRestrictions": (-1145, "Invalid cancelRestrictions"),
    "pegPriceType": (-1210, "Invalid pegPriceType."),
    "pegOffsetType": (-1211, "Invalid pegOffsetType."),
    "strategyType": (-1134, "`strategyType` was less than 1000000."),
    "pairType": (-1158, "Order type not supported in OCO."),
}

MAX_DIGITS = 20
"""Longest number that is read at all; what is longer is no number. Source: the legal range that Binance names."""

_LEG = re.compile(r"^(above|below|pendingAbove|pendingBelow|pending|working|limit|stopLimit|stop)([A-Z]\w*)$")
"""A parameter of one order of a list: ``pendingAboveTimeInForce``."""

_PAIR_TYPES = frozenset({"aboveType", "belowType", "pendingAboveType", "pendingBelowType"})

MAX_SYMBOLS = 100
"""Longest list of symbols. Source: ``rest-api.md``, "Rolling window price change statistics"; ``CHANGELOG.md``."""

_RECOMMENDED = frozenset({("orderList.place", "stopLimitTimeInForce")})
"""What only another parameter makes necessary, where the request says so in words of its own (``CHANGELOG.md``)."""

_LEGAL_SYMBOL = "^[\\w\\-._&&[^a-z]]{1,50}$"
_LEGAL_SYMBOLS = '^\\[("[\\w\\-._&&[^a-z]]{1,50}"(,"[\\w\\-._&&[^a-z]]{1,50}"){0,}){0,1}\\]$'
_LEGAL_INTEGER = "^[0-9]{1,20}$"
_LEGAL_DECIMAL = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
_LEGAL_NAME = "^[a-zA-Z0-9-_]{1,36}$"

_LEGAL: Mapping[str, str] = {
    "symbol": _LEGAL_SYMBOL,
    "symbols": _LEGAL_SYMBOLS,
    "quantity": _LEGAL_DECIMAL,
    "quoteOrderQty": _LEGAL_DECIMAL,
    "price": _LEGAL_DECIMAL,
    "stopPrice": _LEGAL_DECIMAL,
    "icebergQty": _LEGAL_DECIMAL,
    "recvWindow": _LEGAL_DECIMAL,
    "newQty": _LEGAL_DECIMAL,
    "newClientOrderId": _LEGAL_NAME,
    "origClientOrderId": _LEGAL_NAME,
    "clientOrderId": _LEGAL_NAME,
    "listClientOrderId": _LEGAL_NAME,
    "cancelOrigClientOrderId": _LEGAL_NAME,
    "cancelNewClientOrderId": _LEGAL_NAME,
    "orderId": _LEGAL_INTEGER,
    "orderListId": _LEGAL_INTEGER,
    "cancelOrderId": _LEGAL_INTEGER,
    "preventedMatchId": _LEGAL_INTEGER,
    "fromPreventedMatchId": _LEGAL_INTEGER,
    "fromAllocationId": _LEGAL_INTEGER,
    "fromExecutionId": _LEGAL_INTEGER,
    "fromId": _LEGAL_INTEGER,
    "limit": _LEGAL_INTEGER,
    "startTime": _LEGAL_INTEGER,
    "endTime": _LEGAL_INTEGER,
    "strategyId": _LEGAL_INTEGER,
    "trailingDelta": _LEGAL_INTEGER,
}

_ORDERS = (
    "order.place",
    "order.test",
    "order.cancelReplace",
    "orderList.place",
    "sor.order.",
)
"""How the names of requests begin that place orders."""


class Silence(Exception):
    """A fault wants this request to get no answer; with ``closes`` the connection breaks as well."""

    def __init__(self, *, closes: bool) -> None:
        super().__init__("no answer")
        self.closes = closes


class FaultRefusal(Refusal):
    """A fault wants this request refused.

    Attributes:
        status: HTTP status.
        retry_after_s: Seconds for ``Retry-After``, or None.
    """

    def __init__(self, code: int, message: str, *, status: int, retry_after_s: int | None = None) -> None:
        super().__init__(code, message)
        self.status = status
        self.retry_after_s = retry_after_s


class DetailedRefusal(Refusal):
    """A refusal that tells more than its code, since a part of the request may have been carried out.

    Attributes:
        status: HTTP status.
        data: Goes out as ``data``, beside code and text.
        has_effect: Whether a part was carried out; that part must be on disk before the answer leaves.
    """

    def __init__(self, code: int, message: str, *, status: int, data: dict[str, object], has_effect: bool) -> None:
        super().__init__(code, message)
        self.status = status
        self.data = data
        self.has_effect = has_effect


def http_status(refusal: Refusal) -> int:
    """The HTTP status that goes with a refusal; most are 400."""
    if isinstance(refusal, (LimitReached, FaultRefusal, DetailedRefusal)):
        return refusal.status
    return _STATUS.get(refusal.code, 400)


def refusal_of(spec: AnySpec, given: Mapping[str, Any], error: InvalidParams) -> Refusal:
    """What the exchange says about parameters that do not fit a request."""
    name = error.param
    match error.problem:
        case "missing" if (spec.name, name) in _RECOMMENDED:
            text = f"Combination of optional parameters invalid. Recommendation: '{name}' should also be sent."
            return Refusal(-1128, text)
        case "missing":
            return _missing(name)
        case "empty":
            return Refusal(-1105, f"Parameter '{name}' was empty.")
        case "unknown":
            return _too_many(spec, given)
        case "not_required" if spec.name.startswith(_ORDERS):
            return Refusal(-1106, f"Parameter '{name}' sent when not required.")
        case "not_required":
            return Refusal(-1128, "Combination of optional parameters invalid.")
        case _:
            return _wrong_value(spec, name, problem=error.problem, value=given.get(name))


def _missing(name: str) -> Refusal:
    first, _, second = name.partition("|")
    if second:
        return Refusal(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")
    return mandatory(name)


def _too_many(spec: AnySpec, given: Mapping[str, Any]) -> Refusal:
    """The venue counts time stamp and signature; what people sent when they were told so shows it."""
    known = {field.encode_name for field in _fields(spec)} | ({"timestamp", "signature"} if spec.is_signed else set())
    sent = [name for name in given if name != "apiKey" or not spec.needs_key]
    if len(sent) > len(known):
        return Refusal(-1101, f"Too many parameters; expected '{len(known)}' and received '{len(sent)}'.")
    read = sum(name in known for name in sent)
    return Refusal(-1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(sent)}'.")


def _is_too_long(value: object) -> bool:
    """Whether it is a whole number that 64 bits do not hold."""
    text = str(value)
    return len(text) <= MAX_DIGITS and text.isascii() and text.isdigit() and int(text) > MAX_LONG


def _is_long_list(value: object) -> bool:
    """Whether it is a list, and longer than any may be."""
    try:
        found = msgspec.json.decode(value) if isinstance(value, str) else value
    except msgspec.DecodeError:
        return False
    return isinstance(found, list) and len(found) > MAX_SYMBOLS


def _fields(spec: AnySpec) -> tuple[Any, ...]:
    return msgspec.structs.fields(spec.params)


def _kind(name: str) -> str:
    """What a parameter is, whichever order of a list it belongs to: ``aboveStopPrice`` is a ``stopPrice``."""
    if name in _PAIR_TYPES:
        return "pairType"
    leg = None if name in _LEGAL or name in _ENUMS else _LEG.match(name)
    return name if leg is None else leg[2][0].lower() + leg[2][1:]


def _wrong_value(spec: AnySpec, name: str, *, problem: str, value: object) -> Refusal:
    if name in ("type", "workingType", "pendingType"):
        return (
            Refusal(-1139, "Invalid ticker type.")
            if spec.name.startswith("ticker")
            else Refusal(-1116, "Invalid orderType.")
        )
    kind = _kind(name)
    if problem == "out_of_range" and _is_too_long(value):
        return Refusal(-1108, f"Parameter '{name}' overflowed.")
    if kind in _ENUMS:
        return Refusal(*_ENUMS[kind])
    if name == "recvWindow" and problem == "out_of_range":
        return Refusal(-1102, "'recvWindow' contains unexpected value. Cannot be greater than 60000.")
    if name == "symbols" and _is_long_list(value):
        return Refusal(-1101, f"Too many values sent for parameter 'symbols', maximum allowed up to {MAX_SYMBOLS}.")
    legal = _LEGAL.get(kind)
    if problem == "malformed" and legal is not None:
        return illegal(name, legal)
    return Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")
