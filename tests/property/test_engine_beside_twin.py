"""The whole engine beside its naive twin: every order type, list, mode and market event, in generated sessions.

``make simulate-engine`` does two hundred thousand commands; a failing session is cut down to the commands it takes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cryptotrader.core.orders import OrderType, Side
from cryptotrader.exchange.engine.accounts import Wallet
from cryptotrader.exchange.engine.matching.book import BookSide, Resting
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import AmendOrder, NewOrder, Stop
from tests.support.twin.bench import Bench
from tests.support.twin.commands import Command
from tests.support.twin.generate import Generator
from tests.support.twin.session import play, play_with, replay, shrink
from tests.support.twin.world import STEPS, TICK

SYMBOL = "AAAUUU"
LOT = STEPS[SYMBOL]
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("block", range(5))
def test_seeded_sessions_agree_with_the_twin(block: int) -> None:
    for seed in range(block * 10, block * 10 + 10):
        failure = play(seed)
        assert failure is None, str(shrink(failure))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.randoms(use_true_random=False))
def test_whatever_is_chosen_engine_and_twin_agree(random: Random) -> None:
    failure = play_with(random, 25)
    assert failure is None, str(failure)


@pytest.mark.parametrize(
    ("where", "name", "wrong"),
    [
        (Resting, "shorten", lambda resting, left, time_ms: None),
        (BookSide, "shrunk", lambda book, order: None if order.remaining else book.remove(order)),
        (Wallet, "credit", lambda wallet, asset, amount: wallet._free.__setitem__(asset, wallet.free(asset))),
    ],
)
def test_a_broken_engine_is_found_out_and_the_session_cut_down(
    monkeypatch: pytest.MonkeyPatch, where: type, name: str, wrong: Callable[..., None]
) -> None:
    """The queue ahead never gets shorter; a smaller order shows what it did; money outside of trades goes nowhere."""
    monkeypatch.setattr(where, name, wrong)
    failure = next(found for seed in range(20) if (found := play(seed)) is not None)
    small = shrink(failure)
    assert len(small.commands) <= 10, str(small)
    assert str(failure.seed) in str(small)


# Determinism

SESSIONS = 4


def events_digest() -> str:
    """Of all events of some sessions, as bytes."""
    digest = hashlib.blake2b()
    for seed in range(SESSIONS):
        bench = Bench()
        generator = Generator(Random(seed), bench.twin)
        for _ in range(150):
            bench.run(generator.command())
        for event in bench.log:
            digest.update(type(event).__name__.encode() + msgspec.msgpack.encode(event) + b"\n")
        digest.update(bench.engine.state_hash().encode())
    return digest.hexdigest()


def test_the_same_commands_give_the_same_bytes_twice_and_in_two_processes() -> None:
    here = events_digest()
    assert events_digest() == here
    code = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'src'), str(Path(__file__).parent)]!r}; "
    code += f"from {Path(__file__).stem} import events_digest; print(events_digest())"
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout.strip() == here


# What was wrong once


def submit(account: str, kind: str, side: str, lots: int, tick: int = 0, **more: object) -> Command:
    return Command("submit", order(kind, side, lots, tick, **more), account)


def order(kind: str, side: str, lots: int, tick: int = 0, **more: object) -> NewOrder:
    plain = NewOrder(symbol=SYMBOL, side=Side(side), type=OrderType(kind), price=tick * TICK, qty=lots * LOT)
    return msgspec.structs.replace(plain, **{"client_order_id": f"{kind}{side}{tick}", **more})


def test_a_routed_order_that_comes_to_rest_is_kept_as_it_is() -> None:
    """Its working floor changed after its last report, so a replay of the journal gave another one."""
    sell, buy = submit("alice", "LIMIT", "SELL", 1, 100), submit("bob", "LIMIT", "BUY", 2, 100, use_sor=True)
    assert not replay([buy])
    assert not replay([sell, buy])


def test_the_book_of_a_symbol_that_does_not_trade_stands_still() -> None:
    """A whole book of the source was shown, and could lie across users' orders."""
    rests = submit("alice", "LIMIT", "BUY", 2, 100)
    book = Command("snapshot", (SYMBOL, 98, ((97, 2),), ((99, 4),)))
    halt, go_on = (Command("status", (SYMBOL, status)) for status in ("HALT", "TRADING"))
    assert not replay([rests, halt, book, go_on, book])


def test_trades_that_nobody_listened_to_leave_nothing_that_a_journal_lacks() -> None:
    """Public ids went on from them, and nothing told the journal."""
    trade = Command("trade", (SYMBOL, 100, 3, True))
    halt, go_on = (Command("status", (SYMBOL, status)) for status in ("HALT", "TRADING"))
    book = Command("snapshot", (SYMBOL, 100, ((97, 2),), ((103, 4),)))
    assert not replay([halt, trade, trade])
    assert not replay([trade, halt, trade, go_on, trade, book, trade, submit("alice", "MARKET", "BUY", 1), trade])


def test_after_a_crash_the_last_price_is_still_the_last_one() -> None:
    """Ids that were passed over in a standstill made an older trade of the source look newer than a user's."""
    halt, go_on = (Command("status", (SYMBOL, status)) for status in ("HALT", "TRADING"))
    book = Command("snapshot", (SYMBOL, 101, ((98, 1),), ((103, 12),)))
    listened, crash = Command("trade", (SYMBOL, 97, 3, True)), Command("restart", False)
    sold = submit("dora", "LIMIT", "SELL", 1, 97)
    stop = submit("bob", "STOP_LOSS", "SELL", 8, stop=Stop(price=97 * TICK))
    assert not replay([halt, listened, listened, go_on, book, listened, sold, crash, stop])


def test_what_was_transferred_is_no_longer_kept_back_from_fees() -> None:
    """The market order still kept back what it had handed over, so its fee in BNB seemed to be too much."""
    bnb: dict[str, Any] = {"symbol": "BNBUUU", "self_trade_prevention_mode": "TRANSFER"}
    lot = STEPS["BNBUUU"]
    commands = [
        Command("group", 1, "bob"),
        Command("group", 1, "carol"),
        submit("carol", "LIMIT", "BUY", 0, 99, qty=10 * lot, **bnb),
        submit("alice", "LIMIT", "BUY", 0, 99, qty=24 * lot, **bnb),
        submit("bob", "MARKET", "SELL", 0, qty=34 * lot, **bnb),
    ]
    assert not replay(commands)


def test_the_order_that_is_left_of_a_pair_holds_what_it_needs_itself() -> None:
    """It went on holding what the other one, which expired, would have needed."""
    legs = (
        order("STOP_LOSS_LIMIT", "BUY", 3, 100, stop=Stop(price=102 * TICK)),
        order("TAKE_PROFIT", "BUY", 3, stop=Stop(trailing_delta=10)),
    )
    pair = Command("submit_list", NewOrderList(symbol=SYMBOL, kind=ListKind.OCO, legs=legs, client_list_id="l"), "dora")
    assert not replay([Command("trade", (SYMBOL, tick, 7, False)) for tick in (101,)] + [pair])
    assert not replay([Command("trade", (SYMBOL, 101, 7, False)), pair, Command("trade", (SYMBOL, 103, 8, True))])


def test_a_routed_order_leaves_whole_lots_on_the_books_that_it_meets() -> None:
    """On a book of coarser lots it left half a lot, which nobody there could take; the book was crossed then."""
    book = Command("depth", (SYMBOL, 100, ((99, 4),), ((106, 12),)))
    finer, lot = "AAAVVV", STEPS["AAAVVV"]
    routed = submit("carol", "LIMIT", "SELL", 1, 99, symbol=finer, qty=5 * lot, use_sor=True)
    bench = Bench()
    for command in (book, routed, submit("carol", "LIMIT", "SELL", 30, 98, use_sor=True)):
        bench.run(command)
    assert bench.engine.book(SYMBOL).levels(Side.BUY) == []
    assert bench.engine.book(finer).levels(Side.SELL) == [(99 * TICK, lot)]


def test_an_amendment_that_leaves_nothing_of_the_other_one_of_a_pair_ends_both() -> None:
    """The limit had lost half to self-trade prevention; amended to less than that it stayed open with nothing left."""
    legs = (
        order("LIMIT_MAKER", "SELL", 6, 102, client_order_id="limit"),
        order("STOP_LOSS", "SELL", 6, stop=Stop(price=96 * TICK), client_order_id="stop"),
    )
    commands = [
        Command("submit_list", NewOrderList(symbol=SYMBOL, kind=ListKind.OCO, legs=legs, client_list_id="l"), "alice"),
        submit("alice", "MARKET", "BUY", 3, self_trade_prevention_mode="DECREMENT"),
        Command(
            "amend",
            AmendOrder(symbol=SYMBOL, client_order_id="stop", qty=2 * LOT, new_client_order_id="stop"),
            "alice",
        ),
    ]
    assert not replay(commands)


def test_a_stop_that_was_amended_to_less_than_its_slice_still_goes_to_work() -> None:
    """The filters turned it down when it was triggered, as an iceberg that shows more than there is."""
    stop = submit("dora", "TAKE_PROFIT_LIMIT", "BUY", 6, 99, stop=Stop(price=98 * TICK), iceberg_qty=3 * LOT)
    smaller = AmendOrder(
        symbol=SYMBOL, client_order_id="TAKE_PROFIT_LIMITBUY99", qty=2 * LOT, new_client_order_id="smaller"
    )
    commands = [stop, Command("amend", smaller, "dora"), Command("trade", (SYMBOL, 98, 1, True))]
    assert not replay(commands)
    bench = Bench()
    for command in commands:
        bench.run(command)
    assert bench.engine.book(SYMBOL).levels(Side.BUY) == [(99 * TICK, 2 * LOT)]
