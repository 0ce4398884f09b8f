"""What a WebSocket protocol says of itself: the values that ``/asyncapi.json`` is made from.

Each protocol has one ``ProtocolDoc`` beside its messages. A message is described by the struct that reads or writes it,
so that the document cannot say anything but what is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True)
class MessageDoc:
    """One kind of message.

    Attributes:
        kind: The struct that reads or writes it.
        summary: One line.
        examples: Instances of the struct.
        holds: Types of fields that the struct takes more freely, by field.
        hides: Fields of the struct that are not on the wire.
        replies: What the server answers a client's message with.
    """

    kind: type[msgspec.Struct]
    summary: str
    examples: tuple[msgspec.Struct, ...]
    holds: Mapping[str, Any] = field(default_factory=dict)
    hides: tuple[str, ...] = ()
    replies: tuple[type[msgspec.Struct], ...] = ()

    @property
    def name(self) -> str:
        """Unique within its protocol."""
        return self.kind.__name__


@dataclass(frozen=True)
class ParameterDoc:
    """A part of an address, or of its query."""

    description: str
    examples: tuple[str, ...]
    values: tuple[str, ...] = ()
    """All that are allowed, where they are few."""


@dataclass(frozen=True)
class AddressDoc:
    """One address that speaks the protocol.

    Attributes:
        name: Unique within the protocol.
        address: Path, with ``{parameters}``.
        title: One line.
        description: What a client must know, in CommonMark.
        from_server: What it sends.
        from_client: What it takes.
        parameters: Of the path.
        query: Of the query; all may be left out.
        security: How a client proves who it is; names of ``SCHEMES``. Any one of them will do.
    """

    name: str
    address: str
    title: str
    description: str
    from_server: tuple[MessageDoc, ...]
    from_client: tuple[MessageDoc, ...] = ()
    parameters: Mapping[str, ParameterDoc] = field(default_factory=dict)
    query: Mapping[str, ParameterDoc] = field(default_factory=dict)
    security: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProtocolDoc:
    """One protocol. Its name prefixes those of its messages and schemas."""

    name: str
    title: str
    description: str
    addresses: tuple[AddressDoc, ...]


BEARER = "bearer"
QUERY_TOKEN = "queryToken"
SIGNED_LOGIN = "signedLogin"

SCHEMES: dict[str, dict[str, str]] = {
    BEARER: {"type": "http", "scheme": "bearer", "description": "A key's secret in the handshake's Authorization."},
    QUERY_TOKEN: {
        "type": "httpApiKey",
        "in": "query",
        "name": "token",
        "description": "The same secret in the query, for browsers; api_key is another name for it.",
    },
    SIGNED_LOGIN: {
        "type": "apiKey",
        "in": "user",
        "description": "A signed message, the first on the connection. What is signed is the text"
        ' "GET\\n/ws\\n{timestamp}\\n" with real newlines: HMAC-SHA256 in hexadecimal, or Ed25519 in Base64.',
    },
}
"""AsyncAPI's security schemes."""
