"""What a client on ``/ws`` is told before anybody knows which protocol it speaks (C-1, C-2). Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from cryptotrader.dialects.description import AddressDoc, MessageDoc, ProtocolDoc


class UndecidedError(msgspec.Struct, frozen=True, kw_only=True):
    """A message that belongs to no protocol. The connection stays, and the next one may decide."""

    type: Literal["error"] = "error"
    code: Literal["invalid_message", "rate_limited"]
    message: str


PROTOCOL = ProtocolDoc(
    name="undecided",
    title="Any protocol of /ws: before the first message that tells which",
    description="",
    addresses=(
        AddressDoc(
            name="ws",
            address="/ws",
            title="Nothing has been understood yet",
            description="The first JSON object decides: with the field action it is the channel protocol. Who says"
            " nothing for five minutes is closed with 1008.",
            from_server=(
                MessageDoc(
                    UndecidedError,
                    "The message belongs to no protocol that is spoken here",
                    (UndecidedError(code="invalid_message", message="Malformed message: not a JSON object"),),
                ),
            ),
        ),
    ),
)
