"""What is the same for all requests with the same parameters: how they are checked and how they are signed. Pure.

A caller's requests differ in their values and hardly ever in which parameters they have. What only depends on those is
worked out once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from operator import itemgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from cryptotrader.core.errors import InvalidParams
from cryptotrader.services.binance.request import Rule
from cryptotrader.services.binance.rules import depends_on_names

Search = Callable[[str], object]


class SigningShape:
    """The order in which parameters are signed, and the text around their values.

    Args:
        names: All parameters; ``signature`` itself is left out.
        is_plain: Whether every value is known to be a text or a whole number.
    """

    __slots__ = ("is_plain", "template", "values_of")

    def __init__(self, names: tuple[str, ...], *, is_plain: bool = False) -> None:
        signed = sorted(name for name in names if name != "signature")
        self.is_plain = is_plain
        self.template = "&".join(f"{name.replace('%', '%%')}=%s" for name in signed)
        self.values_of: Callable[[Mapping[str, object]], tuple[object, ...]] = (
            itemgetter(*signed) if len(signed) > 1 else lambda params: tuple(params[name] for name in signed)
        )


class RequestShape:
    """Checks typed parameters of which the names are known.

    Args:
        kind: Type of the parameters.
        names: Those that are sent.
        rules: Relations between them.
        sample: Parameters with these names; rules that look at names only are asked once, about these.
    """

    __slots__ = ("is_good", "is_plain", "is_whole", "others", "rules", "signing", "texts")

    def __init__(
        self, kind: type[msgspec.Struct], names: tuple[str, ...], rules: tuple[Rule, ...], sample: Mapping[str, Any]
    ) -> None:
        fields = msgspec.structs.fields(kind)
        types = {field.encode_name: field.type for field in fields}
        self.is_whole = all(field.encode_name in names for field in fields if field.required)
        patterns = {name: _pattern(types[name]) for name in names}
        self.texts: tuple[tuple[str, Search], ...] = tuple(
            (name, re.compile(pattern).search) for name, pattern in patterns.items() if pattern is not None
        )
        """Texts with a pattern, which are checked here at a third of the cost."""
        others = [name for name in names if patterns[name] is None]
        self.others = (
            msgspec.defstruct(
                "Others",
                [(f"x{number}", types[name]) for number, name in enumerate(others)],
                rename={f"x{number}": name for number, name in enumerate(others)},
            )
            if others
            else None
        )
        self.is_plain = all(_is_plain(types[name]) for name in names)
        self.is_good = _pass(rules, sample)
        """Whether everything that only depends on the names is right."""
        self.rules = tuple(rule for rule in rules if not (self.is_good and depends_on_names(rule)))
        self.signing: SigningShape | None = None
        """Set by whoever knows what else is signed."""

    def admits(self, sent: Mapping[str, Any]) -> bool:
        """Whether every value is what it should be."""
        for name, search in self.texts:
            value = sent[name]
            if type(value) is not str or search(value) is None:
                return False
        if self.others is not None:
            try:
                msgspec.convert(sent, self.others)
            except msgspec.ValidationError:
                return False
        return self.is_whole


def _pass(rules: tuple[Rule, ...], sample: Mapping[str, Any]) -> bool:
    try:
        for rule in rules:
            if depends_on_names(rule):
                rule(sample)
    except InvalidParams:
        return False
    return True


def _bare(kind: Any) -> Any:
    """A type without None."""
    if get_origin(kind) in (Union, UnionType):
        rest = [part for part in get_args(kind) if part is not NoneType]
        return rest[0] if len(rest) == 1 else kind
    return kind


def _pattern(kind: Any) -> str | None:
    """The pattern of a text that has nothing but a pattern to follow."""
    kind = _bare(kind)
    if get_origin(kind) is not Annotated:
        return None
    base, *notes = get_args(kind)
    if base is not str or len(notes) != 1 or notes[0] != msgspec.Meta(pattern=notes[0].pattern):
        return None
    pattern: str | None = notes[0].pattern
    return pattern


def _is_plain(kind: Any) -> bool:
    """Whether values of a type are signed as ``str`` writes them."""
    kind = _bare(kind)
    origin = get_origin(kind)
    if origin is Annotated:
        return _is_plain(get_args(kind)[0])
    if origin is Literal:
        return all(type(value) in (str, int) for value in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return all(type(member.value) in (str, int) for member in kind)
    return kind is str or kind is int
