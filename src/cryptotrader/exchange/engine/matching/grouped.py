"""What of an account the book needs to know."""

from __future__ import annotations

from typing import Protocol


class Grouped(Protocol):
    """What of an account counts for self-trade prevention."""

    trade_group_id: int
