"""The OpenAPI 3.1 document, made from the endpoints' own values, so that it cannot say anything but what is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from cryptotrader.gateway.http.contract import Endpoint, Query
from cryptotrader.gateway.http.errors import ErrorBody
from cryptotrader.gateway.openapi.schemas import SEVERAL_SYMBOLS, SYMBOL, Schema, without_null

TITLE = "cryptotrader gateway"

EXAMPLES: dict[int, str] = {
    400: "Invalid symbol",
    401: "Missing Authorization header",
    404: "No open position in BTCUSDT",
    403: "Invalid API key",
    405: "Method Not Allowed",
    408: "Request did not arrive in time",
    413: "Request body larger than 65536 bytes",
    415: "Unsupported media type: use application/json",
    429: "Rate limit exceeded",
    502: "Bad gateway - Binance API not reachable",
    504: "Gateway timeout - Binance API not responding",
}

MEANINGS: dict[int, str] = {
    400: "The request is wrong, or the exchange refuses it; the text says why.",
    401: "No token, or a wrong one.",
    403: "The token does not allow this, or the exchange does not accept the gateway's credentials.",
    404: "There is no such thing.",
    408: "The body did not come within ten seconds.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many requests with this token, or the exchange told the gateway to wait.",
    502: "The exchange cannot be reached, or has trouble of its own.",
    504: "The exchange did not answer within ten seconds.",
}

TRACING: Schema = {
    "X-Request-Id": {
        "description": "Names this request in the server's logs.",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    },
    "X-Response-Time": {
        "description": "Milliseconds that the server took.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
}

RETRY_AFTER: Schema = {
    "description": "Seconds to wait.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}


def build(endpoints: Iterable[Endpoint[Any]], *, version: str, symbols: Sequence[str] = ()) -> Schema:
    """The whole document.

    Args:
        endpoints: What is served.
        version: Of the product.
        symbols: Symbols of the venue in its own spelling, if they are known and few; shown as the values to choose
            from. Any other spelling of them is accepted as well.
    """
    found = list(endpoints)
    types = [item.result for item in found if not isinstance(item.result, dict)]
    results, components = msgspec.json.schema_components([*types, ErrorBody], ref_template=REF)
    by_type = iter(results)
    paths: Schema = {}
    for item in found:
        result = item.result if isinstance(item.result, dict) else simple(next(by_type))
        paths.setdefault(item.path, {})[item.method.lower()] = _operation(item, result)
    symbol, several = SYMBOL, SEVERAL_SYMBOLS
    if symbols:
        symbol = {**SYMBOL, "enum": list(symbols), "examples": [symbols[0]]}
        one = f"({'|'.join(map(re.escape, symbols))})"
        several = {**SEVERAL_SYMBOLS, "pattern": f"^{one}(,{one}){{1,19}}$", "examples": [",".join(symbols[:2])]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": version,
            "description": "Binance market data, orders and account over plain HTTP with a bearer token. WebSockets"
            " are described in /asyncapi.json.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(item.tag for item in found)],
        "paths": paths,
        "components": {
            "schemas": {**simple(components), "ErrorBody": _error_schema(), "Symbol": symbol, "Symbols": several},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


REF = "#/components/schemas/{name}"
SYMBOL_REF: Schema = {"$ref": REF.format(name="Symbol")}


def simple(schema: Any) -> Any:
    """A pair of equal things as an array of exactly two of them: readers of 3.1 disagree about ``prefixItems``."""
    if isinstance(schema, list):
        return [simple(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    done = {key: simple(part) for key, part in schema.items()}
    items = done.get("prefixItems")
    if items and done.get("items") is False and all(item == items[0] for item in items):
        del done["prefixItems"]
        done["items"] = items[0]
    return done


def _error_schema() -> Schema:
    """Exactly two keys (S0-56)."""
    return {
        "type": "object",
        "properties": {"error": {"type": "string"}, "status": {"type": "integer", "minimum": 400, "maximum": 599}},
        "required": ["error", "status"],
        "additionalProperties": False,
    }


def _operation(item: Endpoint[Any], result: Schema) -> Schema:
    headers = {
        name: {"description": text, "schema": {"type": "string"}} for name, text in item.response_headers.items()
    }
    operation: Schema = {
        "operationId": item.handler.__name__,
        "summary": item.summary,
        "tags": [item.tag],
        "parameters": [*_path(item), *_query(item.query), *_headers(item)],
        "responses": {
            "200": {
                "description": (item.handler.__doc__ or "OK").partition("\n")[0],
                "headers": {**TRACING, **headers},
                "content": {item.media_type: {"schema": result}},
            },
            **{str(status): _error(status) for status in _statuses(item)},
        },
    }
    if item.description:
        operation["description"] = item.description
    if item.body is not None:
        properties = item.body["properties"]
        body = {**item.body, "properties": {**properties, **({"symbol": SYMBOL_REF} if "symbol" in properties else {})}}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if item.scope is not None:
        operation["security"] = [{"bearer": []}]
    return operation


def _statuses(item: Endpoint[Any]) -> list[int]:
    """Every error that the endpoint may answer with."""
    always = set() if item.path == "/health" else {429}
    # An unknown query parameter is refused everywhere.
    token = {401, 403} if item.scope is not None else set()
    return sorted({400, *always, *token, *item.errors})


def _error(status: int) -> Schema:
    schema = {"$ref": REF.format(name="ErrorBody")}
    example = {"error": EXAMPLES[status], "status": status}
    return {
        "description": MEANINGS[status],
        "headers": {**TRACING, "Retry-After": RETRY_AFTER} if status == 429 else TRACING,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _query(kind: type[Query]) -> list[Schema]:
    _, components = msgspec.json.schema_components([kind], ref_template=REF)
    schema = components[kind.__name__]
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _symbol(part) if name == "symbol" else without_null(part),
        }
        for name, part in schema["properties"].items()
    ]


def _symbol(part: Schema) -> Schema:
    """One symbol, or several where the parameter has room for them (C-21)."""
    if part.get("maxLength", 0) <= SYMBOL["maxLength"]:
        return SYMBOL_REF
    return {"anyOf": [SYMBOL_REF, {"$ref": REF.format(name="Symbols")}]}


def _path(item: Endpoint[Any]) -> list[Schema]:
    """The one thing that paths have room for."""
    if "{symbol}" not in item.path:
        return []
    return [{"name": "symbol", "in": "path", "required": True, "schema": SYMBOL_REF}]


def _headers(item: Endpoint[Any]) -> list[Schema]:
    return [{"name": name, "in": "header", "required": False, **about} for name, about in item.headers.items()]
