"""The pages of the paper exchange lead to each other, to headings that there are, and state the numbers of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cryptotrader.core.orders import FillReason, Realism
from cryptotrader.core.scaled import SCALE
from cryptotrader.exchange.engine.accounts import MAX_KEPT_FILLS, MAX_KEPT_ORDERS
from cryptotrader.exchange.engine.rules.commission import DEFAULT_DISCOUNT
from cryptotrader.exchange.market.profiles import PROFILES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(DOCS.glob("*paper-exchange*.md"))
PAGE = (DOCS / "paper-exchange.md").read_text("utf-8")


def anchors(text: str) -> set[str]:
    """Names of headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.name))
def test_links_lead_to_pages_and_headings(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", page.read_text("utf-8")):
        path = page.parent / target if target else page
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text("utf-8")), f"{target}#{anchor}"


def test_the_page_states_the_numbers_of_the_code() -> None:
    assert f"{MAX_KEPT_ORDERS:,} orders and {MAX_KEPT_FILLS:,} fills" in PAGE
    assert f"by {DEFAULT_DISCOUNT / SCALE}" in PAGE
    assert len(PROFILES) == 60
    assert "sixty symbols" in PAGE


def test_the_page_explains_every_reason_and_every_realism() -> None:
    assert set(re.findall(r"^\| `([A-Z]+)` \| ", PAGE, re.M)) == {reason.value for reason in FillReason}
    assert all(f"`{realism.value}`" in PAGE for realism in Realism)
