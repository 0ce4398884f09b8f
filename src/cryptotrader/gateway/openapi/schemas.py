"""JSON schemas of what is no wire struct: the order's body with its two ways to write a number, and small answers."""

from __future__ import annotations

from typing import Any

import msgspec

from cryptotrader.services.binance.models.market import Kline
from cryptotrader.trading.request import DECIMAL_PATTERN, NUMBERS, OrderBody

Schema = dict[str, Any]

EXACT_NUMBER: Schema = {
    "description": "An exact number: text keeps every digit; a JSON number is accepted too.",
    "anyOf": [
        {"type": "string", "pattern": DECIMAL_PATTERN},
        {"type": "number", "minimum": 0, "maximum": 10**15},
    ],
    "examples": ["0.001"],
}

SYMBOL: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 41,
    "description": "A trading pair in any case and spelling: BTCUSDT, btcusdt, BTC/USDT.",
    "examples": ["BTCUSDT"],
}

SEVERAL_SYMBOLS: Schema = {
    "type": "string",
    "pattern": "^[A-Za-z0-9/_:-]{1,41}(,[A-Za-z0-9/_:-]{1,41}){1,19}$",
    "description": "Several, separated by commas; at most 20.",
}

KLINES: Any = list[Kline] | dict[str, list[Kline]]


class ListenKey(msgspec.Struct, frozen=True, rename="camel"):
    """``{"listenKey": "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"}``."""

    listen_key: str


class Health(msgspec.Struct, frozen=True):
    """``{"status": "ok", "timestamp": 1609459200000, "uptime_seconds": 3600}``."""

    status: str
    timestamp: int
    uptime_seconds: int


LISTEN_KEY: Any = ListenKey
HEALTH: Any = Health


def without_null(schema: Schema) -> Schema:
    """A schema of an optional field as what it is when it is there: HTTP has no null to send."""
    options = [option for option in schema.get("anyOf", []) if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
    if not options:
        return rest
    return {**rest, **options[0]} if len(options) == 1 else {**rest, "anyOf": options}


def order_body() -> Schema:
    """Schema of the order's body, from its struct."""
    _, components = msgspec.json.schema_components([OrderBody], ref_template="#/components/schemas/{name}")
    schema = dict(components["OrderBody"])
    properties = {name: without_null(part) for name, part in schema["properties"].items()}
    properties["symbol"] = SYMBOL
    for name in NUMBERS:
        properties[name] = EXACT_NUMBER
    enums = {name: part for name, part in components.items() if name != "OrderBody"}
    for name, part in properties.items():
        if "$ref" in part:
            found = enums[part["$ref"].rpartition("/")[2]]
            properties[name] = {key: value for key, value in found.items() if key not in ("title", "description")}
    return {
        "type": "object",
        "description": "Which fields an order needs depends on its type: LIMIT and LIMIT_MAKER price and quantity,"
        " MARKET quantity or quoteOrderQty, stop orders stopPrice or trailingDelta too.",
        "properties": properties,
        "required": ["symbol", "side", "type"],
        "additionalProperties": False,
    }


ORDER_BODY: Schema = order_body()


def terms_body() -> Schema:
    """Schema of what protects a position."""
    price = {**EXACT_NUMBER, "anyOf": [*EXACT_NUMBER["anyOf"], {"type": "null"}], "examples": [41000.5]}
    return {
        "type": "object",
        "description": "What is not named stays as it is; null takes a term away.",
        "properties": {
            "stop_loss": {**price, "description": "Sell at the market at or below this price."},
            "take_profit": {**price, "description": "Sell at the market at or above this price.", "examples": [45000]},
            "trailing_stop": {
                **price,
                "description": "Sell at the market so many percent below the highest price since it was set.",
                "examples": [2.5],
            },
        },
        "minProperties": 1,
        "additionalProperties": False,
    }


TERMS_BODY: Schema = terms_body()
