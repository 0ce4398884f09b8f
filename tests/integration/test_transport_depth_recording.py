"""The recorded market through real sockets: what clients build from messages alone equals what was recorded."""

from __future__ import annotations

import asyncio
import json

from websockets.asyncio.client import ClientConnection, connect

from cryptotrader.core.events import BookSnapshot, DepthDiff, Level
from cryptotrader.core.scaled import parse_scaled
from cryptotrader.net import SystemClock
from cryptotrader.sessions.streams import StreamLimits, StreamSessions
from cryptotrader.transport.policy import TransportPolicy
from tests.support.recording import EQUAL_IDS, ClientBook, final_book, lines, oracle
from tests.support.streams import (
    TOKEN,
    FakeAuthenticator,
    FakeCatalogue,
    FakeDepthFeed,
    FakeLive,
    FakeUserFeed,
    accounts_of,
)
from tests.support.waiting import eventually
from tests.support.websocket_server import running_server

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def levels(rows: list[list[str]]) -> tuple[Level, ...]:
    return tuple((parse_scaled(price), parse_scaled(quantity)) for price, quantity in rows)


def recorded() -> tuple[BookSnapshot, list[DepthDiff]]:
    """The snapshot and every change after it, contiguous."""
    snapshot: BookSnapshot | None = None
    diffs: list[DepthDiff] = []
    for message in lines():
        if "lastUpdateId" in message:
            last_id = message["lastUpdateId"]
            snapshot = BookSnapshot("BTCUSDT", last_id, levels(message["bids"]), levels(message["asks"]))
        elif message["stream"].endswith("@depth@100ms"):
            data = message["data"]
            diffs.append(DepthDiff("BTCUSDT", data["U"], data["u"], levels(data["b"]), levels(data["a"]), data["E"]))
    assert snapshot is not None
    last_id = snapshot.last_id
    kept = [diff for diff in diffs if diff.last_id > last_id]
    first = kept[0]
    kept[0] = DepthDiff("BTCUSDT", last_id + 1, first.last_id, first.bids, first.asks, first.event_ms)
    return snapshot, kept


async def read(
    client: ClientConnection, book: ClientBook, final_id: int, *, starts: asyncio.Event | None = None
) -> None:
    """Build a book until ``final_id``; compare with the recorded best levels at every equal id."""
    tops, _ = oracle()
    equal = 0
    while book.last < final_id:
        if starts is not None and book.messages:
            await starts.wait()
        message = json.loads(await asyncio.wait_for(client.recv(), 60))
        book.apply(message)
        if book.top()[::2] != (message["b"][0][0], message["a"][0][0]):
            book.faults.append(f"best levels are not first at {book.last}")
        if (top := tops.get(book.last)) is not None:
            equal += 1
            if top != book.top():
                book.faults.append(f"{top} recorded at {book.last}, not {book.top()}")
    book.faults.append(f"equal ids: {equal}")


async def play(feed: FakeDepthFeed, diffs: list[DepthDiff], fast: list[ClientBook], resume: asyncio.Event) -> None:
    """Everything, as fast as the fast clients read; near the end the slow client begins to read."""
    for number, diff in enumerate(diffs):
        feed.apply(diff)
        if number == len(diffs) - 100:
            resume.set()
        if number % 50 == 0:
            await eventually(lambda last_id=diff.last_id: all(book.last >= last_id for book in fast))  # type: ignore[misc]
        await asyncio.sleep(0)


async def test_books_built_from_messages_equal_the_recording_slow_clients_included() -> None:
    """S0-41 to S0-43, C-22: at all 1,059 and more equal ids. The slow client gets fewer messages and an equal book."""
    snapshot, diffs = recorded()
    live = FakeLive()
    live.depth_feed.book.load(snapshot)
    live.depth_feed.ready.set()
    sessions = StreamSessions(
        live,
        accounts_of(FakeUserFeed()),
        FakeAuthenticator(),
        catalogue=FakeCatalogue(),
        limits=StreamLimits(),
        clock=SystemClock(),
    )
    policy = TransportPolicy(max_behind_s=60)
    final_id = diffs[-1].last_id
    async with running_server(sessions.route, policy=policy) as server:
        url = f"{server.url}/ws/depth/btcusdt"
        async with (
            connect(url, additional_headers=HEADERS, max_size=None) as packed,
            connect(url, additional_headers=HEADERS, max_size=None, compression=None) as plain,
            connect(url, additional_headers=HEADERS, max_size=None, compression=None, max_queue=1) as slow,
        ):
            resume = asyncio.Event()
            books = [ClientBook(), ClientBook(), ClientBook()]
            async with asyncio.TaskGroup() as group:
                group.create_task(read(packed, books[0], final_id))
                group.create_task(read(plain, books[1], final_id))
                group.create_task(read(slow, books[2], final_id, starts=resume))
                await play(live.depth_feed, diffs, books[:2], resume)
    await sessions.close()
    assert live.open_leases == []
    tops, ends = oracle()
    comparable = sum(last_id in tops for last_id in ends)
    assert comparable >= EQUAL_IDS
    for book in books[:2]:
        assert book.faults == [f"equal ids: {comparable}"]
    assert len(books[2].faults) == 1
    assert books[2].messages < books[0].messages
    last, bids, asks = final_book()
    for book in books:
        assert (book.last, book.bids, book.asks) == (last, bids, asks)
