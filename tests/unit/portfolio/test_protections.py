"""A protection as a state machine: when it fires, how much it sells, what it becomes (C-27)."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.errors import InvalidParams
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.portfolio.protections import (
    Cause,
    Lot,
    Phase,
    Protection,
    Terms,
    arm,
    can_fire,
    cleared,
    gone,
    has_seen,
    observe,
    placed,
    refused,
    size,
)


def armed(**terms: str) -> Protection:
    scaled = {name: parse_scaled(text) for name, text in terms.items()}
    return arm("default", "BTCUSDT", Terms(**scaled), serial=1, now_ms=1_000)


def through(protection: Protection, *prices: str) -> Protection:
    for number, price in enumerate(prices, start=1):
        protection = observe(protection, parse_scaled(price), time_ms=1_000 + number, trade_id=number)
    return protection


def fired(**more: int) -> Protection:
    return msgspec.structs.replace(through(armed(stop_loss="90"), "89"), **more)


@pytest.mark.parametrize(
    ("prices", "cause"),
    [
        (("100", "90.01"), None),
        (("100", "90"), Cause.STOP_LOSS),
        (("100", "50"), Cause.STOP_LOSS),
        (("100", "119.99"), None),
        (("100", "120"), Cause.TAKE_PROFIT),
        (("100", "500"), Cause.TAKE_PROFIT),
    ],
)
def test_a_touch_or_a_jump_beyond_a_term_fires_it(prices: tuple[str, ...], cause: Cause | None) -> None:
    """C-27."""
    state = through(armed(stop_loss="90", take_profit="120"), *prices)
    assert state.cause is cause
    assert state.phase is (Phase.FIRED if cause else Phase.ARMED)
    if cause:
        assert (state.trigger_price, state.fired_ms) == (parse_scaled(prices[-1]), 1_002)


def test_a_trailing_stop_follows_the_highest_price_and_never_falls() -> None:
    """S1-14: a percentage, 2.5."""
    state = through(armed(trailing_stop="2.5"), "100", "200", "196")
    assert state.phase is Phase.ARMED
    assert state.trailing_price == state.stop_price == parse_scaled("195")
    assert through(state, "195").cause is Cause.TRAILING_STOP


def test_what_fired_once_never_fires_again() -> None:
    state = through(armed(stop_loss="90"), "89")
    assert through(state, "10", "1000") == state


def test_a_price_is_known_by_its_time_and_by_its_id_within_a_millisecond() -> None:
    state = observe(armed(stop_loss="1"), SCALE * 5, time_ms=2_000, trade_id=7)
    assert has_seen(state, time_ms=2_000, trade_id=7)
    assert has_seen(state, time_ms=1_999, trade_id=99)
    assert not has_seen(state, time_ms=2_000, trade_id=8)
    assert not has_seen(state, time_ms=2_001, trade_id=0)


def test_prices_in_any_order_can_fire_what_one_order_of_them_would() -> None:
    state = through(armed(trailing_stop="10"), "100")
    assert not can_fire(state, high=parse_scaled("100"), low=parse_scaled("91"))
    assert can_fire(state, high=parse_scaled("102"), low=parse_scaled("91"))
    assert can_fire(armed(take_profit="120"), high=parse_scaled("120"), low=parse_scaled("1"))


@pytest.mark.parametrize(
    ("terms", "param"),
    [
        ({}, "stop_loss"),
        ({"stop_loss": "0"}, "stop_loss"),
        ({"take_profit": "-1"}, "take_profit"),
        ({"trailing_stop": "100"}, "trailing_stop"),
        ({"stop_loss": "10", "take_profit": "10"}, "stop_loss"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_by_name(terms: dict[str, str], param: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        armed(**terms)
    assert caught.value.param == param


LOT = Lot(step=SCALE // 10, most=50 * SCALE)


@pytest.mark.parametrize(
    ("amount", "free", "phase", "qty", "wanted"),
    [
        ("1.25", "10", Phase.FIRED, "1.2", "1.2"),
        ("1.25", "0.55", Phase.FIRED, "0.5", "1.2"),
        ("80", "80", Phase.FIRED, "50", "80"),
        ("0", "5", Phase.GONE, "0", "0"),
        ("0.05", "5", Phase.GONE, "0", "0"),
        ("1", "0", Phase.REFUSED, "0", "1"),
        ("1", "0.05", Phase.REFUSED, "0", "1"),
    ],
)
def test_it_sells_the_position_as_far_as_it_is_free_in_whole_lots(
    amount: str, free: str, phase: Phase, qty: str, wanted: str
) -> None:
    """C-27."""
    state = size(fired(), parse_scaled(amount), free=parse_scaled(free), lot=LOT)
    assert (state.phase, state.qty, state.wanted) == (phase, parse_scaled(qty), parse_scaled(wanted))
    assert bool(state.detail) == state.phase.is_over
    assert size(state, SCALE * 9, free=SCALE * 9, lot=LOT) == state


def test_its_order_ends_it_as_the_venue_says() -> None:
    """C-27: sold, sold in part, or not at all; each says so."""
    sold = fired(qty=10, wanted=10)
    assert placed(sold, filled=10, is_open=False).phase is Phase.DONE
    working = placed(sold, filled=4, is_open=True)
    assert (working.phase, working.filled) == (Phase.PLACED, 4)
    assert placed(working, filled=10, is_open=False).phase is Phase.DONE
    ended = placed(working, filled=4, is_open=False)
    assert (ended.phase, ended.detail) == (Phase.PARTIAL, "the order ended before everything was sold")
    nothing = placed(sold, filled=0, is_open=False)
    assert (nothing.phase, nothing.detail) == (Phase.REFUSED, "the order ended without a fill")
    some_locked = placed(fired(qty=10, wanted=30), filled=10, is_open=False)
    assert some_locked.phase is Phase.PARTIAL
    assert "0.00000020" in some_locked.detail
    assert placed(ended, filled=10, is_open=False) == ended


def test_only_an_armed_one_is_taken_back_or_gone_and_only_a_fired_one_refused() -> None:
    watching, done = armed(stop_loss="1"), placed(fired(qty=1, wanted=1), filled=1, is_open=False)
    assert cleared(watching).phase is Phase.CLEARED
    assert gone(watching, "closed").phase is Phase.GONE
    assert refused(watching, "no") == watching
    assert refused(fired(), "no").phase is Phase.REFUSED
    for over in (cleared, lambda state: gone(state, "x"), lambda state: refused(state, "x")):
        assert over(done) == done


def test_its_order_has_a_name_that_no_other_protection_ever_has() -> None:
    """``rest-api.md``: 36 characters of letters, digits and ``._:/-`` at most."""
    names = {
        arm(account, symbol, Terms(stop_loss=1), serial=serial, now_ms=5).client_order_id
        for account in ("a", "ab")
        for symbol in ("BTCUSDT", "bBTCUSDT")
        for serial in (1, 2)
    }
    assert len(names) == 8
    assert all(len(name) <= 36 and name.startswith("x-ct-P") for name in names)
