"""Orders and order lists of every kind in Binance's own words, for clients that hand parameters on as they are.

The market must stand still between 45000 and 45001 with half a coin at each of twenty prices, ``BTCUSDC`` must be ten
cheaper, and the account must be alone and rich.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from kit import SYMBOL, Report

Ask = Callable[..., Awaitable[Any]]

ONLY: dict[str, Any] = {"symbol": SYMBOL}
BUY = ONLY | {"side": "BUY", "quantity": 0.001}
SELL = ONLY | {"side": "SELL", "quantity": 0.001}
GTC = {"timeInForce": "GTC"}
RESTING = BUY | GTC | {"type": "LIMIT", "price": 44_000}
INSIDE = {"price": "45000.50"}
"""Better than the market on both sides, so that only one's own orders can meet."""

KINDS: dict[str, dict[str, Any]] = {
    "limit": RESTING,
    "limit.named": RESTING | {"newClientOrderId": "{}-named", "strategyId": 7, "strategyType": 1_000_000},
    "limit.text": RESTING | {"price": "44000.00000000", "quantity": "0.00100000", "recvWindow": 60_000},
    "limit.ioc": BUY | {"type": "LIMIT", "timeInForce": "IOC", "price": 45_019.0},
    "limit.fok": BUY | {"type": "LIMIT", "timeInForce": "FOK", "price": 44_000.0},
    "maker": BUY | {"type": "LIMIT_MAKER", "price": 44_000.0},
    "market": BUY | {"type": "MARKET"},
    "market.sell": SELL | {"type": "MARKET", "quantity": 1.5},
    "market.quote": ONLY | {"side": "SELL", "type": "MARKET", "quoteOrderQty": 50},
    "market.spend": ONLY | {"side": "BUY", "type": "MARKET", "quoteOrderQty": "123.45"},
    "stop": SELL | {"type": "STOP_LOSS", "stopPrice": 44_000},
    "stop.limit": SELL | GTC | {"type": "STOP_LOSS_LIMIT", "stopPrice": 44_000, "price": 43_990},
    "profit": SELL | {"type": "TAKE_PROFIT", "stopPrice": 46_000},
    "profit.limit": BUY | GTC | {"type": "TAKE_PROFIT_LIMIT", "stopPrice": 44_000, "price": 44_010},
    "trailing": SELL | {"type": "STOP_LOSS", "trailingDelta": 500},
    "trailing.from": BUY
    | GTC
    | {"type": "TAKE_PROFIT_LIMIT", "trailingDelta": 300, "stopPrice": 44_500, "price": 44_400},
    "iceberg": RESTING | {"quantity": 0.01, "icebergQty": 0.001},
    "prevention": RESTING | {"selfTradePreventionMode": "EXPIRE_TAKER"},
    "peg": {**BUY, **GTC, "type": "LIMIT", "pegPriceType": "PRIMARY_PEG"},
}
"""A ``{}`` in a name becomes the API's."""

PAIR = {
    "aboveType": "LIMIT_MAKER",
    "abovePrice": 46_000,
    "belowType": "STOP_LOSS_LIMIT",
    "belowStopPrice": 44_000,
    "belowPrice": 43_990,
    "belowTimeInForce": "GTC",
}
PROFIT = {"aboveType": "TAKE_PROFIT", "aboveStopPrice": 46_000, "belowType": "STOP_LOSS", "belowStopPrice": 44_000}
WORKING = ONLY | {
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": 44_000,
    "workingQuantity": 0.001,
    "workingTimeInForce": "GTC",
}
AT_ONCE = {"workingPrice": 45_019}
"""A price at which there is always somebody who sells."""

PENDING = {
    "pendingType": "LIMIT",
    "pendingSide": "SELL",
    "pendingPrice": 46_000,
    "pendingTimeInForce": "GTC",
    "pendingQuantity": 0.001,
}
PENDING_PAIR = {
    "pendingSide": "SELL",
    "pendingQuantity": 0.001,
    **{f"pending{name[0].upper()}{name[1:]}": value for name, value in PAIR.items()},
}


def _without_quantity(pending: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in pending.items() if name != "pendingQuantity"}


LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "oco": ("oco", SELL | PAIR),
    "oco.stops": ("oco", SELL | PROFIT),
    "oto": ("oto", WORKING | PENDING),
    "oto.at_once": ("oto", WORKING | PENDING | AT_ONCE),
    "otoco": ("otoco", WORKING | PENDING_PAIR),
    "otoco.at_once": ("otoco", WORKING | PENDING_PAIR | AT_ONCE),
    "opo": ("opo", WORKING | _without_quantity(PENDING)),
    "opoco": ("opoco", WORKING | _without_quantity(PENDING_PAIR)),
}


class OrderRun:
    """The same orders over one API of a client.

    Args:
        report: Keeps what is answered.
        over: The API's name, which steps begin with.
        api: What the client calls for each thing; what it has no call for is left out.
    """

    def __init__(self, report: Report, over: str, api: Mapping[str, Ask]) -> None:
        self._report = report
        self._over = over
        self._api = api

    async def ask(self, step: str, name: str, **params: Any) -> Any:
        """Call something and note it; nothing where the client has no such call."""
        if name not in self._api:
            return None
        return await self._report.astep(f"{self._over}.{step}", self._api[name](**params))

    async def drive(self) -> None:
        """Everything once."""
        await self.ask("before", "account")
        await self._kinds()
        await self._changes()
        await self._prevention()
        await self._lists()
        await self._routing()
        await self._questions()

    async def _kinds(self) -> None:
        for name, params in KINDS.items():
            given = {
                key: value.format(self._over) if isinstance(value, str) else value for key, value in params.items()
            }
            await self.ask(f"test.{name}", "test", **given)
            placed = await self.ask(f"order.{name}", "new", **given, newOrderRespType="FULL")
            told = await self.ask(f"get.{name}", "get", **ONLY, orderId=placed["orderId"])
            if told["status"] == "NEW":
                await self.ask(f"cancel.{name}", "cancel", **ONLY, orderId=placed["orderId"])
        for wanted in ("ACK", "RESULT"):
            await self.ask(f"order.{wanted}", "new", **RESTING, newOrderRespType=wanted)
        await self.ask("test.rates", "test", **RESTING, computeCommissionRates="true")
        await self.ask("open", "open", **ONLY)
        await self.ask("clear", "cancel_all", **ONLY)
        await self.ask("open.none", "open", **ONLY)

    async def _changes(self) -> None:
        placed = await self.ask("change.first", "new", **RESTING, newClientOrderId=f"{self._over}-first")
        replaced = await self.ask(
            "change.replace",
            "replace",
            **(RESTING | {"price": 43_000}),
            cancelReplaceMode="STOP_ON_FAILURE",
            cancelOrderId=placed["orderId"],
        )
        newest = replaced["newOrderResponse"]["orderId"]
        await self.ask(
            "change.by_name",
            "replace",
            **BUY,
            type="MARKET",
            cancelReplaceMode="ALLOW_FAILURE",
            cancelOrigClientOrderId=replaced["newOrderResponse"]["clientOrderId"],
        )
        await self.ask("change.after", "get", **ONLY, orderId=newest)
        await self.ask("change.third", "new", **(RESTING | {"quantity": 0.005}), newClientOrderId=f"{self._over}-third")
        await self.ask("change.cancel", "cancel", **ONLY, origClientOrderId=f"{self._over}-third")
        await self.ask("refused.cancel", "cancel", **ONLY, origClientOrderId=f"{self._over}-third")
        await self.ask(
            "refused.replace",
            "replace",
            **RESTING,
            cancelReplaceMode="STOP_ON_FAILURE",
            cancelOrderId=999_999_999,
        )

    async def _prevention(self) -> None:
        for mode in ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "NONE"):
            order = {"type": "LIMIT", "selfTradePreventionMode": mode, **GTC, **INSIDE}
            maker = await self.ask(f"maker.{mode}", "new", **BUY, **order)
            taker = await self.ask(f"taker.{mode}", "new", **SELL, **order)
            for side, placed in (("maker", maker), ("taker", taker)):
                told = await self.ask(f"met.{side}.{mode}", "get", **ONLY, orderId=placed["orderId"])
                if told["status"] == "NEW":
                    await self.ask(f"met.{side}.{mode}.cancel", "cancel", **ONLY, orderId=placed["orderId"])
            await self.ask(f"prevented.{mode}", "prevented", **ONLY, orderId=taker["orderId"])

    async def _lists(self) -> None:
        for name, (kind, params) in LISTS.items():
            placed = await self.ask(f"list.{name}", kind, **params)
            if placed is None:
                continue
            await self.ask(f"list.{name}.get", "list_get", orderListId=placed["orderListId"])
            await self.ask(f"list.{name}.open", "list_open")
            await self.ask(f"list.{name}.cancel", "list_cancel", **ONLY, orderListId=placed["orderListId"])
        await self.ask("lists", "list_all")

    async def _routing(self) -> None:
        await self.ask("sor.test", "sor_test", **RESTING)
        await self.ask("sor", "sor", **(BUY | GTC | {"type": "LIMIT", "price": 45_019}), newOrderRespType="FULL")

    async def _questions(self) -> None:
        await self.ask("rates", "rates", **ONLY)
        await self.ask("count", "count")
        await self.ask("orders", "orders", **ONLY, limit=1_000)
        await self.ask("trades", "trades", **ONLY, limit=1_000)
        await self.ask("allocations", "allocations", **ONLY)
        await self.ask("after", "account")


if __name__ == "__main__":
    # For clients that are not Python's.
    sys.stdout.write(json.dumps({"kinds": KINDS, "lists": LISTS}))
