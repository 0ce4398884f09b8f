"""Checks messages against the payload schemas of an AsyncAPI document."""

from __future__ import annotations

from typing import Any

import jsonschema_rs


def closed(schema: Any) -> Any:
    """The same schema, with no room for fields that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    done = {key: closed(part) for key, part in schema.items()}
    if "properties" in done and isinstance(schema.get("type"), str):
        done.setdefault("additionalProperties", False)
    return done


def payload_validator(
    document: dict[str, Any], message: str, *, is_closed: bool = True
) -> jsonschema_rs.Draft7Validator:
    """A validator of one message's payload; ``is_closed`` refuses fields that are not described."""
    schemas = document["components"]["schemas"]
    payload = document["components"]["messages"][message]["payload"]
    whole = {**payload, "components": {"schemas": closed(schemas) if is_closed else schemas}}
    return jsonschema_rs.Draft7Validator(whole)


def messages_of(document: dict[str, Any], channel: str) -> list[str]:
    """Names of what the server sends on a channel of the document."""
    refs = document["operations"][f"{channel}.send"]["messages"]
    return [ref["$ref"].rpartition("/")[2] for ref in refs]


def fits(document: dict[str, Any], channel: str, message: Any) -> list[str]:
    """Names of the channel's messages that a message could be."""
    return [name for name in messages_of(document, channel) if payload_validator(document, name).is_valid(message)]
