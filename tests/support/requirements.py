"""Which test proves which requirement: reads the tests' names and docstrings."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "requirements.md"

S0 = tuple(
    f"S0-{number}"
    for numbers in (range(1, 7), range(10, 19), range(20, 32), range(40, 50), range(50, 58), range(60, 66))
    for number in numbers
)
"""Every requirement of source 0."""

S1 = tuple(f"S1-{number}" for number in range(1, 21))
"""Every requirement of source 1."""

S4 = tuple(f"S4-{number}" for numbers in (range(1, 15), range(20, 24)) for number in numbers)
"""Every requirement of source 4."""

_ID = re.compile(r"(?i)(?<![a-z0-9])(S[0-4]|C)[-_](\d+)(?!\d)")
_RANGE = re.compile(r"(?i)(?<![a-z0-9])(S[0-4]|C)-(\d+) to (?:\1-)?(\d+)")


def cited(text: str) -> set[str]:
    """Requirement and decision numbers in a text: ``S0-42``, ``s0_42``, ``S0-45 to S0-48``."""
    found = {f"{kind.upper()}-{number}" for kind, number in _ID.findall(text)}
    for kind, first, last in _RANGE.findall(text):
        found |= {f"{kind.upper()}-{number}" for number in range(int(first), int(last) + 1)}
    return found


def collect() -> dict[str, list[str]]:
    """``{"S0-42": ["tests/unit/x.py::test_y", ...]}``; a docstring counts for its own test only."""
    table: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for number in cited(node.name + "\n" + (ast.get_docstring(node) or "")):
                    table.setdefault(number, []).append(f"{path.relative_to(ROOT).as_posix()}::{node.name}")
    return table


def _order(number: str) -> tuple[bool, str, int]:
    kind, _, digits = number.partition("-")
    return kind == "C", kind, int(digits)


def render(table: dict[str, list[str]]) -> str:
    """The text of ``docs/requirements.md``."""
    lines = [
        "# Requirements and the tests that prove them",
        "",
        "Made by `make requirements` from the tests' names and docstrings; a test fails where a requirement has no",
        "test or this file is out of date. `S0` is source 0, the HTTP gateway, `S1` source 1, the channel protocol,",
        "`S4` source 4, the WebSocket API client; `C` are the rulings where sources disagree.",
        "",
        "| requirement | tests |",
        "|---|---|",
    ]
    for number in sorted(table, key=_order):
        lines.append(f"| {number} | {'<br>'.join(f'`{test}`' for test in sorted(table[number]))} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(render(collect()), "utf-8")
