"""The file of created keys."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from cryptotrader.core.errors import ConfigError, InvalidParams
from cryptotrader.sessions.keys import KeyFile, KeyKind, KeyLimits, KeyTerms, Principal, Scope, StoredKey, Vault
from tests.support.keys import NOW_MS, KeyPair

OLD_FILE = """[
 {"id": "ct_old", "name": "old", "scopes": ["read", "trade"], "secret_sha256": "%s", "created_ms": 1,
  "account": "default", "revoked_ms": null}
]"""


@pytest.fixture
def keys(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


def test_everything_about_a_key_is_kept_and_its_secret_only_sealed(tmp_path: Path, keys: KeyFile) -> None:
    """C-3."""
    terms = KeyTerms(
        account="alice",
        addresses=("10.0.0.0/8", "::1"),
        expires_ms=NOW_MS + 1,
        limits=KeyLimits(requests_per_minute=5, connections=2, subscriptions=3),
    )
    new = keys.create("bot", ["trade", "read"], now_ms=NOW_MS, terms=terms)
    (stored,) = keys.read()
    assert (stored.id, stored.name, stored.kind, stored.created_ms) == (new.key, "bot", KeyKind.HMAC, NOW_MS)
    assert (stored.addresses, stored.expires_ms) == (terms.addresses, NOW_MS + 1)
    assert stored.principal == Principal(
        new.key, "bot", frozenset({Scope.READ, Scope.TRADE}), "alice", terms.limits, terms.addresses
    )
    assert keys.material(stored) == new.secret
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert new.secret not in text
    for value in (repr(stored), repr(new), str([stored])):
        assert new.secret not in value
        assert (stored.sealed_secret or "-") not in value
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


def test_of_an_ed25519_key_only_the_public_half_is_here(keys: KeyFile) -> None:
    """C-3."""
    pair = KeyPair()
    new = keys.create("bot", ["read"], now_ms=1, terms=KeyTerms(public_key=pair.public))
    (stored,) = keys.read()
    assert (new.secret, stored.secret_sha256, stored.sealed_secret) == ("", None, None)
    assert (stored.kind, keys.material(stored)) == (KeyKind.ED25519, pair.public)


def test_a_file_of_before_signed_logins_is_still_read(tmp_path: Path) -> None:
    """C-3: its keys go on as bearer tokens."""
    path = tmp_path / "keys.json"
    path.write_text(OLD_FILE % ("0" * 64))
    keys = KeyFile(path)
    (stored,) = keys.read()
    assert (stored.kind, stored.account, stored.limits) == (KeyKind.HMAC, "default", KeyLimits())
    assert keys.material(stored) is None
    keys.create("new", ["read"], now_ms=2)
    assert next(key.id for key in keys.read()) == "ct_old"
    assert keys.revoke("old", now_ms=3).revoked_ms == 3


@pytest.mark.parametrize(
    ("terms", "param"),
    [
        ({"account": "no blanks"}, "account"),
        ({"account": ""}, "account"),
        ({"account": "x" * 65}, "account"),
        ({"addresses": ("10.0.0.0/33",)}, "ip"),
        ({"addresses": ("localhost",)}, "ip"),
        ({"addresses": ("::1",) * 101}, "ip"),
        ({"expires_ms": NOW_MS}, "expires"),
        ({"limits": KeyLimits(connections=0)}, "connections"),
        ({"limits": KeyLimits(requests_per_minute=-1)}, "requests_per_minute"),
        ({"limits": KeyLimits(subscriptions=10**9)}, "subscriptions"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_name(keys: KeyFile, terms: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        keys.create("bot", ["read"], now_ms=NOW_MS, terms=KeyTerms(**terms))
    assert caught.value.param == param
    assert keys.read() == []


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_is_printable(keys: KeyFile, name: str) -> None:
    with pytest.raises(InvalidParams):
        keys.create(name, ["read"], now_ms=1)


def test_a_public_key_that_is_none_is_refused(keys: KeyFile) -> None:
    with pytest.raises(ConfigError, match="public key"):
        keys.create("bot", ["read"], now_ms=1, terms=KeyTerms(public_key="-----BEGIN NOTHING-----"))


def test_a_revoked_keys_secret_is_gone_for_good(tmp_path: Path, keys: KeyFile) -> None:
    new = keys.create("bot", ["read"], now_ms=1)
    keys.revoke(new.key, now_ms=2)
    assert "sealed_secret" not in (tmp_path / "keys.json").read_text()


def test_of_several_keys_with_a_name_one_must_be_named_by_its_id(keys: KeyFile) -> None:
    first, second = (keys.create("bot", ["read"], now_ms=1) for _ in range(2))
    with pytest.raises(InvalidParams, match=second.key):
        keys.revoke("bot", now_ms=2)
    keys.revoke(first.key, now_ms=2)
    assert keys.revoke("bot", now_ms=2).id == second.key


def test_changes_of_several_processes_at_a_time_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    start = threading.Barrier(6)

    def make(number: int) -> None:
        file = KeyFile(path)
        start.wait()
        for turn in range(3):
            file.create(f"bot {number} {turn}", ["read"], now_ms=1)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key.name for key in KeyFile(path).read()}) == 18


@pytest.mark.parametrize("text", ["{}", "[1]", "[" * 100_000, '[{"id":"a"}]', "\xff"])
def test_a_file_that_is_something_else_is_named_and_not_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"keys\.json: \w+$"):
        KeyFile(path).read()


@pytest.mark.parametrize(
    ("client", "networks", "admitted"),
    [
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8", "11.1.2.3"), True),
        ("11.1.2.4", ("10.0.0.0/8", "11.1.2.3"), False),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("::1", ("10.0.0.0/8",), False),
        ("2001:db8::1", ("2001:db8::/32",), True),
        ("10.1.2.3", ("10.9.9.9/8",), True),
        ("nobody", ("0.0.0.0/0",), False),
        ("", ("0.0.0.0/0",), False),
        (None, ("0.0.0.0/0",), False),
        (None, (), True),
    ],
)
def test_a_key_may_only_come_from_its_networks(client: str | None, networks: tuple[str, ...], admitted: bool) -> None:
    assert Principal("k", "k", frozenset(), addresses=networks).admits(client) is admitted


def test_the_state_of_a_key_goes_by_the_time() -> None:
    key = StoredKey(id="k", name="k", scopes=(Scope.READ,), created_ms=1, expires_ms=10)
    assert [key.state(now_ms) for now_ms in (9, 10, 11)] == ["active", "expired", "expired"]
    assert StoredKey(id="k", name="k", scopes=(), created_ms=1, revoked_ms=2).state(1) == "revoked"


def test_keys_of_one_file_are_sealed_with_one_master_key(tmp_path: Path, keys: KeyFile) -> None:
    """Else the server, which has one, would refuse the others' logins."""
    first = keys.create("bot", ["read"], now_ms=1)
    other = KeyFile(tmp_path / "keys.json", Vault(lambda: bytes(32)))
    with pytest.raises(ConfigError, match="CRYPTOTRADER_MASTER_KEY"):
        other.create("other", ["read"], now_ms=1)
    other.create("pair", ["read"], now_ms=1, terms=KeyTerms(public_key=KeyPair().public))
    other.revoke(first.key, now_ms=2)
    other.create("other", ["read"], now_ms=1)
    assert [key.name for key in keys.read()] == ["bot", "pair", "other"]


def test_keys_that_are_over_make_room_for_new_ones_and_others_do_not(
    keys: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cryptotrader.sessions.keys.file.MAX_KEYS", 3)
    first = keys.create("first", ["read"], now_ms=1)
    keys.create("short", ["read"], now_ms=1, terms=KeyTerms(expires_ms=5))
    keys.create("long", ["read"], now_ms=1, terms=KeyTerms(expires_ms=50))
    with pytest.raises(InvalidParams, match="3 keys"):
        keys.create("more", ["read"], now_ms=4)
    keys.create("more", ["read"], now_ms=5)
    assert [key.name for key in keys.read()] == ["first", "long", "more"]
    keys.revoke(first.key, now_ms=6)
    keys.create("last", ["read"], now_ms=6)
    assert [key.name for key in keys.read()] == ["long", "more", "last"]
