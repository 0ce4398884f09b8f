"""Tracing headers of an answer (S0-61)."""

from __future__ import annotations

import uuid

from cryptotrader.core.clock import NS_PER_MS


def trace_headers(elapsed_ns: int) -> tuple[tuple[str, str], ...]:
    """``X-Request-Id``, a new UUID, and ``X-Response-Time``, whole milliseconds without a unit."""
    return (("X-Request-Id", str(uuid.uuid4())), ("X-Response-Time", str(elapsed_ns // NS_PER_MS)))
