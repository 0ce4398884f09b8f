"""Bearer tokens and the key file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryptotrader.core.errors import ConfigError, InvalidParams, NotAuthenticated
from cryptotrader.sessions.auth import Authenticator, KeyFile, Scope

TOKEN = "made-up-token-for-this-test"


def test_s0_50_a_missing_header_is_named() -> None:
    with pytest.raises(NotAuthenticated, match=r"^Missing Authorization header$"):
        Authenticator([TOKEN]).authenticate(None)


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic " + TOKEN, TOKEN, "Bearer ", "Bearer " + "x" * 1000, ""])
def test_s0_51_anything_but_a_known_bearer_token_is_invalid(header: str) -> None:
    with pytest.raises(NotAuthenticated, match=r"^Invalid or expired token$"):
        Authenticator([TOKEN]).authenticate(header)


@pytest.mark.parametrize("header", ["Bearer " + TOKEN, "bearer " + TOKEN, "Bearer  " + TOKEN + " "])
def test_s0_1_a_configured_token_may_read_and_trade(header: str) -> None:
    principal = Authenticator(["other-token", TOKEN]).authenticate(header)
    assert principal.scopes == {Scope.READ, Scope.TRADE}
    assert principal.key_id == "env-2"


def test_s0_65_a_token_may_come_from_the_query_where_the_caller_allows_it() -> None:
    assert Authenticator([TOKEN]).authenticate(None, TOKEN).key_id == "env-1"


def test_a_wrong_header_is_not_saved_by_a_good_query_token() -> None:
    with pytest.raises(NotAuthenticated):
        Authenticator([TOKEN]).authenticate("Bearer nope", TOKEN)


def test_a_created_key_works_keeps_no_secret_and_dies_when_revoked(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    keys = KeyFile(path)
    new = keys.create("bot", ["read"], now_ms=1)
    authenticator = Authenticator([], keys)
    gone: list[str] = []
    authenticator.on_revoked.subscribe(gone.append)

    assert authenticator.authenticate(f"Bearer {new.secret}").scopes == {Scope.READ}
    assert new.secret not in path.read_text()
    assert new.secret not in repr(new)
    assert path.stat().st_mode & 0o077 == 0

    keys.revoke("bot", now_ms=2)
    authenticator.refresh()
    assert gone == [new.key]
    with pytest.raises(NotAuthenticated):
        authenticator.authenticate(f"Bearer {new.secret}")


def test_an_unknown_scope_and_an_unknown_key_are_refused_by_name(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.json")
    with pytest.raises(InvalidParams, match="fly"):
        keys.create("bot", ["fly"], now_ms=1)
    with pytest.raises(InvalidParams, match="nobody"):
        keys.revoke("nobody", now_ms=1)


def test_a_broken_key_file_stops_the_start_instead_of_letting_everybody_out(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("{}")
    with pytest.raises(ConfigError, match=r"keys\.json"):
        Authenticator([], KeyFile(path))


def test_a_key_file_that_breaks_later_is_named_once_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """C-3, S0-51: known keys go on working, and a wrong token is still just a wrong token."""
    path = tmp_path / "keys.json"
    made = KeyFile(path).create("bot", ["read"], now_ms=1)
    authenticator = Authenticator([TOKEN], KeyFile(path))
    path.write_text("{broken")
    for _ in range(3):
        authenticator.refresh()
        with pytest.raises(NotAuthenticated, match=r"^Invalid or expired token$"):
            authenticator.authenticate("Bearer wrong")
    assert authenticator.authenticate(f"Bearer {made.secret}").name == "bot"
    assert capsys.readouterr().err.count("keys.json") == 1
