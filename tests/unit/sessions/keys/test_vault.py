"""Secrets at rest."""

from __future__ import annotations

import base64
import secrets
import threading
from pathlib import Path

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.sessions.keys.vault import VERSION, Vault, kept_master_key, read_master_key

SECRET = "made-up-secret-of-this-test"
MASTER = bytes(range(32))


def vault(master: bytes = MASTER) -> Vault:
    return Vault(lambda: master)


def test_what_is_sealed_can_be_opened_and_shows_nothing_of_itself() -> None:
    sealed = vault().seal("ct_1", SECRET)
    assert vault().open("ct_1", sealed) == SECRET
    assert SECRET not in sealed
    assert SECRET.encode() not in base64.urlsafe_b64decode(sealed.removeprefix(VERSION))
    assert vault().seal("ct_1", SECRET) != sealed
    assert repr(vault()) == "Vault(***)"


def test_a_sealed_secret_is_of_one_key_and_one_master_key() -> None:
    sealed = vault().seal("ct_1", SECRET)
    for other, key_id in ((vault(), "ct_2"), (vault(bytes(32)), "ct_1")):
        with pytest.raises(ConfigError, match=key_id) as caught:
            other.open(key_id, sealed)
        assert SECRET not in str(caught.value)


def test_a_changed_seal_is_refused_whatever_was_changed() -> None:
    sealed = vault().seal("ct_1", SECRET)
    raw = base64.urlsafe_b64decode(sealed.removeprefix(VERSION))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(ConfigError):
            vault().open("ct_1", VERSION + base64.urlsafe_b64encode(bytes(changed)).decode())


@pytest.mark.parametrize("sealed", ["", "v1.", "v2.AAAA", "v1.é", "v1.AAAA", SECRET])
def test_text_that_is_no_seal_is_refused(sealed: str) -> None:
    with pytest.raises(ConfigError):
        vault().open("ct_1", sealed)


@pytest.mark.parametrize(
    "text", [MASTER.hex(), base64.b64encode(MASTER).decode(), base64.urlsafe_b64encode(MASTER).decode() + "\n"]
)
def test_a_master_key_is_32_bytes_in_hexadecimal_or_base64(text: str) -> None:
    assert read_master_key(text) == MASTER


@pytest.mark.parametrize("text", ["", "short", "x" * 64, MASTER.hex()[:-2], base64.b64encode(bytes(16)).decode()])
def test_any_other_master_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match="openssl rand") as caught:
        read_master_key(text)
    assert not text or text not in str(caught.value)


def test_the_master_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "master-key"
    first = kept_master_key(path)
    assert kept_master_key(path) == first
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == ["master-key"]


def test_processes_that_start_together_agree_on_one_master_key(tmp_path: Path) -> None:
    path, found = tmp_path / "master-key", set[bytes]()
    start = threading.Barrier(8)

    def make() -> None:
        start.wait()
        found.add(kept_master_key(path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1


def test_a_master_key_that_others_can_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "master-key"
    path.write_text(secrets.token_hex(32))
    path.chmod(0o644)
    kept_master_key(path)
    err = capsys.readouterr().err
    assert "0600" in err
    assert path.read_text() not in err


def test_a_master_key_that_cannot_be_read_stops_with_a_word_about_it(tmp_path: Path) -> None:
    (tmp_path / "master-key").mkdir()
    with pytest.raises(ConfigError, match="master key"):
        kept_master_key(tmp_path / "master-key")


def test_a_file_system_without_links_keeps_a_master_key_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: object, target: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.link", link)
    path = tmp_path / "master-key"
    assert kept_master_key(path) == kept_master_key(path)
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in tmp_path.iterdir()] == ["master-key"]
