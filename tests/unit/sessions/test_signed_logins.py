"""Signed logins, expiry, networks: the authenticator as the protocols use it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cryptotrader.core.errors import NotAuthenticated
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.keys import KeyFile, KeyLimits, KeyTerms, Principal, Scope, Vault
from tests.support.keys import NOW_MS, KeyPair, TurnedClock, signed_with_secret

TOKEN = "made-up-token-for-this-test"


class Stage:
    """An authenticator over a key file, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keys.json"
        self.keys = KeyFile(self.path)
        self.clock = TurnedClock()
        self.authenticator = Authenticator([TOKEN], self.keys, clock=self.clock)
        self.gone: list[str] = []
        self.authenticator.on_revoked.subscribe(self.gone.append)

    def login(self, api_key: str, signature: str, *, at_ms: int = NOW_MS, client: str | None = None) -> Principal:
        return self.authenticator.login(api_key, at_ms, signature, now_ms=self.clock.now_ms, client=client)

    def refuses(self, api_key: str, signature: str, *, at_ms: int = NOW_MS, client: str | None = None) -> None:
        with pytest.raises(NotAuthenticated, match=r"^Authentication failed$"):
            self.login(api_key, signature, at_ms=at_ms, client=client)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_s1_2_s1_3_a_created_key_logs_in_with_its_secret(stage: Stage) -> None:
    """C-4."""
    terms = KeyTerms(account="alice", limits=KeyLimits(subscriptions=7))
    new = stage.keys.create("bot", ["read", "trade"], now_ms=NOW_MS, terms=terms)
    who = stage.login(new.key, signed_with_secret(new.secret, NOW_MS))
    assert (who.key_id, who.account, who.scopes) == (new.key, "alice", frozenset({Scope.READ, Scope.TRADE}))
    assert who.limits.subscriptions == 7


def test_c_4_each_login_is_good_once_also_in_another_spelling(stage: Stage) -> None:
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS)
    signature = signed_with_secret(new.secret, NOW_MS)
    stage.login(new.key, signature)
    stage.refuses(new.key, signature)
    stage.refuses(new.key, signature.upper())
    stage.login(new.key, signed_with_secret(new.secret, NOW_MS + 1), at_ms=NOW_MS + 1)


def test_c_4_spare_bits_of_base64_make_no_new_login(stage: Stage) -> None:
    pair = KeyPair()
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS, terms=KeyTerms(public_key=pair.public))
    signature = pair.sign(NOW_MS)
    stage.login(new.key, signature)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(signature[85]) ^ 1]
    stage.refuses(new.key, signature[:85] + other + "==")


def test_a_wrong_login_uses_nothing_up(stage: Stage) -> None:
    """C-4: whoever guesses cannot keep the owner out."""
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS)
    stage.refuses(new.key, "0" * 64)
    stage.login(new.key, signed_with_secret(new.secret, NOW_MS))


@pytest.mark.parametrize(
    "offset_ms", [-30_001, 30_001, -(2**63), 2**63, 10**5000], ids=["late", "early", "past", "future", "huge"]
)
def test_c_4_another_time_than_ours_is_refused(stage: Stage, offset_ms: int) -> None:
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS)
    at_ms = NOW_MS + offset_ms
    signature = signed_with_secret(new.secret, at_ms) if abs(offset_ms) < 10**9 else "0" * 64
    stage.refuses(new.key, signature, at_ms=at_ms)


def test_c_3_a_token_of_the_settings_is_its_own_key_and_secret(stage: Stage) -> None:
    signature = signed_with_secret(TOKEN, NOW_MS)
    assert stage.login(TOKEN, signature).key_id == "env-1"
    stage.refuses(TOKEN, signature)
    stage.refuses("env-1", signed_with_secret(TOKEN, NOW_MS + 1), at_ms=NOW_MS + 1)
    stage.refuses(TOKEN + "x", signed_with_secret(TOKEN, NOW_MS + 2), at_ms=NOW_MS + 2)


def test_a_created_keys_secret_is_no_name_for_it(stage: Stage) -> None:
    """The secret stays with the client."""
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS)
    stage.refuses(new.secret, signed_with_secret(new.secret, NOW_MS))


def test_no_key_logs_in_with_anothers_secret(stage: Stage) -> None:
    pair = KeyPair()
    keys = [stage.keys.create(f"bot {number}", ["read"], now_ms=NOW_MS) for number in range(3)]
    paired = stage.keys.create("pair", ["read"], now_ms=NOW_MS, terms=KeyTerms(public_key=pair.public))
    for new in keys:
        for other in keys:
            if other is not new:
                stage.refuses(new.key, signed_with_secret(other.secret, NOW_MS))
        stage.refuses(new.key, pair.sign(NOW_MS))
        stage.refuses(paired.key, signed_with_secret(new.secret, NOW_MS))
    stage.refuses(paired.key, signed_with_secret(pair.public, NOW_MS))


def test_an_ed25519_key_has_no_bearer_token(stage: Stage) -> None:
    pair = KeyPair()
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS, terms=KeyTerms(public_key=pair.public))
    for token in (new.key, pair.public.replace("\n", ""), "None", ""):
        with pytest.raises(NotAuthenticated):
            stage.authenticator.authenticate(f"Bearer {token}")
    assert stage.login(new.key, pair.sign(NOW_MS)).key_id == new.key


def test_a_revoked_key_is_refused_at_its_very_next_use(stage: Stage) -> None:
    """C-3: nobody has to wait for ``refresh``."""
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS)
    stage.authenticator.authenticate(f"Bearer {new.secret}")
    stage.login(new.key, signed_with_secret(new.secret, NOW_MS))
    stage.keys.revoke("bot", now_ms=NOW_MS)
    with pytest.raises(NotAuthenticated):
        stage.authenticator.authenticate(f"Bearer {new.secret}")
    stage.refuses(new.key, signed_with_secret(new.secret, NOW_MS + 1), at_ms=NOW_MS + 1)
    assert stage.gone == [new.key]


def test_an_expired_key_is_gone_and_told_about_once(stage: Stage) -> None:
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS, terms=KeyTerms(expires_ms=NOW_MS + 1_000))
    stays = stage.keys.create("other", ["read"], now_ms=NOW_MS)
    stage.authenticator.authenticate(f"Bearer {new.secret}")
    stage.clock.now_ms += 999
    stage.authenticator.refresh()
    assert stage.gone == []
    stage.clock.now_ms += 1
    stage.authenticator.refresh()
    stage.authenticator.refresh()
    assert stage.gone == [new.key]
    with pytest.raises(NotAuthenticated, match=r"^Invalid or expired token$"):
        stage.authenticator.authenticate(f"Bearer {new.secret}")
    stage.refuses(new.key, signed_with_secret(new.secret, stage.clock.now_ms), at_ms=stage.clock.now_ms)
    assert stage.authenticator.authenticate(f"Bearer {stays.secret}").key_id == stays.key


def test_an_expired_key_is_refused_though_nobody_refreshed(stage: Stage) -> None:
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS, terms=KeyTerms(expires_ms=NOW_MS + 1_000))
    stage.authenticator.authenticate(f"Bearer {new.secret}")
    stage.clock.now_ms += 1_000
    with pytest.raises(NotAuthenticated):
        stage.authenticator.authenticate(f"Bearer {new.secret}")
    assert stage.gone == [new.key]


def test_a_key_whose_rights_were_changed_has_to_come_again(stage: Stage) -> None:
    """What it opened, it opened with other rights."""
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS)
    stage.authenticator.refresh()
    (stored,) = stage.keys.read()
    stage.path.write_bytes(msgspec.json.encode([msgspec.structs.replace(stored, account="alice")]))
    assert stage.authenticator.authenticate(f"Bearer {new.secret}").account == "alice"
    assert stage.gone == [new.key]


def test_a_key_is_refused_from_elsewhere_and_that_is_logged_without_the_secret(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    new = stage.keys.create("bot", ["read"], now_ms=NOW_MS, terms=KeyTerms(addresses=("10.0.0.0/8",)))
    bearer = f"Bearer {new.secret}"
    for client in ("11.0.0.1", None):
        with pytest.raises(NotAuthenticated, match=r"^Invalid or expired token$"):
            stage.authenticator.authenticate(bearer, client=client)
    stage.refuses(new.key, signed_with_secret(new.secret, NOW_MS), client="11.0.0.1")
    assert stage.authenticator.authenticate(bearer, client="10.0.0.1").key_id == new.key
    assert stage.login(new.key, signed_with_secret(new.secret, NOW_MS), client="10.0.0.1").key_id == new.key
    err = capsys.readouterr().err
    assert new.key in err
    assert new.secret not in err


def test_a_key_of_before_signed_logins_is_a_bearer_token_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = Stage(tmp_path)
    new = stage.keys.create("old", ["read"], now_ms=1)
    (stored,) = stage.keys.read()
    stage.path.write_bytes(msgspec.json.encode([msgspec.structs.replace(stored, sealed_secret=None)]))
    assert stage.authenticator.authenticate(f"Bearer {new.secret}").name == "old"
    stage.refuses(new.key, signed_with_secret(new.secret, NOW_MS))
    stage.refuses(new.key, signed_with_secret("no such key", NOW_MS))
    assert capsys.readouterr().err.count("from before signed logins") == 1


def test_with_another_master_key_tokens_work_and_logins_say_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = KeyFile(tmp_path / "keys.json").create("bot", ["read"], now_ms=1)
    keys = KeyFile(tmp_path / "keys.json", Vault(lambda: bytes(32)))
    authenticator = Authenticator([], keys, clock=TurnedClock())
    assert authenticator.authenticate(f"Bearer {new.secret}").name == "bot"
    with pytest.raises(NotAuthenticated):
        authenticator.login(new.key, NOW_MS, signed_with_secret(new.secret, NOW_MS), now_ms=NOW_MS)
    err = capsys.readouterr().err
    assert "master key" in err
    assert new.secret not in err


def test_a_broken_public_key_in_the_file_refuses_that_login_only(stage: Stage) -> None:
    pair = KeyPair()
    paired = stage.keys.create("pair", ["read"], now_ms=1, terms=KeyTerms(public_key=pair.public))
    plain = stage.keys.create("plain", ["read"], now_ms=1)
    stage.path.write_text(stage.path.read_text().replace("BEGIN PUBLIC KEY", "BEGIN PUBIC KEY"))
    stage.refuses(paired.key, pair.sign(NOW_MS))
    assert stage.login(plain.key, signed_with_secret(plain.secret, NOW_MS)).name == "plain"
