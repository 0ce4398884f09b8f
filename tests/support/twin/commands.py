"""One thing that is done to engine and twin alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec


@dataclass(frozen=True)
class Command:
    """A command or a market event. It stands for itself, so that a list of them without some still makes sense.

    ``what``: for ``submit``, ``check``, ``cancel``, ``amend``, ``submit_list`` what the engine takes; for the others
    see ``Bench``, which also gives market events their ids.
    """

    kind: str
    what: Any
    account: str = ""
    wait_ms: int = 1

    def __str__(self) -> str:
        return f"{self.kind} {self.account} {brief(self.what)} +{self.wait_ms}ms"


def brief(what: Any) -> str:
    """Like ``repr`` without what has its default value."""
    if isinstance(what, msgspec.Struct):
        fields = msgspec.structs.fields(type(what))
        said = [(each.name, getattr(what, each.name), each.default) for each in fields]
        return type(what).__name__ + brief({name: value for name, value, usual in said if value != usual})
    if isinstance(what, dict):
        return "(" + ", ".join(f"{name}={brief(value)}" for name, value in what.items()) + ")"
    if isinstance(what, tuple):
        return "(" + ", ".join(map(brief, what)) + ")"
    return str(what.value) if isinstance(what, Enum) else repr(what)
