"""Relations between request parameters that a type cannot express; each is a value that a ``RequestSpec`` carries.

Where one of several parameters would do, ``InvalidParams.param`` names them all, joined by ``|``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptotrader.core.errors import InvalidParams
from cryptotrader.services.binance.request import Rule


def missing(*names: str) -> InvalidParams:
    """The error for a parameter, or one of several, that is not there."""
    return InvalidParams(f"Missing required parameter: {' or '.join(names)}", param="|".join(names), problem="missing")


def _lacks(params: Mapping[str, Any], name: str) -> bool:
    return params.get(name) is None


_BY_NAMES: set[Rule] = set()


def depends_on_names(rule: Rule) -> bool:
    """Whether a rule looks only at which parameters there are, and at ``type``; not at any other value."""
    return rule in _BY_NAMES


def _by_names(rule: Rule) -> Rule:
    _BY_NAMES.add(rule)
    return rule


def any_of(*names: str) -> Rule:
    """At least one of these is sent."""

    def check(params: Mapping[str, Any]) -> None:
        if all(_lacks(params, name) for name in names):
            raise missing(*names)

    return _by_names(check)


def at_most_one_of(*names: str) -> Rule:
    """No two of these are sent together."""

    def check(params: Mapping[str, Any]) -> None:
        sent = [name for name in names if not _lacks(params, name)]
        if len(sent) > 1:
            raise InvalidParams(
                f"Parameters cannot be combined: {' and '.join(sent)}", param=sent[1], problem="not_required"
            )

    return _by_names(check)


def needs(name: str, *others: str) -> Rule:
    """Where ``name`` is sent, ``others`` are sent as well."""

    def check(params: Mapping[str, Any]) -> None:
        if params.get(name) is not None:
            for other in others:
                if _lacks(params, other):
                    raise missing(other)

    return _by_names(check)


_LIMIT = (("timeInForce",), ("quantity",), ("price", "pegPriceType"))
_TRIGGER = (("stopPrice", "trailingDelta"),)
REQUIRED_BY_TYPE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "LIMIT": _LIMIT,
    "LIMIT_MAKER": (("quantity",), ("price", "pegPriceType")),
    "MARKET": (("quantity", "quoteOrderQty"),),
    "STOP_LOSS": (("quantity",), *_TRIGGER),
    "STOP_LOSS_LIMIT": (*_LIMIT, *_TRIGGER),
    "TAKE_PROFIT": (("quantity",), *_TRIGGER),
    "TAKE_PROFIT_LIMIT": (*_LIMIT, *_TRIGGER),
}
"""Order type to groups of parameters, of which one per group must be sent (``rest-api.md``, "New order")."""

_PRICED = frozenset({"LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"})
_TRIGGERED = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
NOT_REQUIRED_BY_TYPE: Mapping[str, frozenset[str]] = {
    "price": _PRICED,
    "timeInForce": _PRICED - {"LIMIT_MAKER"},
    "stopPrice": _TRIGGERED,
    "trailingDelta": _TRIGGERED,
    "quoteOrderQty": frozenset({"MARKET"}),
    "icebergQty": _PRICED,
}
"""Parameter to the order types that know it; with any other type the venue answers -1106."""

_UNKNOWN_TO_TYPE = {
    kind: frozenset(name for name, types in NOT_REQUIRED_BY_TYPE.items() if kind not in types)
    for kind in REQUIRED_BY_TYPE
}
"""The same the other way round: nearly every order is found good by one comparison."""


@_by_names
def order_fields(params: Mapping[str, Any]) -> None:
    """A new order has what its type needs and nothing that its type does not know (``errors.md``, -1102 and -1106)."""
    kind = str(params.get("type"))
    for group in REQUIRED_BY_TYPE.get(kind, ()):
        for name in group:
            if params.get(name) is not None:
                break
        else:
            raise missing(*(group[:1] if group[0] == "price" else group))
    unknown = _UNKNOWN_TO_TYPE.get(kind)
    if unknown is None or not unknown.isdisjoint(params):
        for name, types in NOT_REQUIRED_BY_TYPE.items():
            if not _lacks(params, name) and kind not in types:
                raise InvalidParams(f"Parameter not required: {name}", param=name, problem="not_required")
    if kind == "MARKET" and not _lacks(params, "quantity") and not _lacks(params, "quoteOrderQty"):
        raise InvalidParams("Parameter not required: quoteOrderQty", param="quoteOrderQty", problem="not_required")
