"""binance-sdk-spot: the requests that few programs send, over REST and over the WebSocket API.

Usage: ``python drive_binance_sdk_spot_rare.py 127.0.0.1:3100``
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from drive_binance_sdk_spot import Driver
from kit import SYMBOL, run

Calls = list[tuple[str, str, str, dict[str, Any]]]
"""(name of the step, REST operation, method of the WebSocket API, parameters)."""

NOBODYS = 999_999_999
"""No order and no list has this number."""


def requests(order_id: int, price: float) -> Calls:
    """Everything but what changes an order."""
    only = {"symbol": SYMBOL}
    high, low = round(price * 1.5, 2), round(price * 0.9, 2)
    pair = {"above_type": "LIMIT_MAKER", "above_price": high, "below_type": "STOP_LOSS", "below_stop_price": low}
    pending_pair = {f"pending_{name}": value for name, value in pair.items()}
    resting = only | {"side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.001, "price": price}
    working = {"working_type": "LIMIT", "working_side": "BUY", "working_time_in_force": "GTC"}
    working |= only | {"working_price": price, "working_quantity": 0.001}
    pending = {"pending_type": "MARKET", "pending_side": "SELL"}
    qty = {"pending_quantity": 0.001}
    sell = only | {"side": "SELL", "quantity": 0.001}
    return [
        ("executionRules", "execution_rules", "execution_rules", only),
        ("executionRules.all", "execution_rules", "execution_rules", {}),
        ("referencePrice", "reference_price", "reference_price", only),
        ("referencePrice.calculation", "reference_price_calculation", "reference_price_calculation", only),
        ("blockTrades", "historical_block_trades", "block_trades_historical", only | {"from_id": 0}),
        ("commission", "account_commission", "account_commission", only),
        ("myFilters", "my_filters", "my_filters", only),
        ("myAllocations", "my_allocations", "my_allocations", only),
        ("myPreventedMatches", "my_prevented_matches", "my_prevented_matches", only | {"order_id": order_id}),
        ("amendments", "order_amendments", "order_amendments", only | {"order_id": order_id}),
        ("allOrderLists", "all_order_list", "all_order_lists", {}),
        ("openOrderLists", "open_order_list", "open_order_lists_status", {}),
        ("orderList.status", "get_order_list", "order_list_status", {"order_list_id": NOBODYS}),
        ("orderList.cancel", "delete_order_list", "order_list_cancel", only | {"order_list_id": NOBODYS}),
        (
            "amend",
            "order_amend_keep_priority",
            "order_amend_keep_priority",
            only | {"order_id": NOBODYS, "new_qty": 1.0},
        ),
        ("sor", "sor_order", "sor_order_place", resting),
        ("sor.test", "sor_order_test", "sor_order_test", resting),
        ("oco.old", "order_oco", "order_list_place", sell | {"price": high, "stop_price": low}),
        ("oco", "order_list_oco", "order_list_place_oco", sell | pair),
        ("oto", "order_list_oto", "order_list_place_oto", working | pending | qty),
        (
            "otoco",
            "order_list_otoco",
            "order_list_place_otoco",
            working | pending_pair | qty | {"pending_side": "SELL"},
        ),
        ("opo", "order_list_opo", "order_list_place_opo", working | pending),
        ("opoco", "order_list_opoco", "order_list_place_opoco", working | pending_pair | {"pending_side": "SELL"}),
    ]


def main() -> None:
    """Drive everything and tell."""
    driver = Driver(sys.argv[1])
    rest, api = driver.client.rest_api, driver.client.websocket_api
    price = driver.far_price()
    resting = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.001}
    order_id = driver.rest("order", rest.new_order, **resting, price=price).order_id
    replacing = resting | {"price": price + 1, "cancel_order_id": order_id}
    driver.rest("replace", rest.order_cancel_replace, **replacing, cancel_replace_mode="STOP_ON_FAILURE")
    # The old order is gone, so this one half fails, and the next one whole.
    driver.rest("replace.half", rest.order_cancel_replace, **replacing, cancel_replace_mode="ALLOW_FAILURE")
    driver.rest("replace.none", rest.order_cancel_replace, **replacing, cancel_replace_mode="STOP_ON_FAILURE")
    calls = requests(order_id, price)
    for name, operation, _, params in calls:
        driver.rest(name, getattr(rest, operation), **params)

    # A symbol allows five contingent orders at a time.
    driver.rest("openOrders.between", rest.delete_open_orders, symbol=SYMBOL)

    async def over_websocket() -> None:
        await api.create_connection()
        placed = await driver.ws("order", api.order_place, **resting, price=price)
        again = resting | {"price": price + 1, "cancel_order_id": placed.result.order_id}
        await driver.ws("replace", api.order_cancel_replace, **again, cancel_replace_mode="STOP_ON_FAILURE")
        for name, _, method, params in calls:
            await driver.ws(name, getattr(api, method), **params)
        await api.close_connection(close_session=True)

    asyncio.run(over_websocket())
    # Other clients follow on the same exchange.
    driver.rest("openOrders.cancel", rest.delete_open_orders, symbol=SYMBOL)
    driver.finish()


if __name__ == "__main__":
    run(main)
