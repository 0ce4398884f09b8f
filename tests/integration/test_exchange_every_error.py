"""Every error that Binance names for spot and that can occur is produced (``tests/support/errors``)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.errors.catalogue import CASES
from tests.support.errors.model import Case, Over, Told, World, world

TOLD_AS_A_RESULT = -2043
"""Comes with status 200 over the WebSocket API (``web-socket-api.md``, "Query Reference Price")."""

PROVOKED = [
    pytest.param(case, over, id=f"{case.code} {case.wire[:60]} {case.how[:20]} {over}")
    for case in CASES
    for over in case.roads()
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plain() -> AsyncIterator[World]:
    """An exchange for all that want nothing special; what is refused leaves nothing behind."""
    async with world() as found:
        yield found


async def refusal(case: Case, over: Over, plain: World) -> Told:
    if case.by_hand is not None:
        return await case.by_hand()
    assert case.ask is not None
    if case.is_plain:
        return await plain.refusal(over, case.ask, case.caller)
    async with world(case.setting, case.before, over) as found:
        return await found.refusal(over, case.ask, case.caller)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("case", "over"), PROVOKED)
async def test_an_error_is_told_with_its_status_code_and_text(case: Case, over: Over, plain: World) -> None:
    assert case.fits()
    status, code, text = await refusal(case, over, plain)
    is_result = code == TOLD_AS_A_RESULT and over == "WebSocket API"
    assert (status, code) == (200 if is_result else case.status, case.code)
    assert case.tells(text)
