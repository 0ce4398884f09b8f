"""What is kept is bounded, and what is open is never forgotten."""

from __future__ import annotations

import pytest

from cryptotrader.core.orders import Side
from cryptotrader.exchange.engine import accounts
from cryptotrader.exchange.engine.accounts import Wallet
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.orders import CancelOrder
from tests.support.engine_kit import NOW_MS, SYMBOL, limit, market_engine, p


def test_the_oldest_closed_orders_are_forgotten_first_and_open_ones_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MAX_KEPT_ORDERS", 3)
    engine = market_engine()
    engine.submit("alice", limit("BUY", "90", "1", client_id="open"), NOW_MS)
    for name in ("one", "two", "three"):
        engine.submit("alice", limit("BUY", "91", "1", client_id=name), NOW_MS)
        engine.cancel("alice", CancelOrder(SYMBOL, client_order_id=name), NOW_MS)
    assert [order.client_order_id for order in engine.orders("alice", SYMBOL)] == ["open", "two", "three"]
    assert engine.order("alice", SYMBOL, client_order_id="open").order_id == 1
    with pytest.raises(Refusal) as caught:
        engine.order("alice", SYMBOL, client_order_id="one")
    assert caught.value.code == -2013


def test_a_wallet_refuses_to_go_below_zero_and_stays_as_it_was() -> None:
    wallet = Wallet({"BTC": 5}, {"BTC": 2})
    for amount in (6, -3):
        with pytest.raises(ValueError, match="negative"):
            wallet.lock("BTC", amount)
    with pytest.raises(ValueError, match="negative"):
        wallet.credit("BTC", -6)
    assert wallet.balance("BTC") == ("BTC", 5, 2)


def test_displayed_levels_can_be_limited() -> None:
    book = market_engine().book(SYMBOL)
    assert book.levels(Side.BUY, 1) == [(p("99"), p("1"))]
    assert book.levels(Side.SELL, 0) == []
    assert len(book.levels(Side.SELL, 5000)) == 2
