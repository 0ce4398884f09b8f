"""Every error that Binance names for spot, in one table; writes ``docs/paper-exchange-errors.md``."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from tests.support.errors.model import Case
from tests.support.errors.never import NEVER
from tests.support.errors.orders import ENGINE, FILTERS
from tests.support.errors.parameters import PARAMETERS
from tests.support.errors.requests import GENERAL, KEYS

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "paper-exchange-errors.md"

CASES: tuple[Case, ...] = (*GENERAL, *PARAMETERS, *KEYS, *ENGINE, *FILTERS)

SECTIONS: tuple[tuple[str, tuple[Case, ...]], ...] = (
    ("Requests and limits", GENERAL),
    ("Parameters", PARAMETERS),
    ("Keys, sessions and queries", KEYS),
    ("Orders", ENGINE),
    ("Filters", FILTERS),
)

HEAD = """# Errors of the paper exchange

The paper exchange refuses with Binance's own codes and texts. Here is every code and every text that Binance's
`errors.md` and `filters.md` (July 2026) name for spot: either how to get it from the exchange, or why it can't occur.
`%s` stands for what differs. Each row of the first tables is a test that provokes it on a running exchange and compares
status, code and text; where a request has a REST route, over REST and over the WebSocket API.

The sixty symbols of the exchange do everything and have no filters of the exchange as a whole. What needs a symbol, an
account or limits that are more restricted is produced on such ones: accounts and limits are yours to set, rules of
symbols are given to `cryptotrader.exchange.venue.PaperVenue` in a program.

This page is made from the table of those tests (`tests/support/errors`) by `make reference`; a test fails where it is
out of date.

A row with **fault** is what a healthy exchange never says; ask for it with `POST /admin/faults` or a rules file
(`docs/paper-exchange-admin.md`). A row with **more** is a text that the two documents don't name: it is from another
document of Binance's, or from reports of what Binance answers.
"""

AS_IT_SAYS = "what the text says"

TAIL = """
## Errors that can't occur

| Code | Text | Why |
|---|---|---|
"""


def render() -> str:
    """The text of the page."""
    lines = [HEAD]
    for title, cases in SECTIONS:
        lines += [f"## {title}\n", "| Code | HTTP | Text | How to get it |", "|---|---|---|---|"]
        for case in cases:
            note = "**fault** " if case.by_fault else "**more** " if case.is_extra else ""
            lines.append(f"| {case.code} | {case.status} | {_cell(case.text)} | {note + (case.how or AS_IT_SAYS)} |")
        lines.append("")
    lines.append(TAIL.strip("\n"))
    for why, rows in groupby(sorted(NEVER, key=lambda row: (row.why, -row.code)), key=lambda row: row.why):
        lines += [f"| {row.code} | {_cell(row.text)} | {why} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
