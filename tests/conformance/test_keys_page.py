"""The examples of docs/keys-and-accounts.md, run as they stand."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cryptotrader.config.settings import load_settings
from cryptotrader.core.errors import NotAuthenticated
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.keys import KeyFile, KeyTerms
from tests.conformance.conftest import need

PAGE = Path(__file__).resolve().parents[2] / "docs" / "keys-and-accounts.md"


def block(language: str, containing: str) -> str:
    """The one example in a language that holds some text."""
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    (text,) = [text for text in found if containing in text]
    return str(text)


def by_python(key: str, secret: str) -> str:
    namespace: dict[str, Callable[[str, str], str]] = {}
    exec(block("python", "def login"), namespace)
    return namespace["login"](key, secret)


def by_shell(key: str, secret: str) -> str:
    for name in ("bash", "openssl", "sed", "date"):
        need(name)
    return run(["bash", "-c", block("bash", "-hmac")], key, secret)


def by_node(key: str, secret: str) -> str:
    need("node")
    return run(["node", "-e", block("javascript", "createHmac")], key, secret)


def run(command: list[str], key: str = "", secret: str = "", *, folder: Path | None = None) -> str:
    env = {**os.environ, "KEY": key, "SECRET": secret}
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, env=env, cwd=folder).stdout


@pytest.mark.parametrize("make", [by_python, by_shell, by_node])
def test_s1_2_every_example_of_a_login_is_accepted_once(tmp_path: Path, make: Callable[[str, str], str]) -> None:
    """C-4."""
    keys = KeyFile(tmp_path / "keys.json")
    new = keys.create("bot", ["read"], now_ms=1)
    message = json.loads(make(new.key, new.secret))
    assert message.pop("action") == "authenticate"
    authenticator = Authenticator([], keys)
    login = (message["api_key"], message["timestamp"], message["signature"])
    now_ms = time.time_ns() // 1_000_000
    assert authenticator.login(*login, now_ms=now_ms).name == "bot"
    with pytest.raises(NotAuthenticated):
        authenticator.login(*login, now_ms=now_ms)


def test_c_4_a_pair_made_by_the_examples_logs_in(tmp_path: Path) -> None:
    need("bash")
    need("openssl")
    make, public, _ = block("bash", "genpkey").splitlines()
    run(["bash", "-c", f"{make} && {public}"], folder=tmp_path)
    keys = KeyFile(tmp_path / "keys.json")
    terms = KeyTerms(public_key=(tmp_path / "bot.pub").read_text())
    new = keys.create("bot", ["read"], now_ms=1, terms=terms)
    now_ms = time.time_ns() // 1_000_000
    (tmp_path / "text").write_text(f"GET\n/ws\n{now_ms}\n")
    sign = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "bot.pem", "-in", "text", "-out", "signature"]
    run(sign, folder=tmp_path)
    signature = base64.b64encode((tmp_path / "signature").read_bytes()).decode()
    assert Authenticator([], keys).login(new.key, now_ms, signature, now_ms=now_ms).name == "bot"


def test_the_example_of_an_account_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("made-up-secret-of-this-test")
    file = tmp_path / "settings.toml"
    file.write_text(block("toml", "accounts.alice").replace("/run/secrets/alice", str(secret)))
    alice = load_settings(config_file=file).accounts["alice"]
    assert alice.api_secret is not None
    assert alice.api_secret.get_secret_value() == "made-up-secret-of-this-test"


def test_every_option_of_keys_create_stands_on_the_page() -> None:
    listed = run([sys.executable, "-m", "cryptotrader", "keys", "create", "--help"])
    options = set(re.findall(r"--[a-z-]+", listed)) - {"--help", "--data-dir", "--name"}
    assert {option for option in options if option not in PAGE.read_text("utf-8")} == set()
