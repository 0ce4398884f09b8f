"""Listen keys live for an hour, one per account (C-23)."""

from __future__ import annotations

from itertools import count

import pytest

from cryptotrader.exchange.engine.errors import Refusal
from cryptotrader.exchange.protocol.listen_keys import LIFETIME_MS, ListenKeyExpired, ListenKeys


@pytest.fixture
def keys() -> ListenKeys:
    numbers = count(1)
    return ListenKeys(lambda: f"key-{next(numbers)}")


def test_an_account_has_one_key_and_asking_again_prolongs_it(keys: ListenKeys) -> None:
    first = keys.create("a", 0)
    assert keys.create("a", LIFETIME_MS - 1) == first
    assert keys.create("b", 0) != first
    assert keys.account_of(first, 2 * LIFETIME_MS - 2) == "a"


def test_a_key_ends_sixty_minutes_after_it_was_last_kept_alive(keys: ListenKeys) -> None:
    key = keys.create("a", 0)
    keys.keep_alive(key, 1_000)
    assert keys.account_of(key, LIFETIME_MS + 999) == "a"
    assert keys.account_of(key, LIFETIME_MS + 1_000) is None
    with pytest.raises(Refusal, match="-1125 This listenKey does not exist"):
        keys.keep_alive(key, LIFETIME_MS + 1_000)


def test_an_expired_key_is_told_once_and_its_account_gets_a_new_one(keys: ListenKeys) -> None:
    told: list[ListenKeyExpired] = []
    keys.expired.subscribe(told.append)
    key = keys.create("a", 0)
    keys.expire(LIFETIME_MS)
    keys.expire(LIFETIME_MS)
    assert told == [ListenKeyExpired(key, "a", LIFETIME_MS)]
    assert keys.create("a", LIFETIME_MS) != key


def test_a_closed_key_is_gone_without_an_event(keys: ListenKeys) -> None:
    told: list[ListenKeyExpired] = []
    keys.expired.subscribe(told.append)
    key = keys.create("a", 0)
    keys.close(key, 1)
    assert keys.account_of(key, 1) is None
    assert len(keys) == 0
    assert told == []
    with pytest.raises(Refusal):
        keys.close(key, 1)


def test_nobody_touches_the_key_of_another_account(keys: ListenKeys) -> None:
    key = keys.create("a", 0)
    for act in (keys.keep_alive, keys.close):
        with pytest.raises(Refusal):
            act(key, 1, account="b")
    assert keys.account_of(key, 1) == "a"


def test_keys_outlive_a_restart_unless_they_were_closed() -> None:
    kept: dict[str, bytes] = {}
    before = ListenKeys(iter(["one", "two"]).__next__, keep=kept.__setitem__)
    before.create("a", 0)
    before.close(before.create("b", 0), 1)
    before.keep_alive("one", 500)
    after = ListenKeys(lambda: "three", kept=kept)
    assert (after.account_of("one", LIFETIME_MS + 499), after.account_of("two", 1)) == ("a", None)
    assert after.create("a", 600) == "one"
    assert after.create("b", 600) == "three"
