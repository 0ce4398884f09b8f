"""Played through the exchange and its sockets, a recording comes out as it went in, and its books are right."""

from __future__ import annotations

import asyncio
import json
import re
from itertools import pairwise
from typing import Any

from websockets.asyncio.client import connect

from cryptotrader.exchange.market.spec import open_market
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from tests.support.paper import BTC, SignedClient, body, running_exchange
from tests.support.recording import ClientBook, lines, need_recording, oracle

SPEED = 60
"""Times real time: the recording's first half in about six seconds."""

TIMEOUT_S = 60.0
STREAMS = ("btcusdt@depth@100ms", "btcusdt@trade", "btcusdt@bookTicker")
_TIMES = re.compile(r'"([ET])":\d+')


def venue() -> PaperVenue:
    first_half = need_recording()[0]
    sources = open_market(f"tape:{first_half}?speed={SPEED}&hold=true&loop=false")
    return PaperVenue([BTC], sources, clock=SystemClock())


def recorded() -> dict[str, list[str]]:
    """The messages of each stream, without their times, which are shifted when a recording is played."""
    found: dict[str, list[str]] = {stream: [] for stream in STREAMS}
    for message in lines():
        if "stream" in message:
            text = json.dumps(message, separators=(",", ":"))
            found[message["stream"]].append(_TIMES.sub(r'"\1":0', text))
    return found


async def test_depth_trades_and_book_tickers_come_out_bit_for_bit() -> None:
    expected = recorded()
    got: dict[str, list[str]] = {stream: [] for stream in STREAMS}
    async with running_exchange(venue()) as server:
        url = f"ws://127.0.0.1:{server.port}/stream?streams={'/'.join(STREAMS)}"
        async with connect(url) as socket, asyncio.timeout(TIMEOUT_S):
            while len(got[STREAMS[0]]) < 3_000:
                text = str(await socket.recv())
                got[text[11 : text.index('"', 11)]].append(_TIMES.sub(r'"\1":0', text))
    for stream in STREAMS:
        assert len(got[stream]) > 1_000
        start = expected[stream].index(got[stream][0])
        assert start < 20
        assert got[stream] == expected[stream][start : start + len(got[stream])]


async def test_a_book_built_by_binances_recipe_equals_the_recorded_best_prices() -> None:
    tops, _ = oracle()
    book, compared = ClientBook(), 0
    async with running_exchange(venue()) as server, SignedClient(server.url) as client:
        url = f"ws://127.0.0.1:{server.port}/ws/btcusdt@depth@100ms"
        async with connect(url) as socket, asyncio.timeout(TIMEOUT_S):
            message: dict[str, Any] = json.loads(await socket.recv())
            snapshot = body(await client.get("/api/v3/depth", symbol="BTCUSDT", limit=5000))
            assert isinstance(snapshot["lastUpdateId"], int)
            book.apply({"snapshot": True, "b": snapshot["bids"], "a": snapshot["asks"], "u": snapshot["lastUpdateId"]})
            while compared < 200:
                if message["u"] > book.last:
                    # The first event that counts may begin before the snapshot's id; all others must follow exactly.
                    assert message["U"] <= book.last + 1
                    book.apply(message | {"U": book.last + 1})
                    top = tops.get(book.last)
                    compared += top is not None
                    assert top is None or book.top() == top
                message = json.loads(await socket.recv())
    assert book.faults == []


async def test_the_depth_of_a_second_is_the_sum_of_its_tenths() -> None:
    tenths: list[dict[str, Any]] = []
    seconds: list[dict[str, Any]] = []
    async with running_exchange(venue()) as server:
        url = f"ws://127.0.0.1:{server.port}/stream?streams=btcusdt@depth/btcusdt@depth@100ms"
        async with connect(url) as socket, asyncio.timeout(TIMEOUT_S):
            while len(seconds) < 3:
                message = json.loads(await socket.recv())
                (seconds if message["stream"] == "btcusdt@depth" else tenths).append(message["data"])
    for before, after in pairwise(seconds):
        assert after["U"] == before["u"] + 1
    for second in seconds:
        parts = [tenth for tenth in tenths if second["U"] <= tenth["U"] and tenth["u"] <= second["u"]]
        assert (parts[0]["U"], parts[-1]["u"]) == (second["U"], second["u"])
        for side in ("b", "a"):
            joined = {price: qty for part in parts for price, qty in part[side]}
            assert dict(second[side]) == joined
            prices = [float(price) for price, _ in second[side]]
            assert prices == sorted(prices, reverse=side == "b")


async def test_partial_depth_is_the_top_of_the_same_book() -> None:
    async with running_exchange(venue()) as server, SignedClient(server.url) as client:
        url = f"ws://127.0.0.1:{server.port}/ws/btcusdt@depth20@100ms"
        async with connect(url) as socket, asyncio.timeout(TIMEOUT_S):
            for _ in range(20):
                message = json.loads(await socket.recv())
                assert len(message["bids"]) == len(message["asks"]) == 20
                assert float(message["bids"][0][0]) < float(message["asks"][0][0])
            rest = body(await client.get("/api/v3/depth", symbol="BTCUSDT", limit=20))
        assert isinstance(rest["lastUpdateId"], int)
        assert rest["lastUpdateId"] >= message["lastUpdateId"]
