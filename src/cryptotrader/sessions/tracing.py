"""Tracing headers of an answer (S0-61)."""

from __future__ import annotations

import uuid

from cryptotrader.core.clock import NS_PER_MS, NS_PER_S


def trace_headers(elapsed_ns: int) -> tuple[tuple[str, str], ...]:
    """``X-Request-Id``, a new UUID, and ``X-Response-Time``, whole milliseconds without a unit."""
    return (("X-Request-Id", str(uuid.uuid4())), ("X-Response-Time", str(elapsed_ns // NS_PER_MS)))


def answer_headers(elapsed_s: float) -> tuple[tuple[str, str], ...]:
    """The same for ``TransportPolicy.answer_headers``: handshakes that are refused before any session sees them."""
    return trace_headers(int(elapsed_s * NS_PER_S))
