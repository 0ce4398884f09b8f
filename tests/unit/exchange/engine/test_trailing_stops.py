"""Trailing stops (``faqs/trailing-stop-faq.md``). Prices are those of its scenarios, a hundredth of them."""

from __future__ import annotations

import pytest

from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import TrailMoved
from tests.support.contingent_kit import contingent, engine_at, oco, passes, told
from tests.support.engine_kit import NOW_MS, SYMBOL, maker, market_engine, of_kind, p

TRIGGERED = [("1", "NEW", "NEW", "works", "")]


@pytest.mark.parametrize(
    ("scenario", "side", "kind", "at", "delta", "price", "quiet", "almost", "trigger"),
    [
        ("A", "BUY", "STOP_LOSS_LIMIT", "440", 500, "450", ("370", "440", "450", "460", "420"), "440.99", "441"),
        ("B", "SELL", "STOP_LOSS_LIMIT", "390", 1000, "380", ("415", "390", "370", "410"), "369.01", "369"),
        ("C", "BUY", "TAKE_PROFIT_LIMIT", "380", 850, "385", ("420", "380", "370", "390", "380"), "401.44", "401.45"),
        ("D", "SELL", "TAKE_PROFIT_LIMIT", "420", 750, "410", ("390", "420", "450", "440", "465"), "430.13", "430.12"),
        ("E", "SELL", "STOP_LOSS_LIMIT", "", 700, "390", ("420", "395", "455"), "423.16", "423.15"),
    ],
)
def test_the_scenarios_of_the_document(
    scenario: str,
    side: str,
    kind: str,
    at: str,
    delta: int,
    price: str,
    quiet: tuple[str, ...],
    almost: str,
    trigger: str,
) -> None:
    engine = engine_at("400")
    far = "800" if side == "SELL" else "100"
    engine.submit("alice", contingent(side, kind, at, price=far, delta=delta), NOW_MS)
    assert told(passes(engine, 2, *quiet, almost)) == [], scenario
    assert told(passes(engine, 20, trigger)) == TRIGGERED, scenario


def test_without_a_stop_price_it_trails_from_the_last_price_at_once() -> None:
    engine = engine_at("400")
    order, _ = engine.submit("alice", contingent("SELL", "STOP_LOSS", delta=100), NOW_MS + 5)
    assert (order.trailing_ms, order.trailing_price) == (NOW_MS + 5, p("400"))
    assert told(passes(engine, 2, "396.01")) == []
    assert told(passes(engine, 3, "396"))[0] == TRIGGERED[0]


def test_before_any_trade_it_trails_from_the_first_one_on() -> None:
    engine = market_engine()
    order, _ = engine.submit("alice", contingent("SELL", "STOP_LOSS_LIMIT", price="150", delta=100), NOW_MS)
    assert order.trailing_ms == 0
    assert told(passes(engine, 1, "300", "200")) == TRIGGERED


def test_with_a_stop_price_it_trails_from_the_trade_that_reached_it() -> None:
    engine = engine_at("400")
    order, _ = engine.submit("alice", contingent("SELL", "TAKE_PROFIT", "410", delta=100), NOW_MS)
    assert (order.trailing_ms, order.trailing_price) == (0, 0)
    passes(engine, 7, "413")
    order = engine.order("alice", SYMBOL, order_id=order.order_id)
    assert (order.trailing_ms, order.trailing_price) == (NOW_MS, p("413")), "the time of the trade"


def test_a_stop_price_on_the_wrong_side_is_refused_for_trailing_orders_too() -> None:
    engine = engine_at("400")
    with pytest.raises(Refusal, match="Order would trigger immediately"):
        engine.submit("alice", contingent("SELL", "STOP_LOSS", "401", delta=100), NOW_MS)


def test_orders_that_began_at_different_prices_are_triggered_each_at_its_own() -> None:
    engine = engine_at("400")
    for trade_id, last in enumerate(("400", "390", "380"), start=2):
        passes(engine, trade_id, last)
        for account, delta in (("alice", 300), ("bob", 500)):
            engine.submit(account, contingent("SELL", "STOP_LOSS_LIMIT", price="800", delta=delta), NOW_MS)
    # Followed from 400, 390 and 380: triggers at 388 and 380, 378.3 and 370.5, 368.6 and 361; 388 and 380 are gone.
    assert engine.order("alice", SYMBOL, order_id=1).is_working
    assert engine.order("bob", SYMBOL, order_id=2).is_working
    assert [said[0] for said in told(passes(engine, 10, "385", "374"))] == ["3"]
    # The one from 390 that is left has seen no better price; those from 380 have followed to 385: 373.45 and 365.75.
    assert [said[0] for said in told(passes(engine, 20, "373.46", "373.45"))] == ["5"]
    assert [said[0] for said in told(passes(engine, 30, "395"))] == []
    assert [said[0] for said in told(passes(engine, 40, "375.25"))] == ["4", "6"], "both follow from 395 now"


def test_buys_trail_the_lowest_price() -> None:
    engine = engine_at("400")
    for delta in (500, 200):
        engine.submit("alice", contingent("BUY", "STOP_LOSS_LIMIT", price="100", delta=delta), NOW_MS)
    assert told(passes(engine, 2, "300", "305.99")) == []
    assert [said[0] for said in told(passes(engine, 10, "306"))] == ["2"]
    assert [said[0] for said in told(passes(engine, 20, "315"))] == ["1"]


def test_whoever_keeps_the_records_hears_of_each_step_once() -> None:
    engine = engine_at("400")
    _, events = engine.submit("alice", contingent("SELL", "STOP_LOSS", delta=100), NOW_MS)
    assert [each.trail.steps for each in of_kind(events, TrailMoved)] == [((1, p("400")),)]
    events = passes(engine, 2, "399", "401", "400.5", "402")
    assert [each.trail.steps for each in of_kind(events, TrailMoved)] == [((1, p("401")),), ((1, p("402")),)]


def test_a_trailing_leg_of_a_list_expires_the_limit_leg_when_it_triggers() -> None:
    engine = engine_at("100")
    both = oco(maker("SELL", "140", "1"), contingent("SELL", "STOP_LOSS_LIMIT", price="90", delta=500))
    engine.submit_list("alice", both, NOW_MS)
    events = told(passes(engine, 2, "120", "114"))
    assert events[:2] == [("2", "EXPIRED", "EXPIRED", "works", "OCO_TRIGGER"), ("1", "NEW", "NEW", "works", "")]


@pytest.mark.parametrize("delta", [9, 2001])
def test_a_delta_outside_of_the_filter_is_refused(delta: int) -> None:
    engine = engine_at()
    with pytest.raises(Refusal, match="Filter failure: TRAILING_DELTA"):
        engine.submit("alice", contingent("SELL", "STOP_LOSS", delta=delta), NOW_MS)
