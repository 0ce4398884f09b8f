"""One simulated run of the WebSocket API client: a program that trades, a venue, and a network that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import CryptotraderError, UnknownOutcome, VenueRateLimited, VenueTimeout
from cryptotrader.core.orders import OrderType, Side, TimeInForce
from cryptotrader.net.ws import Wire
from cryptotrader.services.binance.models.orders import OrderReport
from cryptotrader.services.binance.request import Params, RequestSpec, SecurityType
from cryptotrader.services.binance.websocketAPI.account_requests import get_user_acct_info
from cryptotrader.services.binance.websocketAPI.market_data_requests import symbol_price_ticker
from cryptotrader.services.binance.websocketAPI.trading_requests import (
    cancel_order,
    current_open_orders,
    place_new_order,
    query_order,
)
from cryptotrader.testing import FaultyNetwork, SimulatedClock
from cryptotrader.testing.order_desk import SYMBOL
from cryptotrader.testing.ws_api import SimulatedVenue
from tests.support import ws_api_extras
from tests.support.ws_api_chaos import CHAOS_S, Chaos

PATIENCE_S = 900.0
"""How long after the chaos a request may still be under way. Reason: the longest pause that the venue asks for, the
longest backoff, and the tries of a read, several times over."""

LISTEN_S = 5.0
"""How long an event may take in the calm. Unit: virtual seconds."""

SETTLE_S = 6.0
"""How long the world goes on after the client was closed. Reason: a second more than callbacks may take at the end."""

KINDS = (*("place",) * 4, "price", "price", "cancel", "status", "open", "account", "raw price", "raw place")
"""What the program does, as often as it stands here."""

Reply = dict[str, Any]
Callback = Callable[[Reply], Awaitable[None]]


class Client(Protocol):
    """What the simulation uses of the connection under test."""

    @property
    def is_connected(self) -> bool: ...
    @property
    def is_logged_on(self) -> bool: ...
    async def connect(self) -> None: ...
    async def close(self) -> None: ...
    async def logon(self) -> None: ...
    async def request(
        self, spec: RequestSpec[Any, Any], params: Params, *, timeout_s: float | None = None
    ) -> object: ...
    async def send(
        self,
        *,
        method: str,
        params: Mapping[str, Any] | None = None,
        security_type: SecurityType = SecurityType.NONE,
        callback: Callback | None = None,
    ) -> str: ...
    async def reconcile(self, outcome: UnknownOutcome) -> OrderReport | None: ...
    def user_data(self) -> AsyncIterator[dict[str, Any]]: ...


@dataclass
class Op:
    """Something that the program wanted."""

    number: int
    kind: str
    started_ns: int
    ended_ns: int = 0
    key: str = ""
    """What tells its frames from all others, see ``key_of``; empty where nothing does."""
    client_order_id: str = ""
    target: int = 0
    """The venue's number of the order that an amendment is about."""
    way: str = ""
    """How it ended: ``answer``, ``unknown``, ``error``, ``left`` (by the caller), ``stuck``; empty while under way."""
    result: Any = None
    error: CryptotraderError | None = None
    message_id: str = ""
    replies: list[Reply] = field(default_factory=list)
    """What its callback was called with."""
    replied_ns: int = 0
    truth: OrderReport | None = None
    """What ``reconcile`` said."""
    asked_ns: int = 0
    told_ns: int = 0
    """When ``reconcile`` was called, and when it answered."""
    is_reconciled: bool = False
    reconcile_error: str = ""


def key_of(method: str, params: Mapping[str, Any]) -> str:
    """From a request on the wire to the wish behind it."""
    match method:
        case "order.place":
            return f"place:{params.get('strategyId')}"
        case "order.cancel":
            return f"cancel:{params.get('origClientOrderId')}"
        case "ticker.price":
            return f"price:{params.get('symbol')}"
    return ws_api_extras.key_of(method, params)


class World:
    """Venue, network, clocks and what the program did."""

    def __init__(
        self,
        chaos: Chaos,
        mutate: Callable[[World, Wire], Wire] | None = None,
        script: tuple[tuple[str, float], ...] = (),
    ) -> None:
        self.chaos = chaos
        self.script = script or self._drawn_script()
        """What the program does, and when."""
        self.clock = SimulatedClock(offset_s=chaos.clock_offset_s())
        self.venue = SimulatedVenue(SimulatedClock(), policy=chaos.limits(), fault=chaos.fault)
        self.network = FaultyNetwork(self.venue, chaos.plan, chaos.random("delays"), is_direct=chaos.is_direct)
        self.ops: list[Op] = []
        self.left_tasks: list[str] = []
        self.reconcile_failures: list[str] = []
        self.events: list[int | None] = []
        """Execution ids that the program was told, in this order; None where it was told that some may be missing."""
        self.listens = chaos.random("listens").random() < 0.6
        self.last_execution = 0
        """Id of an execution in the calm at the end."""
        self.crashes: list[str] = []
        """Errors that nobody caught."""
        self.last_answer: str = ""
        """How the request in the calm at the end went."""
        self.is_over = False
        self.closed_ns = 0
        self._mutate = mutate
        self.has_session = False
        """Whether the client was logged on."""
        self.is_logged_on = False
        """Whether it is at the end, or cannot be."""
        if "session" in chaos.extras:
            self.venue.key = ("ed25519", ws_api_extras.PUBLIC_PEM)

    async def connect(self, url: str) -> Wire:
        """What the client connects with."""
        wire: Wire = await self.network.connect(url)
        return wire if self._mutate is None else self._mutate(self, wire)

    @property
    def now_ns(self) -> int:
        return self.network.now_ns

    async def run(self, client: Client) -> None:
        """Everything from the first connection to the last check."""
        before = asyncio.all_tasks()
        async with asyncio.TaskGroup() as listening:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._mischief())
                group.create_task(self._program(client, listening))
            await self._reconcile(client)
            await self._last_word(client)
            await self._last_event()
            self.is_over, self.closed_ns = True, self.now_ns
            self.is_logged_on = client.is_logged_on or not (client.is_connected and self.has_session)
            await client.close()
        await asyncio.sleep(SETTLE_S)
        self.left_tasks = sorted(task.get_name() for task in asyncio.all_tasks() - before)

    # The program

    async def _program(self, client: Client, listening: asyncio.TaskGroup) -> None:
        await self._connect(client)
        if "session" in self.chaos.extras:
            listening.create_task(self._log_on(client))
        if self.listens:
            listening.create_task(self._listen(client))
        async with asyncio.TaskGroup() as group:
            for number, (kind, start_s) in enumerate(self.script, 1):
                group.create_task(self._op(client, Op(number, kind, 0), start_s))

    def _drawn_script(self) -> tuple[tuple[str, float], ...]:
        random = self.chaos.random("program")
        is_burst = random.random() < 0.3
        burst_s = 2 if is_burst else CHAOS_S
        starts = sorted(random.uniform(0, burst_s) for _ in range(random.randint(6, 30)))
        simple = tuple((random.choice(KINDS), start_s) for start_s in starts)
        more = ws_api_extras.script(self.chaos.random("extras"), burst_s) if "wide" in self.chaos.extras else ()
        return simple + more

    async def _connect(self, client: Client) -> None:
        """The first connection may fail as any other does; the program waits for a good one."""
        until_ns = self.now_ns + int(PATIENCE_S * NS_PER_S)
        while self.now_ns < until_ns:
            try:
                await client.connect()
                return
            except CryptotraderError as error:
                await asyncio.sleep(max(1.0, error.retry_after_s or 0))
        self.crashes.append("it never connected")

    async def _log_on(self, client: Client) -> None:
        """Once; every later connection is the client's own business."""
        await asyncio.sleep(self.chaos.random("logon").uniform(0, 20))
        while not self.is_over and not self.has_session:
            try:
                await client.logon()
                self.has_session = True
            except CryptotraderError as error:
                await asyncio.sleep(max(1.0, error.retry_after_s or 0))

    async def _listen(self, client: Client) -> None:
        """Follow the account until the client is closed."""
        while not self.is_over:
            try:
                async for event in client.user_data():
                    if event["e"] == "executionReport":
                        self.events.append(event["I"])
                    elif event["e"] == "streamGap":
                        self.events.append(None)
            except CryptotraderError as error:
                self.events.append(None)
                await asyncio.sleep(max(1.0, error.retry_after_s or 0))

    async def _op(self, client: Client, op: Op, start_s: float) -> None:
        await asyncio.sleep(start_s)
        op.started_ns = self.now_ns
        self.ops.append(op)
        random = self.chaos.random(f"op {op.number}")
        wish = self._wish(client, op)
        leaves = self.chaos.has("leavers") and random.random() < 0.3
        try:
            async with asyncio.timeout(random.uniform(0, 3) if leaves else CHAOS_S + PATIENCE_S):
                op.result = await wish
            op.way = "answer"
        except TimeoutError:
            op.way = "left" if leaves else "stuck"
        except UnknownOutcome as error:
            op.way, op.error = "unknown", error
        except CryptotraderError as error:
            op.way, op.error = "error", error
        op.ended_ns = self.now_ns
        if op.way == "unknown" and random.random() < 0.7:
            await self._find_out(client, op)

    def _wish(self, client: Client, op: Op) -> Awaitable[object]:
        placed = [each for each in self.ops if each.kind == "place" and each.client_order_id]
        random = self.chaos.random(f"wish {op.number}")
        if op.kind in ("cancel", "status") and placed:
            target = random.choice(placed).client_order_id
            if op.kind == "status":
                return client.request(
                    query_order.SPEC, query_order.QueryOrderParams(symbol=SYMBOL, orig_client_order_id=target)
                )
            if not any(each.key == f"cancel:{target}" for each in self.ops):
                op.key = f"cancel:{target}"
                op.client_order_id = target
                params = cancel_order.CancelOrderParams(symbol=SYMBOL, orig_client_order_id=target)
                return client.request(cancel_order.SPEC, params)
        match op.kind:
            case "place":
                return self._place(client, op)
            case "open":
                return client.request(current_open_orders.SPEC, current_open_orders.OpenOrdersParams())
            case "account":
                return client.request(get_user_acct_info.SPEC, get_user_acct_info.AccountParams())
            case "raw price" | "raw place":
                return self._raw(client, op)
        extra = ws_api_extras.wish(client, op, self.ops[:-1], random) if op.kind in ws_api_extras.KINDS else None
        if extra is not None:
            return extra
        op.kind = "price"
        op.key, op.target = f"price:S{op.number}", 0
        return client.request(symbol_price_ticker.SPEC, symbol_price_ticker.PriceTickerParams(symbol=f"S{op.number}"))

    def _place(self, client: Client, op: Op) -> Awaitable[object]:
        random = self.chaos.random(f"order {op.number}")
        op.key = f"place:{op.number}"
        op.client_order_id = f"order-{op.number}" if random.random() < 0.6 else ""
        is_market = random.random() < 0.3
        params = place_new_order.NewOrderParams(
            symbol=SYMBOL,
            side=random.choice((Side.BUY, Side.SELL)),
            type=OrderType.MARKET if is_market else OrderType.LIMIT,
            time_in_force=None if is_market else random.choice((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC)),
            quantity=f"{op.number}.000",
            price=None if is_market else random.choice(("98.00", "100.00", "102.00")),
            new_client_order_id=op.client_order_id or None,
            strategy_id=op.number,
        )
        return client.request(place_new_order.SPEC, params)

    async def _raw(self, client: Client, op: Op) -> object:
        """By ``send`` and a callback, as source 4 has it (S4-8)."""

        async def callback(reply: Reply) -> None:
            op.replies.append(reply)
            op.replied_ns = self.now_ns

        if op.kind == "raw price":
            op.key = f"price:S{op.number}"
            op.message_id = await client.send(
                method="ticker.price", params={"symbol": f"S{op.number}"}, callback=callback
            )
            return None
        op.key = f"place:{op.number}"
        op.client_order_id = f"raw-{op.number}"
        op.message_id = await client.send(
            method="order.place",
            params={
                "symbol": SYMBOL,
                "side": "BUY",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": f"{op.number}.000",
                "price": "98.00",
                "newClientOrderId": op.client_order_id,
                "strategyId": op.number,
            },
            security_type=SecurityType.TRADE,
            callback=callback,
        )
        return None

    # The mischief

    async def _mischief(self) -> None:
        random = self.chaos.random("mischief")
        acts: list[tuple[float, Callable[[], None]]] = []
        if self.chaos.has("shutdowns"):
            for _ in range(random.randint(1, 3)):
                grace_s = random.choice((0.0, 1.0, 5.0, 20.0))
                acts.append((random.uniform(0, CHAOS_S), lambda grace_s=grace_s: self.venue.shut_down(grace_s)))  # type: ignore[misc]
        if self.chaos.has("steps"):
            for _ in range(random.randint(1, 3)):
                step_s = random.choice((60.0, -60.0))
                clock = random.choice((self.clock, self.clock, self.venue.clock))
                acts.append((random.uniform(0, CHAOS_S), lambda clock=clock, step_s=step_s: clock.step(step_s)))  # type: ignore[misc]
        if self.chaos.has("outages"):
            acts.extend((random.uniform(0, CHAOS_S), self.network.breaks) for _ in range(random.randint(0, 3)))
        passed_s = 0.0
        for at_s, act in sorted(acts, key=lambda each: each[0]):
            await asyncio.sleep(at_s - passed_s)
            passed_s = at_s
            act()
        await asyncio.sleep(self.chaos.duration_s - passed_s)
        self.chaos.is_calm = True
        for wire in self.network.open_wires:
            wire.plan = replace(wire.plan, up_bytes=None, down_bytes=None, breaks_after_s=None, slow=0.0, stall=0.0)

    # The end

    async def _reconcile(self, client: Client) -> None:
        for op in self.ops:
            if op.way == "unknown" and not op.is_reconciled:
                await self._find_out(client, op)
            if op.way == "unknown" and not op.is_reconciled:
                self.reconcile_failures.append(f"{op.kind} {op.number} cannot be reconciled: {op.reconcile_error}")

    async def _find_out(self, client: Client, op: Op) -> None:
        """Ask for the truth until it is told or patience is at its end."""
        assert isinstance(op.error, UnknownOutcome)
        op.client_order_id = op.client_order_id or op.error.client_order_id
        until_ns = self.now_ns + int(PATIENCE_S * NS_PER_S)
        while self.now_ns < until_ns:
            op.asked_ns = self.now_ns
            try:
                op.truth = await client.reconcile(op.error)
            except CryptotraderError as error:
                op.reconcile_error = f"{type(error).__name__} {error}"
                await asyncio.sleep(max(1.0, error.retry_after_s or 0))
                continue
            op.is_reconciled = True
            op.told_ns = self.now_ns
            return

    async def _last_word(self, client: Client) -> None:
        """Whatever has happened, in the calm a simple question is answered."""
        params = symbol_price_ticker.PriceTickerParams(symbol="LAST")
        for _ in range(4):
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await client.request(symbol_price_ticker.SPEC, params)
                self.last_answer = "answer"
                return
            except (VenueRateLimited, VenueTimeout) as error:
                # A pause that was asked for in the chaos may not be over, nor the longest wait before a new connection.
                self.last_answer = f"only {error!r}"
                await asyncio.sleep(error.retry_after_s or 0)
            except (TimeoutError, CryptotraderError) as error:
                self.last_answer = f"{error!r}"
                return

    async def _last_event(self) -> None:
        """In the calm somebody else trades in the account, and whoever listens hears of it."""
        if self.last_answer != "answer":
            return
        params = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "quantity": "1", "price": "97.00"}
        self.venue.desk.place(params, self.venue.clock.now_ms())
        self.last_execution = self.venue.history[-1].execution_id
        await asyncio.sleep(LISTEN_S)
