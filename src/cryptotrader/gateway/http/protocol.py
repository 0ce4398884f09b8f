"""uvicorn's HTTP protocol, with source 0's error shape for what is no HTTP, and a bound on the head of a request."""

from __future__ import annotations

import uuid

from cryptotrader.gateway.http.errors import Answer
from cryptotrader.transport.http_head import HEAD_S, MAX_HEAD_BYTES, BoundedHead

__all__ = ["HEAD_S", "MAX_HEAD_BYTES", "GatewayHttp"]


class GatewayHttp(BoundedHead):
    """What uvicorn runs on each connection of the gateway."""

    def refusal(self, status: int, text: str) -> tuple[bytes, tuple[tuple[str, str], ...]]:
        """The shape of every other error (S0-56, S0-61)."""
        extra = (
            ("X-Request-Id", str(uuid.uuid4())),
            ("X-Response-Time", "0"),
            ("Access-Control-Allow-Origin", "*"),
        )
        return Answer(status, text).body, extra
