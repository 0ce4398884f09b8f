"""The document of the exchange's back door names every route that there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.routing import Route

from tests.support.paper import paper_venue, running_exchange

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "paper-exchange-admin.md"


async def _routes() -> list[Route]:
    async with running_exchange(paper_venue()) as server:
        return [route for route in server.app.routes if isinstance(route, Route)]


async def test_every_route_of_the_back_door_is_documented() -> None:
    text = DOCUMENT.read_text("utf-8")
    paths = {route.path.replace(":int}", "}") for route in await _routes()}
    assert len(paths) > 10
    missing = sorted(path for path in paths if path not in text)
    if missing:
        pytest.fail(f"not in {DOCUMENT.name}: {missing}")
