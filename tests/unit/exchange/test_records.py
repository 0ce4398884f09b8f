"""A start reads from the store what the engine will remember, and never more than that at a time."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cryptotrader.core.clock import Clock
from cryptotrader.core.orders import OrderType, Side
from cryptotrader.exchange import records as records_module
from cryptotrader.exchange.engine.orders import NewOrder
from tests.support.paper import TestClock, paper_venue, units

TAKE = NewOrder(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, qty=units("0.01"))
REST = NewOrder(symbol="BTCUSDT", side=Side.BUY, type=OrderType.LIMIT, price=units("44000"), qty=units("0.1"))


async def test_a_start_takes_open_orders_and_the_newest_closed_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open orders are never left behind, however old they are."""
    path, clock = tmp_path / "x.db", TestClock()
    venue = paper_venue(clock=clock, store_path=path)
    oldest = venue.submit("default", REST)
    closed = [venue.submit("default", TAKE).order_id for _ in range(6)]
    await venue.close()
    monkeypatch.setattr(records_module, "MAX_KEPT_ORDERS", 4)
    monkeypatch.setattr(records_module, "MAX_KEPT_FILLS", 3)
    kept = await _kept(path, clock)
    assert kept.orders == [oldest.order_id, *closed[-4:]]
    assert kept.fills == closed[-3:]
    assert kept.next_order_id == closed[-1] + 1


class _Kept(msgspec.Struct):
    orders: list[int]
    fills: list[int]
    next_order_id: int


async def _kept(path: Path, clock: Clock) -> _Kept:
    venue = paper_venue(clock=clock, store_path=path)
    state = venue.engine.state()
    await venue.close()
    return _Kept(
        [order.order_id for order in state.orders],
        [fill.order_id for fill in state.fills],
        state.counters.next_order_id,
    )
