"""Self-trade prevention (``faqs/stp_faq.md``): its examples as a table, trade groups, money and records."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import pytest

from cryptotrader.core.orders import ExecutionType, OrderStatus, OrderType, Side, TimeInForce
from cryptotrader.core.scaled import mul_scaled
from cryptotrader.exchange.engine.accounts import Fees
from cryptotrader.exchange.engine.engine import Engine
from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.engine.events import BalancesChanged, ListUpdate, OrderUpdate, TradePrinted
from cryptotrader.exchange.engine.orders import NewOrder
from tests.support.contingent_kit import buy_oco, engine_at, sell_oco
from tests.support.engine_kit import NOW_MS, RULES, SYMBOL, free, levels, locked, of_kind, p, snapshot

LOOSE = msgspec.structs.replace(
    RULES, min_notional=0, bid_multiplier_up=0, bid_multiplier_down=0, ask_multiplier_up=0, ask_multiplier_down=0
)
NEW, GONE, FILLED, EXPIRED = (
    OrderStatus.NEW,
    OrderStatus.EXPIRED_IN_MATCH,
    OrderStatus.FILLED,
    OrderStatus.EXPIRED,
)


def an_engine() -> Engine:
    engine = Engine([LOOSE])
    for account in ("alice", "bob", "carol"):
        engine.open_account(account, {"BTC": p("20000"), "USDT": p("20000")}, Fees(0, 0))
    engine.on_snapshot(snapshot((), ()), NOW_MS)
    return engine


def order(side: str, price: str, qty: str, mode: str = "NONE", tif: str = "GTC") -> NewOrder:
    """A LIMIT order; without a price a MARKET order."""
    return NewOrder(
        symbol=SYMBOL,
        side=Side(side),
        type=OrderType.LIMIT if price else OrderType.MARKET,
        time_in_force=TimeInForce(tif),
        price=p(price) if price else 0,
        qty=p(qty),
        self_trade_prevention_mode=mode,
    )


class Scenario(NamedTuple):
    makers: tuple[tuple[str, str, str], ...]
    """(price, quantity, mode); all buy."""
    taker: tuple[str, str, str]
    """It sells."""
    maker_ends: tuple[tuple[OrderStatus, str], ...]
    """(status, prevented quantity)."""
    taker_ends: tuple[OrderStatus, str]
    records: tuple[tuple[str, str, str], ...]
    """(price, taker's prevented quantity, maker's)."""


THREE = (("1.2", "1.2", "NONE"), ("1.1", "1.3", "NONE"), ("1", "8.1", "NONE"))
SCENARIOS = {
    "A": Scenario((("1", "1", "NONE"),), ("1", "1", "NONE"), ((FILLED, "0"),), (FILLED, "0"), ()),
    "B": Scenario(
        THREE,
        ("1", "3", "EXPIRE_MAKER"),
        ((GONE, "1.2"), (GONE, "1.3"), (GONE, "8.1")),
        (NEW, "0"),
        (("1.2", "0", "1.2"), ("1.1", "0", "1.3"), ("1", "0", "8.1")),
    ),
    "C": Scenario(THREE, ("1", "3", "EXPIRE_TAKER"), ((NEW, "0"),) * 3, (GONE, "3"), (("1.2", "3", "0"),)),
    "D": Scenario((("1", "1", "NONE"),), ("1", "3", "EXPIRE_BOTH"), ((GONE, "1"),), (GONE, "3"), (("1", "3", "1"),)),
    "E": Scenario(
        (("1", "1", "EXPIRE_MAKER"),), ("1", "1", "EXPIRE_TAKER"), ((NEW, "0"),), (GONE, "1"), (("1", "1", "0"),)
    ),
    "F": Scenario((("1", "1", "NONE"),), ("", "1", "EXPIRE_MAKER"), ((GONE, "1"),), (EXPIRED, "0"), (("1", "0", "1"),)),
    "G": Scenario((("2", "6", "NONE"),), ("2", "2", "DECREMENT"), ((NEW, "2"),), (GONE, "2"), (("2", "2", "2"),)),
    "H, same account": Scenario(
        (("0.2", "0.6", "TRANSFER"),),
        ("0.2", "0.2", "TRANSFER"),
        ((NEW, "0.2"),),
        (GONE, "0.2"),
        (("0.2", "0.2", "0.2"),),
    ),
    "both of the same size": Scenario(
        (("2", "3", "NONE"),), ("2", "3", "DECREMENT"), ((GONE, "3"),), (GONE, "3"), (("2", "3", "3"),)
    ),
    "the maker is smaller": Scenario(
        (("2", "3", "NONE"),), ("2", "5", "DECREMENT"), ((GONE, "3"),), (NEW, "3"), (("2", "3", "3"),)
    ),
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_examples_of_the_faq(name: str) -> None:
    """``faqs/stp_faq.md``, "STP Examples"."""
    scenario = SCENARIOS[name]
    engine = an_engine()
    makers = [engine.submit("alice", order("BUY", *maker), NOW_MS)[0] for maker in scenario.makers]
    taker, events = engine.submit("alice", order("SELL", *scenario.taker), NOW_MS + 1)
    found = [engine.order("alice", SYMBOL, order_id=maker.order_id) for maker in makers]
    assert tuple((each.status, each.prevented_qty) for each in found) == tuple(
        (status, p(qty)) for status, qty in scenario.maker_ends
    )
    assert (taker.status, taker.prevented_qty) == (scenario.taker_ends[0], p(scenario.taker_ends[1]))
    records = engine.prevented_matches("alice", SYMBOL)
    assert [(each.price, each.taker_prevented_qty, each.maker_prevented_qty) for each in records] == [
        (p(price), p(taker_qty), p(maker_qty)) for price, taker_qty, maker_qty in scenario.records
    ]
    assert [each.prevented_match_id for each in records] == list(range(len(records)))
    assert taker.prevented_matches == tuple(records)
    assert bool(of_kind(events, TradePrinted)) is (name == "A")
    open_orders = engine.open_orders("alice")
    assert locked(engine, "alice", "USDT") == sum(
        each.price * each.remaining // 10**8 for each in open_orders if each.side is Side.BUY
    )
    assert locked(engine, "alice", "BTC") == sum(each.remaining for each in open_orders if each.side is Side.SELL)


def test_a_prevention_is_told_to_every_order_that_lost_something() -> None:
    """``user-data-stream.md``, "Conditional Fields in Execution Report"; ``enums.md``: TRADE_PREVENTION."""
    engine = an_engine()
    engine.submit("alice", order("BUY", "1", "1"), NOW_MS)
    taker, events = engine.submit("alice", order("SELL", "1", "3", "EXPIRE_BOTH"), NOW_MS + 1)
    first, second, third = of_kind(events, OrderUpdate)
    assert first.execution is ExecutionType.NEW
    assert (second.execution, second.order.order_id, second.order.status) == (
        ExecutionType.TRADE_PREVENTION,
        taker.order_id,
        GONE,
    )
    assert (second.last_prevented_qty, third.last_prevented_qty) == (p("3"), p("1"))
    assert (third.order.order_id, third.order.status, third.order.prevented_match_id) == (1, GONE, 0)
    assert second.prevented is not None
    assert second.prevented == third.prevented
    assert (second.prevented.qty, second.prevented.mode, second.prevented.trade_group_id) == (p("1"), "EXPIRE_BOTH", -1)


def test_only_the_same_account_counts_unless_accounts_share_a_trade_group() -> None:
    """``faqs/stp_faq.md``, "What defines a self-trade?"."""
    engine = an_engine()
    engine.set_trade_group("alice", 7)
    engine.set_trade_group("bob", 7)
    engine.submit("carol", order("BUY", "1", "1"), NOW_MS)
    engine.submit("bob", order("BUY", "1", "1"), NOW_MS)
    taker, _ = engine.submit("alice", order("SELL", "1", "2", "EXPIRE_MAKER"), NOW_MS + 1)
    assert (taker.executed, taker.status) == (p("1"), OrderStatus.PARTIALLY_FILLED)
    assert engine.order("carol", SYMBOL, order_id=1).status is FILLED
    assert engine.order("bob", SYMBOL, order_id=2).status is GONE
    (seen_by_bob,) = engine.prevented_matches("bob", SYMBOL)
    assert (seen_by_bob,) == tuple(engine.prevented_matches("alice", SYMBOL))
    assert (seen_by_bob.account, seen_by_bob.maker_account, seen_by_bob.trade_group_id) == ("alice", "bob", 7)
    assert engine.prevented_matches("carol", SYMBOL) == []


def test_a_transfer_moves_both_assets_between_accounts_of_a_group() -> None:
    """``faqs/stp_faq.md``, scenario H, with its balances."""
    engine = an_engine()
    for account in ("alice", "bob"):
        engine.set_trade_group(account, 1)
    engine.submit("alice", order("BUY", "0.2", "0.6", "TRANSFER"), NOW_MS)
    taker, events = engine.submit("bob", order("SELL", "0.2", "0.2", "TRANSFER"), NOW_MS + 1)
    assert taker.status is GONE
    assert (free(engine, "alice", "BTC"), free(engine, "alice", "USDT")) == (p("20000.2"), p("19999.88"))
    assert (locked(engine, "alice", "USDT"), locked(engine, "bob", "BTC")) == (p("0.08"), 0)
    assert (free(engine, "bob", "BTC"), free(engine, "bob", "USDT")) == (p("19999.8"), p("20000.04"))
    assert of_kind(events, TradePrinted) == []
    assert {event.account for event in of_kind(events, BalancesChanged)} == {"alice", "bob"}


@pytest.mark.parametrize("side", ["SELL", "BUY"])
@pytest.mark.parametrize("qty", ["0.4", "1"])
def test_a_transfer_from_one_of_a_pair_expires_the_other_one(side: str, qty: str) -> None:
    """The pair holds its money once for both, so a part of it can't change hands while the other keeps needing all."""
    engine = engine_at()
    assets = {"BTC": p("1")} if side == "SELL" else {"USDT": p("106")}
    engine.open_account("erin", assets, Fees(0, 0))
    engine.open_account("finn", {"BTC": p("10"), "USDT": p("10000")}, Fees(0, 0))
    for account in ("erin", "finn"):
        engine.set_trade_group(account, 1)
    pair = sell_oco(profit="100.5") if side == "SELL" else buy_oco(profit="99.5")
    legs = tuple(msgspec.structs.replace(leg, self_trade_prevention_mode="TRANSFER") for leg in pair.legs)
    engine.submit_list("erin", msgspec.structs.replace(pair, legs=legs), NOW_MS)
    taker, price = ("BUY", "100.5") if side == "SELL" else ("SELL", "99.5")
    _, events = engine.submit("finn", order(taker, price, qty, "TRANSFER", "IOC"), NOW_MS + 1)
    stop, limit = engine.orders("erin", SYMBOL, limit=10)
    assert (stop.status, stop.expiry_reason) == (EXPIRED, "OCO_TRIGGER")
    assert (limit.status, limit.prevented_qty) == (GONE if qty == "1" else NEW, p(qty))
    left = p("1") - p(qty)
    if side == "SELL":
        assert (free(engine, "erin", "BTC"), locked(engine, "erin", "BTC")) == (0, left)
        assert free(engine, "erin", "USDT") == mul_scaled(p("100.5"), p(qty))
    else:
        assert locked(engine, "erin", "USDT") == mul_scaled(p("99.5"), left)
        assert free(engine, "erin", "USDT") == p("106") - p("99.5")
        assert free(engine, "erin", "BTC") == p(qty)
    assert len(of_kind(events, ListUpdate)) == (0 if left else 1)


def test_a_transfer_takes_two_that_want_it() -> None:
    """``faqs/stp_faq.md``, the table of effective modes."""
    engine = an_engine()
    for account in ("alice", "bob"):
        engine.set_trade_group(account, 1)
    engine.submit("alice", order("BUY", "0.2", "0.6", "EXPIRE_BOTH"), NOW_MS)
    engine.submit("bob", order("SELL", "0.2", "0.2", "TRANSFER"), NOW_MS + 1)
    (record,) = engine.prevented_matches("bob", SYMBOL)
    assert (record.mode, free(engine, "bob", "BTC")) == ("DECREMENT", p("20000"))


def test_a_market_buy_needs_the_money_for_what_is_transferred_to_it() -> None:
    engine = an_engine()
    engine.open_account("dora", {"USDT": p("1")}, Fees(0, 0))
    for account in ("alice", "dora"):
        engine.set_trade_group(account, 1)
    engine.submit("alice", order("SELL", "2", "1", "TRANSFER"), NOW_MS)
    with pytest.raises(Refusal, match="insufficient balance"):
        engine.submit("dora", order("BUY", "", "1", "TRANSFER"), NOW_MS)


def test_an_expiring_maker_lets_the_taker_go_on_to_others_and_trades_before_stay() -> None:
    engine = an_engine()
    for account, price in (("bob", "1.3"), ("alice", "1.2"), ("bob", "1.1")):
        engine.submit(account, order("BUY", price, "1"), NOW_MS)
    taker, _ = engine.submit("alice", order("SELL", "1", "3", "EXPIRE_MAKER"), NOW_MS + 1)
    assert [(fill.price, fill.qty) for fill in taker.fills] == [(p("1.3"), p("1")), (p("1.1"), p("1"))]
    assert (taker.status, taker.remaining) == (OrderStatus.PARTIALLY_FILLED, p("1"))


def test_a_taker_that_expires_after_trades_says_expired_in_match() -> None:
    engine = an_engine()
    engine.submit("bob", order("BUY", "1.3", "1"), NOW_MS)
    engine.submit("alice", order("BUY", "1.2", "1"), NOW_MS)
    taker, _ = engine.submit("alice", order("SELL", "1", "3", "EXPIRE_TAKER"), NOW_MS + 1)
    assert (taker.status, taker.executed, taker.prevented_qty) == (GONE, p("1"), p("2"))
    assert engine.open_orders("alice")[0].order_id == 2


def test_fill_or_kill_prevents_nothing_where_it_can_not_be_filled_whole() -> None:
    """Binance is silent: an order that must not trade in part is not matched, so nothing has to be prevented."""
    engine = an_engine()
    engine.submit("alice", order("BUY", "1", "1"), NOW_MS)
    taker, _ = engine.submit("alice", order("SELL", "1", "1", "EXPIRE_MAKER", "FOK"), NOW_MS + 1)
    assert (taker.status, taker.expiry_reason) == (EXPIRED, "UNFILLED_FOK_ORDER_EXPIRED")
    assert engine.order("alice", SYMBOL, order_id=1).status is NEW


def test_an_order_by_amount_counts_what_was_prevented_as_its_quantity() -> None:
    engine = an_engine()
    engine.submit("bob", order("SELL", "2", "1"), NOW_MS)
    engine.submit("alice", order("SELL", "4", "5"), NOW_MS)
    new = NewOrder(
        symbol=SYMBOL,
        side=Side.BUY,
        type=OrderType.MARKET,
        quote_order_qty=p("10"),
        self_trade_prevention_mode="DECREMENT",
    )
    taker, _ = engine.submit("alice", new, NOW_MS + 1)
    assert (taker.qty, taker.executed, taker.prevented_qty) == (p("3"), p("1"), p("2"))
    assert taker.status is GONE
    assert engine.order("alice", SYMBOL, order_id=2).remaining == p("3")


def test_external_liquidity_is_never_a_self_trade() -> None:
    engine = an_engine()
    engine.on_snapshot(snapshot(levels(("1", "5")), (), 200), NOW_MS)
    taker, _ = engine.submit("alice", order("SELL", "1", "5", "EXPIRE_BOTH"), NOW_MS)
    assert taker.status is FILLED


def test_prevented_matches_are_found_by_id_by_order_and_from_an_id_on() -> None:
    engine = an_engine()
    for maker in THREE:
        engine.submit("alice", order("BUY", *maker), NOW_MS)
    engine.submit("alice", order("SELL", "1", "3", "EXPIRE_MAKER"), NOW_MS + 1)

    def ids(**which: int) -> list[int]:
        return [each.prevented_match_id for each in engine.prevented_matches("alice", SYMBOL, **which)]

    assert ids(prevented_match_id=1) == [1]
    assert ids(order_id=3) == [2]
    assert ids(order_id=4) == [0, 1, 2]
    assert ids(from_id=1) == [1, 2]
    assert ids(limit=1) == [0]


def test_a_symbol_may_not_allow_a_mode() -> None:
    """``faqs/stp_faq.md``, "How do I know which symbol uses STP?"."""
    rules = msgspec.structs.replace(LOOSE, allowed_stp_modes=("NONE", "EXPIRE_TAKER"))
    engine = Engine([rules])
    engine.open_account("alice", {"USDT": p("100")})
    with pytest.raises(Refusal) as refused:
        engine.submit("alice", order("BUY", "1", "1", "EXPIRE_MAKER"), NOW_MS)
    assert (refused.value.code, refused.value.message) == (
        -1013,
        "This symbol does not allow the specified self-trade prevention mode.",
    )


def test_a_restart_keeps_groups_records_and_the_next_id() -> None:
    engine = an_engine()
    engine.set_trade_group("alice", 3)
    engine.submit("alice", order("BUY", "1", "1"), NOW_MS)
    engine.submit("alice", order("SELL", "1", "1", "EXPIRE_MAKER"), NOW_MS + 1)
    twin = Engine([LOOSE])
    twin.restore(engine.state())
    assert twin.state() == engine.state()
    twin.submit("alice", order("BUY", "1", "1", "EXPIRE_MAKER"), NOW_MS + 2)
    assert [each.prevented_match_id for each in twin.prevented_matches("alice", SYMBOL)] == [0, 1]
    assert twin.trade_group("alice") == 3
