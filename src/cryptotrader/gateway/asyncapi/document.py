"""The AsyncAPI 3.0 document, made from what each protocol says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from cryptotrader.dialects.description import SCHEMES, AddressDoc, MessageDoc, ParameterDoc, ProtocolDoc
from cryptotrader.gateway.asyncapi.schemas import message_schemas, telling
from cryptotrader.gateway.openapi.schemas import Schema

TITLE = "cryptotrader gateway: WebSockets"

JSON = "application/json"

WS_BINDING_VERSION = "0.1.0"


def build(protocols: Iterable[ProtocolDoc], *, version: str) -> Schema:
    """The whole document.

    Args:
        protocols: What is spoken.
        version: Of the product.
    """
    document: Schema = {
        "asyncapi": "3.0.0",
        "info": {
            "title": TITLE,
            "version": version,
            "description": "Live market data, orders and positions. Every message is one JSON object in one text frame."
            " REST is described in /openapi.json.",
            "tags": [],
        },
        "defaultContentType": JSON,
        "servers": {
            "gateway": {
                "host": "{host}",
                "protocol": "ws",
                "description": "The port that REST is on, too.",
                "variables": {"host": {"default": "localhost:3000", "description": "Where the gateway listens."}},
            }
        },
        "channels": {},
        "operations": {},
        "components": {"messages": {}, "schemas": {}, "securitySchemes": SCHEMES},
    }
    for protocol in protocols:
        document["info"]["tags"].append({"name": protocol.name, "description": protocol.title})
        for address in protocol.addresses:
            _add(document, protocol, address)
    return document


def _add(document: Schema, protocol: ProtocolDoc, address: AddressDoc) -> None:
    """One address: a channel, its messages, and what is done with them."""
    components = document["components"]
    sent = _messages(protocol, address.from_server, is_sent=True)
    taken = _messages(protocol, address.from_client, is_sent=False)
    for messages, schemas in (sent, taken):
        components["messages"].update(messages)
        components["schemas"].update(schemas)
    channel_id = f"{protocol.name}.{address.name}"
    channel: Schema = {
        "address": address.address,
        "title": address.title,
        "description": address.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in (*sent[0], *taken[0])},
        "tags": [{"name": protocol.name}],
        "bindings": {"ws": _binding(address.query)},
    }
    if address.parameters:
        channel["parameters"] = {name: _parameter(part) for name, part in address.parameters.items()}
    document["channels"][channel_id] = channel
    _add_operations(document["operations"], protocol, address)


def _messages(protocol: ProtocolDoc, found: tuple[MessageDoc, ...], *, is_sent: bool) -> tuple[Schema, Schema]:
    payloads, schemas = message_schemas(protocol.name, found, is_sent=is_sent)
    messages = {
        f"{protocol.name}.{message.name}": {
            "name": message.name,
            "title": message.summary,
            "summary": message.summary,
            "contentType": JSON,
            "payload": payload,
            "examples": [{"payload": example_of(message, example)} for example in message.examples],
        }
        for message, payload in zip(found, payloads, strict=True)
    }
    return messages, schemas


def example_of(message: MessageDoc, example: msgspec.Struct) -> Any:
    """An example as it is on the wire; what tells its kind stands in front."""
    fields: Schema = msgspec.json.decode(msgspec.json.encode(example))
    first = [name for name in telling(message.kind) if name in fields]
    return {name: fields[name] for name in (*first, *fields) if name not in message.hides}


def _add_operations(operations: Schema, protocol: ProtocolDoc, address: AddressDoc) -> None:
    """From the server's side: it sends, and it receives."""
    channel_id = f"{protocol.name}.{address.name}"
    channel = {"$ref": f"#/channels/{channel_id}"}
    security = [{"$ref": f"#/components/securitySchemes/{name}"} for name in address.security]

    def refer(kind: type[msgspec.Struct]) -> dict[str, str]:
        return {"$ref": f"#/channels/{channel_id}/messages/{protocol.name}.{kind.__name__}"}

    operations[f"{channel_id}.send"] = {
        "action": "send",
        "channel": channel,
        "title": address.title,
        "messages": [refer(message.kind) for message in address.from_server],
        **({"security": security} if security else {}),
    }
    for message in address.from_client:
        operation: Schema = {
            "action": "receive",
            "channel": channel,
            "title": message.summary,
            "messages": [refer(message.kind)],
        }
        if message.replies:
            operation["reply"] = {"channel": channel, "messages": [refer(kind) for kind in message.replies]}
        operations[f"{channel_id}.{message.name}"] = operation


def _parameter(part: ParameterDoc) -> Schema:
    values = {"enum": list(part.values)} if part.values else {}
    return {"description": part.description, "examples": list(part.examples), **values}


def _binding(query: Mapping[str, ParameterDoc]) -> Schema:
    if not query:
        return {"method": "GET", "bindingVersion": WS_BINDING_VERSION}
    properties = {name: {"type": "string", **_parameter(part)} for name, part in query.items()}
    return {
        "method": "GET",
        "query": {"type": "object", "properties": properties},
        "bindingVersion": WS_BINDING_VERSION,
    }
