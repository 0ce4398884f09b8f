"""Writes ``docs/binance-requests.md``: every request that the product knows, as the registry states it."""

from __future__ import annotations

import types
import typing
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from cryptotrader.services.binance.registry import SPECS, AnySpec
from tests.support.request_modules import module_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "binance-requests.md"

HEAD = """# Binance's requests

Every request of Binance's WebSocket API (July 2026), and the three for listen keys that it retired on 2026-02-20. This
page is made from the code by `make reference`; a test fails where it is out of date.

- **module**: under `cryptotrader.services.binance.websocketAPI`; each has `SPEC` and `process_request`.
- **weight**: request weight per address and minute. Orders and cancellations weigh nothing when they succeed.
- **orders**: how much it adds to the account's unfilled order count.
- **parameters**: those in bold are needed; which others a type of order needs is in Binance's document and is checked.
  Whatever is signed takes `recvWindow` as well, and gets `apiKey`, `timestamp` and `signature` from the connection.
"""


def parameters(spec: AnySpec) -> list[tuple[str, str, bool]]:
    """(wire name, type in words, needed)."""
    hints = typing.get_type_hints(spec.params, include_extras=True)
    fields = msgspec.structs.fields(spec.params)
    return [
        (field.encode_name, _words(hints[field.name]), field.required)
        for field in fields
        if field.encode_name != "recvWindow"
    ]


def _words(hint: Any) -> str:
    kind = get_origin(hint)
    if kind in (typing.Union, types.UnionType):
        return _words(next(part for part in get_args(hint) if part is not type(None)))
    if kind is Annotated:
        base, *notes = get_args(hint)
        text = _words(base)
        meta = next((note for note in notes if isinstance(note, msgspec.Meta)), None)
        if meta is not None and meta.pattern is not None and r"(\.[0-9]{1,20})?" in meta.pattern:
            return "decimal"
        if meta is not None and meta.le is not None and meta.le < 2**31 - 1:
            return f"{text} {meta.ge} to {meta.le}"
        return text
    if kind is Literal:
        return " ".join(get_args(hint))
    if kind is list:
        return f"list of {_words(get_args(hint)[0])}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " ".join(str(member.value) for member in hint)
    return {int: "integer", str: "text", bool: "boolean"}[hint]


def render() -> str:
    """The text of the page."""
    lines = [HEAD]
    category = ""
    for spec in SPECS:
        module = module_of(spec)
        folder, _, name = module.rpartition(".")
        if folder != category:
            category = folder
            lines += [f"\n## {category}\n", "| module | method | REST | security | weight | orders | parameters |"]
            lines.append("|---|---|---|---|---|---|---|")
        security = spec.security.value + (", signed" if spec.is_signed and not spec.security.is_signed else "")
        listed = "; ".join(f"**{each}** {kind}" if must else f"{each} {kind}" for each, kind, must in parameters(spec))
        cells = (
            f"`{name}`",
            f"`{spec.method}`",
            f"`{spec.rest}`" if spec.rest else "none",
            security,
            spec.weight_words,
            str(spec.order_count or ""),
            listed or "none",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
