"""Every fill says why it happened: over the back door, and on the command line."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from cryptotrader.core.events import Trade
from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.venue import PaperVenue
from tests.support.paper import QuietSource, SignedClient, body, paper_venue, running_exchange, units
from tests.support.waiting import eventually

FILLS = "/admin/accounts/default/fills"


async def traded(venue: PaperVenue, source: QuietSource, price: str, qty: str) -> None:
    """The market trades; a seller hits."""
    now_ms = venue.now_ms()
    trade_id = venue.engine.next_trade_id("BTCUSDT") + 100
    source.queue.append(Trade("BTCUSDT", trade_id, units(price), units(qty), now_ms, True, now_ms))
    await eventually(lambda: not source.queue)


async def reasons(http: httpx2.AsyncClient, **query: str) -> list[tuple[str, str]]:
    """(quantity, why) of each fill."""
    answer = await http.get(FILLS, params={"symbol": "BTCUSDT", **query})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()
    return [(row["qty"], row["why"]) for row in rows]


async def test_a_fill_says_whether_it_took_waited_its_turn_or_was_traded_through() -> None:
    source = QuietSource()
    venue = paper_venue(source, accounts=[PaperAccount()])
    async with running_exchange(venue) as server, SignedClient(server.url) as client:
        await client.order(type="MARKET", timeInForce=None, price=None, quantity="0.01")
        waits = body(await client.order(price="45000", quantity="0.2"))
        # Half a bitcoin was there before it, so of six tenths it gets one.
        await traded(venue, source, "45000", "0.6")
        await traded(venue, source, "44990", "5")
        expected = [("0.01000000", "TAKER"), ("0.10000000", "QUEUE"), ("0.10000000", "THROUGH")]
        await eventually(lambda: venue.order("default", "BTCUSDT", order_id=int(str(waits["orderId"]))).remaining == 0)
        assert await reasons(client.http) == expected
        assert await reasons(client.http, order_id=str(waits["orderId"])) == expected[1:]
        assert await reasons(client.http, limit="1") == expected[-1:]


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"{FILLS}?symbol=NOPE", 404), (f"{FILLS}?symbol=BTCUSDT&limit=x", 400), ("/admin/accounts/no/fills", 404)],
)
async def test_what_there_is_not_is_refused(path: str, status: int) -> None:
    async with running_exchange() as server, httpx2.AsyncClient(base_url=server.url) as http:
        assert (await http.get(path)).status_code == status
