"""The signed login, and that each one is good for one time."""

from __future__ import annotations

import pytest

from cryptotrader.sessions.keys import LOGIN_WINDOW_MS, KeyKind, ReplayGuard, login_text
from cryptotrader.sessions.keys.login import MAX_LOGINS_OF_KEY, is_signed, is_timely
from tests.support.keys import NOW_MS, KeyPair, signed_with_secret

SECRET = "made-up-secret-of-this-test"


def test_s1_2_the_signed_text_is_method_path_and_time() -> None:
    """C-4."""
    assert login_text(1647356789123) == "GET\n/ws\n1647356789123\n"


@pytest.mark.parametrize("change", [str, str.upper])
def test_s1_2_a_right_signature_is_right_in_capitals_too(change: type[str]) -> None:
    """C-4: hexadecimal."""
    signature = change(signed_with_secret(SECRET, NOW_MS))
    assert is_signed(KeyKind.HMAC, SECRET, NOW_MS, signature=signature)
    assert not is_signed(KeyKind.HMAC, SECRET + "x", NOW_MS, signature=signature)
    assert not is_signed(KeyKind.HMAC, SECRET, NOW_MS + 1, signature=signature)


def test_c_4_an_ed25519_key_signs_the_same_text() -> None:
    pair, other = KeyPair(1), KeyPair(2)
    assert is_signed(KeyKind.ED25519, pair.public, NOW_MS, signature=pair.sign(NOW_MS))
    assert not is_signed(KeyKind.ED25519, pair.public, NOW_MS, signature=other.sign(NOW_MS))
    assert not is_signed(KeyKind.ED25519, pair.public, NOW_MS, signature=pair.sign(NOW_MS + 1))


@pytest.mark.parametrize("signature", ["", "0" * 64, "é" * 64, "\ud800", "=" * 88, "A" * 1_000_000, "0" * 63])
@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_signature_that_is_none_is_just_wrong(signature: str, kind: KeyKind) -> None:
    material = KeyPair().public if kind is KeyKind.ED25519 else SECRET
    assert not is_signed(kind, material, NOW_MS, signature=signature)


@pytest.mark.parametrize(("offset_ms", "timely"), [(0, True), (30_000, True), (-30_000, True), (30_001, False)])
def test_c_4_clocks_may_be_thirty_seconds_apart(offset_ms: int, timely: bool) -> None:
    assert is_timely(NOW_MS + offset_ms, NOW_MS) is timely
    assert is_timely(NOW_MS - offset_ms, NOW_MS) is timely


def test_c_4_a_login_is_good_once() -> None:
    guard = ReplayGuard()
    assert guard.admit("a", NOW_MS, now_ms=NOW_MS)
    assert guard.admit("b", NOW_MS, now_ms=NOW_MS)
    assert guard.admit("a", NOW_MS + 1, now_ms=NOW_MS)
    for later_ms in (0, 1, 10_000, LOGIN_WINDOW_MS):
        assert not guard.admit("a", NOW_MS, now_ms=NOW_MS + later_ms)


def test_what_cannot_be_timely_any_more_is_forgotten() -> None:
    guard = ReplayGuard()
    for number in range(100):
        assert guard.admit("a", NOW_MS + LOGIN_WINDOW_MS - number, now_ms=NOW_MS)
    assert len(guard) == 100
    assert guard.admit("b", NOW_MS + 3 * LOGIN_WINDOW_MS, now_ms=NOW_MS + 2 * LOGIN_WINDOW_MS + 1)
    assert len(guard) == 1


def test_c_4_setting_our_clock_back_makes_no_old_login_new() -> None:
    guard = ReplayGuard()
    assert guard.admit("a", NOW_MS, now_ms=NOW_MS)
    assert guard.admit(
        "b", NOW_MS + 3_600_000, now_ms=NOW_MS + 3_600_000
    )  # The clock is an hour ahead for a moment ...
    assert not guard.admit("a", NOW_MS, now_ms=NOW_MS + 1_000)
    assert guard.admit("a", NOW_MS + 1_500, now_ms=NOW_MS + 2_000)  # ... and then nobody has to wait for an hour.


def test_a_key_that_logs_in_without_end_hurts_only_itself() -> None:
    guard = ReplayGuard()
    admitted = [guard.admit("a", NOW_MS + number, now_ms=NOW_MS) for number in range(MAX_LOGINS_OF_KEY + 10)]
    assert sum(admitted) == MAX_LOGINS_OF_KEY
    assert guard.admit("b", NOW_MS, now_ms=NOW_MS)
    assert len(guard) == MAX_LOGINS_OF_KEY + 1
