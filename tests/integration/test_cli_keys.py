"""``cryptotrader keys`` as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cryptotrader.sessions.keys import KeyFile, KeyKind, KeyLimits, Vault
from tests.support.keys import KeyPair

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def keys(tmp_path: Path) -> Command:
    """Runs ``cryptotrader keys`` on a data folder of this test."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CRYPTOTRADER_")}

    def run(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cryptotrader", "keys", *args, "--data-dir", str(tmp_path)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env={**clean, **env}, cwd=tmp_path
        )

    return run


def test_every_option_of_a_key_is_kept_and_shown(keys: Command, tmp_path: Path) -> None:
    """C-3."""
    made = keys(
        "create", "--name", "bot", "--scopes", "read,trade", "--account", "alice", "--ip", "10.0.0.0/8", "--ip", "::1",
        "--expires", "2099-01-31T12:00Z", "--requests-per-minute", "5", "--connections", "2", "--subscriptions", "3",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    secret = made.stdout.split("secret")[1].split()[0]
    (stored,) = KeyFile(tmp_path / "keys.json").read()
    assert (stored.account, stored.addresses, stored.limits) == ("alice", ("10.0.0.0/8", "::1"), KeyLimits(5, 2, 3))
    (row,) = json.loads(keys("list", "--json").stdout)
    assert (row["expires"], row["ip"]) == ("2099-01-31T12:00:00+00:00", ["10.0.0.0/8", "::1"])
    assert row["limits"] == {"requests_per_minute": 5, "connections": 2, "subscriptions": 3}
    assert (row["type"], row["state"], row["can_log_in"]) == ("hmac", "active", True)
    text = keys("list").stdout
    for part in (stored.id, "alice", "read,trade", "10.0.0.0/8", "2099-01-31", "connections=2"):
        assert part in text
    assert secret not in text


def test_of_an_ed25519_pair_only_the_public_half_is_given(keys: Command, tmp_path: Path) -> None:
    pair = KeyPair()
    (tmp_path / "bot.pub").write_text(pair.public)
    made = keys("create", "--name", "bot", "--type", "ed25519", "--public-key", "bot.pub", "--json")
    assert set(json.loads(made.stdout)) == {"key"}
    (stored,) = KeyFile(tmp_path / "keys.json").read()
    assert (stored.kind, stored.public_key) == (KeyKind.ED25519, pair.public)
    assert not (tmp_path / "master-key").exists()


def test_the_master_key_of_the_environment_is_used(keys: Command, tmp_path: Path) -> None:
    master = bytes(range(32))
    made = json.loads(keys("create", "--name", "bot", "--json", CRYPTOTRADER_MASTER_KEY=master.hex()).stdout)
    file = KeyFile(tmp_path / "keys.json", Vault(lambda: master))
    assert [file.material(stored) for stored in file.read()] == [made["secret"]]
    assert not (tmp_path / "master-key").exists()
    other = keys("create", "--name", "bot")
    assert other.returncode == 1
    assert "CRYPTOTRADER_MASTER_KEY" in other.stderr


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (("--type", "ed25519"), "--public-key"),
        (("--public-key", "bot.pub"), "--type ed25519"),
        (("--type", "ed25519", "--public-key", "none.pub"), "none.pub"),
        (("--type", "ed25519", "--public-key", "."), "public key"),
        (("--type", "ed25519", "--public-key", "text"), "public key"),
        (("--type", "rsa"), "rsa"),
        (("--ip", "example.org"), "example.org"),
        (("--expires", "soon"), "30d"),
        (("--expires", "2020-01-01"), "expired"),
        (("--expires", "999999d"), "bot"),
        (("--account", "no blanks"), "account"),
        (("--connections", "0"), "connections"),
        (("--scopes", ""), "scope"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(
    keys: Command, tmp_path: Path, args: tuple[str, ...], text: str
) -> None:
    (tmp_path / "text").write_text("not a key")
    made = keys("create", "--name", "bot", *args)
    if text == "bot":  # Far away, and no mistake.
        assert made.returncode == 0, made.stderr
        assert "bot" in keys("list").stdout
        return
    assert made.returncode != 0
    assert text in made.stderr
    assert "Traceback" not in made.stderr
    assert KeyFile(tmp_path / "keys.json").read() == []
