"""Load for an exchange that is going to be killed: what was sent, what was acknowledged, and the comparison later."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.support.kill_fold import Fold
from tests.support.kill_runner import ACCOUNTS, SECRET
from tests.support.paper import units

OUTSTANDING = 6
"""Requests that a connection sends without waiting for their answers."""

ANSWER_S = 30.0
CANCELLED = {"CANCELED", "EXPIRED", "EXPIRED_IN_MATCH"}


@dataclass
class Acks:
    """What the exchange has acknowledged, by client order id."""

    placed: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    amended: dict[str, int] = field(default_factory=dict)
    sent: int = 0
    answered: int = 0

    def note(self, request: dict[str, Any], answer: dict[str, Any]) -> None:
        """One answer."""
        self.answered += 1
        method, params, result = request["method"], request["params"], answer.get("result", {})
        is_done = answer["status"] == 200
        match method:
            case "order.place" if is_done:
                self.placed[params["newClientOrderId"]] = result
            case "order.place":
                self.refused.add(params["newClientOrderId"])
            case "order.cancel" if is_done:
                self.cancelled.add(params["origClientOrderId"])
            case "openOrders.cancelAll" if is_done:
                reports = [report for each in result for report in each.get("orderReports", [each])]
                self.cancelled |= {report["origClientOrderId"] for report in reports}
            case "order.amend.keepPriority" if is_done:
                self.amended[params["origClientOrderId"]] = units(result["amendedOrder"]["qty"])
            case "orderList.place.oco" if is_done:
                self.placed |= {report["clientOrderId"]: report for report in result["orderReports"]}
            case _:
                pass

    def problems(self, fold: Fold) -> list[str]:
        """What the journal contradicts."""
        orders = fold.orders()
        count = Counter(order.client_order_id for order in orders)
        by_id = {order.client_order_id: order for order in orders}
        found = [f"{client_id} is there {times} times" for client_id, times in count.items() if times > 1]
        found += [f"{client_id} was refused and is there" for client_id in self.refused & by_id.keys()]
        for client_id, result in self.placed.items():
            order = by_id.get(client_id)
            if order is None or order.order_id != result["orderId"]:
                found.append(f"{client_id} was acknowledged as order {result['orderId']} and is gone")
            elif order.executed < units(result["executedQty"]):
                found.append(f"{client_id} was acknowledged with more fills than are there")
        for client_id in self.cancelled:
            order = by_id.get(client_id)
            if order is None or order.status.value not in CANCELLED:
                found.append(f"{client_id} was acknowledged as cancelled and is {order and order.status}")
        for client_id, qty in self.amended.items():
            order = by_id.get(client_id)
            if order is None or order.qty > qty:
                found.append(f"{client_id} was acknowledged as amended to {qty} and is not")
        filled: Counter[int] = Counter()
        for fill in fold.fills():
            filled[fill.order_id] += fill.qty
        found += [
            f"order {order.order_id} has executed {order.executed} and fills of {filled[order.order_id]}"
            for order in orders
            if order.executed != filled[order.order_id]
        ]
        return found


class Trader:
    """One connection that places, matches, amends and cancels as fast as answers come.

    Args:
        name: Unique in all lives; client order ids begin with it.
        account: Whose orders they are.
        acks: Where to write down what was acknowledged.
        seed: What it does follows from it.
    """

    def __init__(self, name: str, account: str, *, acks: Acks, seed: str) -> None:
        self._name = name
        self._account = account
        self._acks = acks
        self._random = random.Random(seed)
        self._number = 0
        self._open: list[str] = []
        self._waiting: dict[str, dict[str, Any]] = {}

    async def run(self, port: int, look_up: Iterable[str] = ()) -> None:
        """Trade until the exchange is gone; before that, ask for some orders that must be there.

        Raises:
            AssertionError: One of them is not.
        """
        try:
            async with connect(f"ws://127.0.0.1:{port}/ws-api/v3", compression=None, proxy=None) as link:
                for client_id in look_up:
                    await self._look_up(link, client_id)
                for _ in range(OUTSTANDING):
                    await self._send(link)
                async for text in link:
                    answer = msgspec.json.decode(text)
                    request = self._waiting.pop(answer["id"])
                    self._acks.note(request, answer)
                    if request["method"] == "order.place" and answer["status"] == 200:
                        self._open.append(request["params"]["newClientOrderId"])
                    await self._send(link)
        except (WebSocketException, OSError):
            return

    async def _look_up(self, link: ClientConnection, client_id: str) -> None:
        request = self._request("order.status", symbol="BTCUSDT", origClientOrderId=client_id)
        await link.send(msgspec.json.encode(request), text=True)
        async with asyncio.timeout(ANSWER_S):
            answer = msgspec.json.decode(await link.recv())
        wanted = self._acks.placed[client_id]["orderId"]
        assert answer["status"] == 200, f"{client_id} was acknowledged; asked for it, the exchange says {answer}"
        assert answer["result"]["orderId"] == wanted

    async def _send(self, link: ClientConnection) -> None:
        request = self._next()
        self._waiting[request["id"]] = request
        self._acks.sent += 1
        await link.send(msgspec.json.encode(request), text=True)

    def _next(self) -> dict[str, Any]:
        self._number += 1
        client_id = f"{self._name}-{self._number}"
        chance = self._random.random()
        side = self._random.choice(("BUY", "SELL"))
        if chance < 0.3 and self._open:
            which = self._open.pop(self._random.randrange(len(self._open)))
            return self._request("order.cancel", symbol="BTCUSDT", origClientOrderId=which)
        if chance < 0.35 and self._open:
            which = self._random.choice(self._open)
            same = {"origClientOrderId": which, "newClientOrderId": which}
            return self._request("order.amend.keepPriority", symbol="BTCUSDT", newQty="0.00050", **same)
        if chance < 0.36:
            self._open.clear()
            return self._request("openOrders.cancelAll", symbol="BTCUSDT")
        if chance < 0.38:
            return self._request(
                "orderList.place.oco",
                symbol="BTCUSDT",
                side="SELL",
                quantity="0.001",
                aboveType="LIMIT_MAKER",
                abovePrice="46000.00",
                aboveClientOrderId=f"{client_id}-above",
                belowType="STOP_LOSS",
                belowStopPrice="43000.00",
                belowClientOrderId=f"{client_id}-below",
            )
        common = {"symbol": "BTCUSDT", "side": side, "newClientOrderId": client_id, "newOrderRespType": "FULL"}
        if chance < 0.5:
            return self._request("order.place", type="MARKET", quantity="0.0002", **common)
        price = f"{45_000 + self._random.randrange(-20, 21) / 10:.2f}"
        return self._request("order.place", type="LIMIT", timeInForce="GTC", price=price, quantity="0.001", **common)

    def _request(self, method: str, **params: str) -> dict[str, Any]:
        signed: dict[str, Any] = {**params, "apiKey": self._account, "timestamp": time.time_ns() // 1_000_000}
        payload = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
        key = SECRET.format(self._account).encode()
        signed["signature"] = hmac.new(key, payload.encode(), hashlib.sha256).hexdigest()
        return {"id": f"{self._name}-{self._number}-{method}", "method": method, "params": signed}


def traders(life: str, count: int, acks: Acks) -> list[Trader]:
    """Connections of one life, of both accounts in turn."""
    return [
        Trader(f"{life}c{number}", ACCOUNTS[number % len(ACCOUNTS)], acks=acks, seed=f"{life}/{number}")
        for number in range(count)
    ]
