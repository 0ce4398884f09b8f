"""binance-sdk-spot: orders and order lists of every kind, over REST and over the WebSocket API, with their events.

The market must stand still between 45000 and 45001 with half a coin at each of twenty prices, ``BTCUSDC`` must be ten
cheaper, and the account must be alone and rich.

Usage: ``python drive_binance_sdk_spot_orders.py 127.0.0.1:3100 KEY_ID ED25519_PRIVATE_KEY_FILE``
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from typing import Any, ClassVar

from binance_common.configuration import ConfigurationWebSocketAPI
from binance_sdk_spot.rest_api import SpotRestAPI
from binance_sdk_spot.spot import Spot
from binance_sdk_spot.websocket_api import SpotWebSocketAPI
from drive_binance_sdk_spot import Driver, plain
from kit import SYMBOL, Inbox, run

ONLY = {"symbol": SYMBOL}
BUY = ONLY | {"side": "BUY", "quantity": 0.001}
SELL = ONLY | {"side": "SELL", "quantity": 0.001}
GTC = {"time_in_force": "GTC"}
FULL = {"new_order_resp_type": "FULL"}
RESTING = BUY | GTC | {"type": "LIMIT", "price": 44_000.0}
STOP = SELL | {"type": "STOP_LOSS", "stop_price": 44_000.0}
INSIDE = {"price": 45_000.5}
"""Better than the market on both sides, so that only one's own orders can meet."""

KINDS: dict[str, dict[str, Any]] = {
    "limit": RESTING,
    "limit.named": RESTING | {"new_client_order_id": "{}-named", "strategy_id": 7, "strategy_type": 1_000_000},
    "limit.ioc": BUY | {"type": "LIMIT", "time_in_force": "IOC", "price": 45_019.0},
    "limit.fok": BUY | {"type": "LIMIT", "time_in_force": "FOK", "price": 44_000.0},
    "maker": BUY | {"type": "LIMIT_MAKER", "price": 44_000.0},
    "market": BUY | {"type": "MARKET"},
    "market.quote": ONLY | {"side": "SELL", "type": "MARKET", "quote_order_qty": 50.0},
    "stop": STOP,
    "stop.limit": SELL | GTC | {"type": "STOP_LOSS_LIMIT", "stop_price": 44_000.0, "price": 43_990.0},
    "profit": SELL | {"type": "TAKE_PROFIT", "stop_price": 46_000.0},
    "profit.limit": BUY | GTC | {"type": "TAKE_PROFIT_LIMIT", "stop_price": 44_000.0, "price": 44_010.0},
    "trailing": SELL | {"type": "STOP_LOSS", "trailing_delta": 500},
    "iceberg": RESTING | {"quantity": 0.01, "iceberg_qty": 0.001},
    "peg": {**BUY, **GTC, "type": "LIMIT", "peg_price_type": "PRIMARY_PEG"},
    "peg.offset": {
        **BUY,
        **GTC,
        "type": "LIMIT",
        "peg_price_type": "PRIMARY_PEG",
        "peg_offset_type": "PRICE_LEVEL",
        "peg_offset_value": 2,
    },
    "peg.stop": SELL | GTC | {"type": "STOP_LOSS_LIMIT", "stop_price": 44_000.0, "peg_price_type": "MARKET_PEG"},
}
"""Orders of every kind. A ``{}`` in a name becomes the API's."""

MODES = ("EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER", "NONE")

PAIR = {
    "above_type": "LIMIT_MAKER",
    "above_price": 46_000.0,
    "below_type": "STOP_LOSS_LIMIT",
    "below_stop_price": 44_000.0,
    "below_price": 43_990.0,
    "below_time_in_force": "GTC",
}
PENDING_PAIR = {f"pending_{name}": value for name, value in PAIR.items()} | {"pending_side": "SELL"}
WORKING = ONLY | {
    "working_type": "LIMIT",
    "working_side": "BUY",
    "working_price": 44_000.0,
    "working_quantity": 0.001,
    "working_time_in_force": "GTC",
}
PENDING = {"pending_type": "LIMIT", "pending_side": "SELL", "pending_price": 46_000.0, "pending_time_in_force": "GTC"}
QTY = {"pending_quantity": 0.001}
OLD_PAIR = {"price": 46_000.0, "stop_price": 44_000.0, "stop_limit_price": 43_990.0, "stop_limit_time_in_force": "GTC"}
LISTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "oco.old": ("order_oco", "order_list_place", SELL | OLD_PAIR),
    "oco": ("order_list_oco", "order_list_place_oco", SELL | PAIR),
    "oto": ("order_list_oto", "order_list_place_oto", WORKING | PENDING | QTY),
    "otoco": ("order_list_otoco", "order_list_place_otoco", WORKING | PENDING_PAIR | QTY),
    "opo": ("order_list_opo", "order_list_place_opo", WORKING | PENDING),
    "opoco": ("order_list_opoco", "order_list_place_opoco", WORKING | PENDING_PAIR),
}
"""REST operation, method of the WebSocket API, parameters."""

REACH = 45_019.0
"""A price at which there is always somebody who sells."""

AT_ONCE = {"working_price": REACH}


class OrdersDriver(Driver):
    """The same requests over the one API or the other."""

    pair: ClassVar[list[str]] = ["BTCUSDT", "BTCUSDC"]
    over = "rest"

    async def ask(self, step: str, operations: str | tuple[str, str], **params: Any) -> Any:
        """Call an operation of REST or the method of the WebSocket API; answers the parsed result."""
        rest, method = operations if isinstance(operations, tuple) else (operations, operations)
        if self.over == "rest":
            return await asyncio.to_thread(self.rest, step, getattr(self.client.rest_api, rest), **params)
        answer = await self.ws(step, getattr(self.client.websocket_api, method), **params)
        return getattr(answer, "result", None)

    async def place(self, step: str, **params: Any) -> Any:
        """A new order."""
        return await self.ask(step, ("new_order", "order_place"), **params)

    async def clear(self, step: str) -> Any:
        """Cancel everything that is open."""
        return await self.ask(step, ("delete_open_orders", "open_orders_cancel_all"), **ONLY)

    async def drive(self) -> None:
        """Everything once over this API."""
        await self.ask("before", ("get_account", "account_status"))
        await self.drive_kinds()
        await self.drive_prevention()
        await self.drive_changes()
        await self.drive_lists()
        await self.drive_routing()
        await self.drive_fills()
        await self.drive_questions()

    async def drive_kinds(self) -> None:
        """Each kind: tested, placed, asked for; then all are cancelled."""
        for name, params in KINDS.items():
            given = {key: value.format(self.over) if isinstance(value, str) else value for key, value in params.items()}
            await self.ask(f"test.{name}", "order_test", **given)
            placed = await self.place(f"order.{name}", **given, **FULL)
            await self.ask(f"get.{name}", ("get_order", "order_status"), **ONLY, order_id=placed.order_id)
            if name in ("trailing", "peg.stop"):
                # A symbol allows five contingent orders at a time.
                await self.clear(f"clear.{name}")
        for wanted in ("ACK", "RESULT"):
            await self.place(f"order.{wanted}", **RESTING, new_order_resp_type=wanted)
        await self.ask("open", ("get_open_orders", "open_orders_status"), **ONLY)
        await self.clear("clear")

    async def drive_prevention(self) -> None:
        """Trades with oneself, prevented in every mode."""
        for mode in MODES:
            maker = await self.place(f"maker.{mode}", **(RESTING | INSIDE | {"quantity": 0.002}))
            selling = RESTING | INSIDE | {"side": "SELL"}
            await self.place(f"taker.{mode}", **selling, self_trade_prevention_mode=mode)
            await self.ask(f"met.{mode}", ("get_order", "order_status"), **ONLY, order_id=maker.order_id)
            await self.ask(f"prevented.{mode}", "my_prevented_matches", **ONLY, order_id=maker.order_id)
            if mode != "EXPIRE_BOTH":
                await self.clear(f"clear.{mode}")

    async def drive_changes(self) -> None:
        """Amended, replaced, cancelled."""
        replace = ("order_cancel_replace", "order_cancel_replace")
        first = await self.place("change", **RESTING)
        await self.ask("amend", "order_amend_keep_priority", **ONLY, order_id=first.order_id, new_qty=0.0005)
        await self.ask("amendments", "order_amendments", **ONLY, order_id=first.order_id)
        mode = {"cancel_replace_mode": "STOP_ON_FAILURE"}
        told = await self.ask("replace", replace, **STOP, **mode, **FULL, cancel_order_id=first.order_id)
        again = RESTING | mode | {"cancel_order_id": told.new_order_response.order_id}
        told = await self.ask("replace.back", replace, **again, cancel_restrictions="ONLY_NEW")
        number = told.new_order_response.order_id
        await self.ask("cancel", ("delete_order", "order_cancel"), **ONLY, order_id=number)

    async def drive_lists(self) -> None:
        """Lists of every kind: placed, asked for, amended, cancelled whole, by one order, and with everything else."""
        cancel = ("delete_order_list", "order_list_cancel")
        for name, (rest, method, params) in LISTS.items():
            placed = await self.ask(f"list.{name}", (rest, method), **params, **FULL)
            number = {"order_list_id": placed.order_list_id}
            await self.ask(f"list.get.{name}", ("get_order_list", "order_list_status"), **number)
            await self.ask(f"list.cancel.{name}", cancel, **ONLY, **number)
            placed = await self.ask(f"list.again.{name}", (rest, method), **params)
            leg = placed.orders[-1].order_id
            await self.ask(f"list.leg.{name}", ("delete_order", "order_cancel"), **ONLY, order_id=leg)
        placed = await self.ask("list.last", LISTS["oto"][:2], **LISTS["oto"][2])
        amending = ONLY | {"order_id": placed.orders[1].order_id, "new_qty": 0.0005}
        await self.ask("list.amend", "order_amend_keep_priority", **amending)
        await self.ask("list.open", ("open_order_list", "open_order_lists_status"))
        await self.place("list.beside", **RESTING)
        await self.clear("list.clear")

    async def drive_routing(self) -> None:
        """Routed orders: allocated from the other book, or resting on their own."""
        routed = ("sor_order", "sor_order_place")
        buying = BUY | GTC | {"quantity": 0.6, "type": "LIMIT", "price": REACH}
        await self.ask("sor.test", "sor_order_test", **buying, compute_commission_rates=True)
        await self.ask("sor", routed, **buying)
        await self.ask("sor.resting", routed, **RESTING)
        await self.ask("sor.market", routed, **BUY, type="MARKET")
        await self.clear("sor.clear")

    async def drive_fills(self) -> None:
        """A stop that is reached by trades of one's own, and lists that go on."""
        await self.place("fill.profit", **(SELL | {"type": "TAKE_PROFIT", "stop_price": 45_005.0}))
        await self.ask("fill.oto", LISTS["oto"][:2], **(LISTS["oto"][2] | AT_ONCE), **FULL)
        await self.ask("fill.opoco", LISTS["opoco"][:2], **(LISTS["opoco"][2] | AT_ONCE), **FULL)
        await self.place("fill.up", **(BUY | {"type": "MARKET", "quantity": 3.0}))
        await self.clear("fill.clear")
        # The last trade is below the market again.
        await self.place("fill.down", **SELL, type="MARKET")

    async def drive_questions(self) -> None:
        """What is left at the end, from every side."""
        await self.ask("orders", "all_orders", **ONLY, limit=1000)
        await self.ask("lists", ("all_order_list", "all_order_lists"), limit=1000)
        await self.ask("myTrades", "my_trades", **ONLY, limit=1000)
        await self.ask("myAllocations", "my_allocations", **ONLY, limit=1000)
        await self.ask("commission", "account_commission", **ONLY)
        await self.ask("filters", "my_filters", **ONLY)
        await self.ask("limits", ("rate_limit_order", "account_rate_limits_orders"))
        await self.ask("rules", "execution_rules", **ONLY)
        await self.ask("reference", "reference_price", **ONLY)
        await self.ask("calculation", "reference_price_calculation", **ONLY)
        await self.ask("blocks", ("historical_block_trades", "block_trades_historical"), **ONLY, from_id=0)
        await self.ask("info", "exchange_info", **ONLY)
        await self.ask("after", ("get_account", "account_status"))

    async def drive_session(self, key_id: str, key_file: str) -> None:
        """A session of a key that can log on."""
        config = ConfigurationWebSocketAPI(
            stream_url=f"ws://{self.host}/ws-api/v3", api_key=key_id, private_key=key_file
        )
        api = Spot(None, config).websocket_api
        await api.create_connection()
        await self.ws("session.logon", api.session_logon)
        await self.ws("session.status", api.session_status)
        self.called.add("ws.user_data_stream_subscribe")
        await api.user_data_stream_subscribe()
        await self.ws("session.subscriptions", api.session_subscriptions)
        await self.ws("session.unsubscribe", api.user_data_stream_unsubscribe)
        await self.ws("session.logout", api.session_logout)
        await api.close_connection(close_session=True)

    async def run(self) -> None:
        """Listen; drive over REST, then over the WebSocket API; keep everything that was told."""
        api = self.client.websocket_api
        inbox = Inbox()
        await api.create_connection()
        self.called.add("ws.user_data_stream_subscribe_signature")
        subscription = await api.user_data_stream_subscribe_signature()
        subscription.stream.on("message", inbox.put)
        for self.over in ("rest", "ws"):
            await self.drive()
        await self.ws("unsubscribe", api.user_data_stream_unsubscribe)
        await inbox.await_(lambda event: type(event.actual_instance).__name__ == "EventStreamTerminated")
        self.report.note("events", [plain(event) for event in inbox.messages])
        judged = [self._judged(event, []) for event in inbox.messages]
        self.report.note("events.unknown", sorted({name for each in judged for name in each["unknown"]}))
        await self.drive_market_ws()
        await api.close_connection(close_session=True)


HELPERS = ("_", "send_", "close_connection", "ping_server")
"""How the names begin of what is no request."""


def offered() -> list[str]:
    """Every operation and method that the client has."""
    return [
        f"{prefix}.{name}"
        for prefix, kind in (("rest", SpotRestAPI), ("ws", SpotWebSocketAPI))
        for name, value in vars(kind).items()
        if inspect.isfunction(value) and not name.startswith(HELPERS)
    ]


def main() -> None:
    """Drive everything and tell."""
    host, key_id, key_file = sys.argv[1:4]
    driver = OrdersDriver(host)
    asyncio.run(driver.run())
    driver.drive_market_rest()
    asyncio.run(driver.drive_session(key_id, key_file))
    driver.report.note("offered", offered())
    driver.finish()


if __name__ == "__main__":
    run(main)
