"""Three hundred clients of all streams and channels at once under the recording's busiest second, again and again.

1,362 messages of one symbol came in that second. Fifty clients read source 0's streams, two hundred and fifty speak the
channel protocol; some do not read, some break every rule. Run with ``make simulate-channels``.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.support.crowd import (
    Babbler,
    CrowdClient,
    Greedy,
    Liar,
    Mute,
    Rude,
    Shouter,
    Silent,
    Sleeper,
    StreamReader,
    Subscriber,
    connect,
)
from tests.support.depth_recording import NaiveBook, depth_recording
from tests.support.process import TOKEN, Server, running_server
from tests.support.recording import ClientBook, need_recording
from tests.support.waiting import eventually

BURST_NS = 1_723_161_514 * 10**9
"""When the recording's busiest second begins."""

BEFORE_S, AFTER_S = 5, 5
"""What is played around it, in a loop."""

STREAM_CLIENTS = 50
"""As many as ``MAX_WS_CONNECTIONS`` allows."""

CLIENTS = 300
ORDER_EVERY_S = 0.25
LONG_S = 45.0
"""From this length on heartbeats and slow clients come to their end. Unit: seconds. Reason: thirty and ten."""

BTC, ETH = ["BTCUSDT"], ["ETHUSDT"]


def cut_burst(path: Path) -> None:
    """Write the seconds around the burst as a recording of its own: its first line is the book at that moment."""
    begins_ns, ends_ns = BURST_NS - BEFORE_S * 10**9, BURST_NS + (1 + AFTER_S) * 10**9
    lines: list[bytes] = []
    for source in need_recording():
        with gzip.open(source, "rb") as file:
            for line in file:
                stamp, _, body = line.partition(b" ")
                if begins_ns <= int(stamp) < ends_ns and body.startswith(b'{"stream"'):
                    lines.append(line)
    first = next(line for line in lines if b"@depth" in line[:60])
    first_id = json.loads(first.partition(b" ")[2])["data"]["U"]
    diffs, snapshot, _ = depth_recording()
    book = NaiveBook()
    book.load(snapshot)
    for diff in diffs:
        if snapshot.last_id < diff.last_id < first_id:
            book.apply(diff)
    opening = {"lastUpdateId": book.last_id, "bids": _texts(book.bids, -1), "asks": _texts(book.asks, 1)}
    with gzip.open(path, "wb") as file:
        file.write(f"{begins_ns} {json.dumps(opening)}\n".encode())
        file.writelines(lines)


def _texts(levels: dict[int, int], direction: int) -> list[list[str]]:
    best_first = sorted(levels.items(), key=lambda level: direction * level[0])
    return [[f"{price / 10**8:.8f}", f"{qty / 10**8:.8f}"] for price, qty in best_first]


@dataclass
class Crowd:
    """Who is there."""

    good: list[Subscriber] = field(default_factory=list)
    sleepers: list[Sleeper] = field(default_factory=list)
    streams: list[StreamReader] = field(default_factory=list)
    rude: list[Rude] = field(default_factory=list)

    @property
    def everybody(self) -> list[CrowdClient]:
        return [*self.good, *self.sleepers, *self.streams, *self.rude]


def make_crowd(symbols: list[str], *, has_silent: bool) -> Crowd:
    """Three hundred: fifty of the streams, two hundred good ones, twenty that sleep, thirty that are rude."""
    crowd = Crowd()
    crowd.streams += [StreamReader("/ws/depth/btcusdt", TOKEN, keeps=number == 0) for number in range(20)]
    crowd.streams += [StreamReader("/ws/ticker/btcusdt", TOKEN) for _ in range(20)]
    crowd.streams += [StreamReader("/ws/user", TOKEN, keeps=True) for _ in range(10)]
    crowd.good += [Subscriber(["trades", "market_data"], BTC) for _ in range(60)]
    crowd.good += [Subscriber(["orderbook"], BTC, depth=(20, 1, 5, 100)[number % 4]) for number in range(60)]
    crowd.good += [Subscriber(["market_data", "orderbook", "trades", "system_events"], BTC) for _ in range(50)]
    crowd.good += [Subscriber(["orders", "positions"]) for _ in range(30)]
    crowd.sleepers += [Sleeper(["trades", "orderbook", "market_data"], BTC) for _ in range(20)]
    kinds: list[Callable[[], Rude]] = [Shouter, lambda: Greedy(symbols), Liar, Mute, Babbler]
    kinds.append(Silent if has_silent else Mute)
    crowd.rude += [kinds[number % len(kinds)]() for number in range(30)]
    assert len(crowd.everybody) == CLIENTS
    return crowd


class Trader:
    """Places orders of another symbol all the while, so that the recorded market stays as it was recorded."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.placed: list[str] = []
        self.is_done = False

    async def run(self) -> None:
        """Until ``is_done``."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(base_url=self._server.base, headers=headers, timeout=20) as client:
            while not self.is_done:
                side = "SELL" if len(self.placed) % 2 else "BUY"
                order = {"symbol": "ETHUSDT", "side": side, "type": "MARKET", "quantity": "0.01"}
                reply = await client.post("/api/v1/order", json=order)
                assert reply.status_code == 200, reply.text
                self.placed.append(str(reply.json()["orderId"]))
                await asyncio.sleep(ORDER_EVERY_S)

    async def newest_trade(self) -> int:
        """Id of the newest public trade."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(base_url=self._server.base, headers=headers, timeout=20) as client:
            reply = await client.get("/api/v1/trades", params={"symbol": "BTCUSDT", "limit": 1})
            return int(reply.json()[-1]["id"])


async def play(server: Server, *, duration_s: float) -> str:
    """Let the crowd in, wait, and judge; returns the figures."""
    host, port = server.host.split(":")
    address = (host, int(port))
    symbols = [row["symbol"] for row in server.get("/api/v1/exchangeInfo").json()["symbols"]][:40]
    crowd, trader = make_crowd(symbols, has_silent=duration_s >= LONG_S), Trader(server)
    for client in crowd.everybody:
        await connect(client, address)
    await eventually(lambda: all(client.status == 101 for client in crowd.everybody), 20)
    await eventually(lambda: all(client.is_subscribed for client in crowd.good + crowd.sleepers), 20)
    one_more = StreamReader("/ws/ticker/btcusdt", TOKEN)
    await connect(one_more, address)
    await eventually(lambda: one_more.status is not None, 10)
    async with asyncio.TaskGroup() as group:
        group.create_task(trader.run())
        await asyncio.sleep(min(duration_s / 4, 3))
        for rude in crowd.rude:
            if isinstance(rude, Shouter):
                rude.shout()
            elif isinstance(rude, Babbler):
                rude.babble_on()
        await asyncio.sleep(duration_s / 2 - min(duration_s / 4, 3))
        for sleeper in crowd.sleepers[::2]:
            sleeper.wake()
        await asyncio.sleep(duration_s / 2)
        trader.is_done = True
    newest = await trader.newest_trade()
    reach = functools.partial(_have_reached, crowd, trader, newest)
    await eventually(reach, 30)
    for sleeper in crowd.sleepers:
        sleeper.wake()
    await asyncio.sleep(0.5)
    judge(crowd, trader, one_more, is_long=duration_s >= LONG_S)
    for client in [*crowd.everybody, one_more]:
        client.hang_up()
    return figures(crowd, trader, duration_s)


def _have_reached(crowd: Crowd, trader: Trader, newest: int) -> bool:
    traders = [client for client in crowd.good if "trades" in client.channels]
    customers = [client for client in crowd.good if "orders" in client.channels]
    done = set(trader.placed)
    return all((client.last_trade or 0) >= newest for client in traders) and all(
        done <= {order for order, status, _ in client.orders if status == "filled"} for client in customers
    )


def judge(crowd: Crowd, trader: Trader, one_more: StreamReader, *, is_long: bool) -> None:
    """Everything that was promised."""
    for client in crowd.good:
        assert (client.faults, client.end) == ([], None), client.faults[:3]
    for reader in crowd.streams:
        assert (reader.faults, reader.end) == ([], None), reader.faults[:3]
        assert reader.received > 0
    assert one_more.status == 503
    assert b"Retry-After: 60" in one_more.head
    for number, sleeper in enumerate(crowd.sleepers):
        # Whole up to the end: what was told has no hole, and whoever missed something was closed.
        assert sleeper.faults == [], sleeper.faults[:3]
        assert sleeper.end in (None, 1008, 1006)
        if is_long and number % 2:
            assert sleeper.end is not None, "ten seconds behind, and still there"
    for rude in crowd.rude:
        rude.judge()  # type: ignore[attr-defined]  # every kind has one
        assert rude.faults == [], rude.faults
    judge_orders(crowd, trader)
    judge_books(crowd)


def judge_orders(crowd: Crowd, trader: Trader) -> None:
    """Every client of the account has every change of every order, once and in the same order; so has source 0."""
    customers = [client for client in crowd.good if "orders" in client.channels]
    told = customers[0].orders
    assert all(client.orders == told for client in customers)
    assert len(set(told)) == len(told)
    assert [order for order, status, _ in told if status == "filled"] == trader.placed
    for reader in crowd.streams[-10:]:
        reports = [json.loads(payload) for payload in reader.kept]
        events = [row for row in reports if row["e"] == "executionReport"]
        assert [(str(row["i"]), row["X"].lower(), float(row["z"])) for row in events] == told


def judge_books(crowd: Crowd) -> None:
    """Each top of the book that the depth stream leads to was told, in order, and nothing else."""
    book = ClientBook()
    tops: list[tuple[tuple[tuple[float, float], ...], ...]] = []
    for payload in crowd.streams[0].kept:
        book.apply(json.loads(payload))
        top = tuple(
            tuple((float(price), float(side[price])) for price in sorted(side, key=float, reverse=falls)[:20])
            for side, falls in ((book.bids, True), (book.asks, False))
        )
        if not tops or tops[-1] != top:
            tops.append(top)
    assert book.faults == []
    readers = [client for client in crowd.good if client.books and client.depth == 20]
    for client in readers:
        told = [_parsed(text) for text in client.books]
        start = next(number for number, top in enumerate(tops) if top == told[0])
        length = min(len(told), len(tops) - start)
        assert length > 50
        assert told[:length] == tops[start : start + length]


@functools.lru_cache(maxsize=10_000)
def _parsed(text: bytes) -> tuple[tuple[tuple[float, float], ...], ...]:
    data = json.loads(b"{" + text + b"}")
    return tuple(tuple((price, qty) for price, qty in data[side]) for side in ("bids", "asks"))


def figures(crowd: Crowd, trader: Trader, duration_s: float) -> str:
    """What a reader of the report wants to know."""
    followers = sum("trades" in client.channels for client in crowd.good)
    customers = sum("orders" in client.channels for client in crowd.good)
    received = sum(client.received for client in crowd.everybody)
    delays = sorted(delay for client in crowd.good for delay in client.delays_ms)
    trades = max(client.trades for client in crowd.good)
    closed = sum(sleeper.end is not None for sleeper in crowd.sleepers)
    return (
        f"{CLIENTS} clients, {duration_s:g} s: {received:,} messages received, {trades:,} trades in a row for each of "
        f"{followers} clients without a hole, {len(trader.placed)} orders "
        f"told to {customers} clients and 10 user streams alike; "
        f"delay of a trade p50 {statistics.median(delays):.1f} ms, p99 {_quantile(delays, 0.99):.1f} ms; "
        f"{closed} of {len(crowd.sleepers)} clients that slept were closed"
    )


def _quantile(sorted_values: list[float], part: float) -> float:
    return sorted_values[int(len(sorted_values) * part)]


def simulate(folder: Path, *, duration_s: float) -> str:
    """Serve the burst in a loop to the crowd."""
    tape = folder / "burst.gz"
    cut_burst(tape)
    market = f"tape:{tape}?hold=true&loop=true+synthetic?seed=7"
    env = {"HTTP_RATE_LIMIT": "1000000", "CRYPTOTRADER_EXCHANGE_LIMITS": "off"}
    with running_server(folder, args=["--market", market], env=env) as server:
        started_s = time.monotonic()
        figures = asyncio.run(play(server, duration_s=duration_s))
        return f"{figures}; {time.monotonic() - started_s:.0f} s in all"


def main() -> None:
    """Run it for a minute and say so; a failed check is a traceback."""
    with tempfile.TemporaryDirectory() as folder:
        print(simulate(Path(folder), duration_s=float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))


if __name__ == "__main__":
    main()
