"""Every requirement of sources 0, 1 and 4 has a test that names it."""

from __future__ import annotations

import pytest

from tests.support.requirements import S0, S1, S4, TABLE, collect, render

FOUND = collect()


@pytest.mark.parametrize("number", S0 + S1 + S4)
def test_the_requirement_has_a_test(number: str) -> None:
    assert FOUND.get(number), f"no test cites {number}"


def test_the_table_is_up_to_date() -> None:
    assert TABLE.read_text("utf-8") == render(FOUND), "run `make requirements`"
