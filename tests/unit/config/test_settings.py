"""Where settings come from, and in which order."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cryptotrader.config import REDACTOR
from cryptotrader.config.settings import load_settings
from cryptotrader.core.errors import ConfigError


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("HTTP_", "BINANCE_", "CRYPTOTRADER_")) or name in {
            "HOST", "PORT", "MAX_WS_CONNECTIONS", "LOG_LEVEL", "USER_STREAM_MODE",
        }:  # fmt: skip
            monkeypatch.delenv(name)


def test_s0_3_everything_has_the_documented_default() -> None:
    settings = load_settings()
    assert (settings.port, settings.rate_limit, settings.max_ws_connections) == (3000, 100, 50)
    assert settings.host == "127.0.0.1"  # C-18
    assert settings.venue == "paper"


def test_s0_1_s0_2_s0_3_s0_5_the_documented_names_take_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "HTTP_BEARER_TOKEN": "token-one, token-two",
        "BINANCE_API_KEY": "made-up-key",
        "BINANCE_API_SECRET": "made-up-secret",
        "HTTP_HOST": "0.0.0.0",
        "HTTP_PORT": "3333",
        "HTTP_RATE_LIMIT": "7",
        "MAX_WS_CONNECTIONS": "100",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert [token.get_secret_value() for token in settings.bearer_tokens] == ["token-one", "token-two"]
    assert settings.binance_api_key is not None
    assert settings.binance_api_secret is not None
    assert settings.binance_api_secret.get_secret_value() == "made-up-secret"
    assert (settings.host, settings.port) == ("0.0.0.0", 3333)
    assert (settings.rate_limit, settings.max_ws_connections) == (7, 100)
    assert not settings.is_loopback


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("BINANCE_SECRET_KEY", "binance_api_secret", "made-up-secret"),
        ("HTTP_MAX_WEBSOCKET_CONNECTIONS", "max_ws_connections", "9"),
        ("PORT", "port", "9"),
        ("HOST", "host", "::1"),
        ("CRYPTOTRADER_EXCHANGE_PORT", "exchange_port", "9"),
    ],
)
def test_c_19_other_names_of_the_same_setting_are_understood(
    monkeypatch: pytest.MonkeyPatch, name: str, field: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    got = getattr(load_settings(), field)
    assert str(got.get_secret_value() if hasattr(got, "get_secret_value") else got) == value


def test_flag_beats_environment_beats_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('port = 1\nexchange_port = 1\nlog_level = "DEBUG"\n')
    monkeypatch.setenv("HTTP_PORT", "2")
    monkeypatch.setenv("CRYPTOTRADER_EXCHANGE_PORT", "2")
    settings = load_settings({"port": 3, "host": None}, config_file=file)
    assert (settings.port, settings.exchange_port, settings.log_level) == (3, 2, "DEBUG")


def test_a_secret_can_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("made-up-secret\n")
    monkeypatch.setenv("BINANCE_API_SECRET_FILE", str(file))
    secret = load_settings().binance_api_secret
    assert secret is not None
    assert secret.get_secret_value() == "made-up-secret"


def test_a_wrong_value_is_named_and_its_text_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PORT", "hunter2-as-port")
    with pytest.raises(ConfigError, match="HTTP_PORT") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_an_unknown_key_in_the_file_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("prot = 1\n")
    with pytest.raises(ConfigError, match="prot"):
        load_settings(config_file=file)


def test_secrets_do_not_show_in_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_BEARER_TOKEN", "made-up-token-123")
    assert "made-up-token-123" not in repr(load_settings())


def test_orders_with_real_money_need_their_own_switch() -> None:
    assert load_settings().may_trade
    assert not load_settings({"venue": "binance"}).may_trade
    assert load_settings({"venue": "binance", "live_trading": True}).may_trade
    assert load_settings({"venue": "binance-testnet"}).mode == "testnet"


@pytest.mark.parametrize("venue", ["paper", "binance-testnet"])
@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("https://api.binance.com", "live"),
        ("https://API4.Binance.com.:443", "live"),
        ("https://api.binance.us", "live"),
        ("https://my-proxy.example.com", "live"),
        ("https://8.8.8.8", "live"),
        ("https://notbinance.vision", "live"),
        ("http://127.0.0.1:3100", ""),
        ("http://[::1]:3100", ""),
        ("http://10.0.0.7:3100", ""),
        ("http://exchange:3100", ""),
        ("http://desk.local:3100", ""),
        ("https://testnet.binance.vision", ""),
    ],
)
def test_an_address_with_real_money_needs_the_switch_whatever_the_venue_is_called(
    venue: str, url: str, mode: str
) -> None:
    """Live trading has its own switch: an address must not slip past it under the name of paper."""
    named = {"paper": "paper", "binance-testnet": "testnet"}[venue]
    settings = load_settings({"venue": venue, "binance_rest_url": url})
    assert settings.mode == (mode or named)
    assert settings.may_trade is (mode != "live")
    assert load_settings({"venue": venue, "binance_rest_url": url, "live_trading": True}).may_trade


def test_the_address_of_the_websocket_api_counts_too() -> None:
    url = "wss://ws-api.binance.com:443/ws-api/v3"
    assert not load_settings({"binance_ws_api_url": url}).may_trade


ALICE = {"api_key": "made-up-key-of-alice", "api_secret": "made-up-secret-of-alice"}


def test_further_accounts_come_from_the_environment_or_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C-3, C-25: as JSON, as TOML tables, each secret also by the path of a file."""
    secret = tmp_path / "secret"
    secret.write_text("made-up-secret-of-bob\n")
    file = tmp_path / "settings.toml"
    file.write_text(f'[accounts.bob]\napi_key = "made-up-key-of-bob"\napi_secret_file = "{secret}"\n')
    bob = load_settings(config_file=file).accounts["bob"]
    assert bob.api_secret is not None
    assert bob.api_secret.get_secret_value() == "made-up-secret-of-bob"
    monkeypatch.setenv("CRYPTOTRADER_ACCOUNTS", json.dumps({"alice": ALICE}))
    settings = load_settings(config_file=file)
    assert list(settings.accounts) == ["alice"]
    whole = tmp_path / "accounts.json"
    whole.write_text(json.dumps({"carol": ALICE}))
    monkeypatch.delenv("CRYPTOTRADER_ACCOUNTS")
    monkeypatch.setenv("CRYPTOTRADER_ACCOUNTS_FILE", str(whole))
    assert list(load_settings().accounts) == ["carol"]
    for text in (repr(settings), str(bob), str(load_settings())):
        assert "made-up" not in text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{made-up-secret", "ACCOUNTS: .*JSON"),
        ("[]", "ACCOUNTS"),
        ('{"alice": "made-up-secret"}', "alice"),
        ('{"alice": {"api_key": "made-up-secret"}}', "api_secret or private_key"),
        ('{"alice": {"api_key": "k", "api_secret": "made-up-secret", "private_key": "made-up-secret"}}', "not both"),
        ('{"alice": {"api_key": "k", "api_secret": "made-up-secret", "secret": "made-up-secret"}}', "secret"),
        ('{"alice": {"api_key": "k", "api_secret_file": "/nowhere/made-up"}}', "api_secret_file"),
        ('{"default": {"api_key": "k", "api_secret": "made-up-secret"}}', "BINANCE_API_KEY"),
        ('{"no blanks": {"api_key": "k", "api_secret": "made-up-secret"}}', "letters"),
    ],
)
def test_wrong_accounts_are_named_without_their_secrets(monkeypatch: pytest.MonkeyPatch, text: str, names: str) -> None:
    monkeypatch.setenv("CRYPTOTRADER_ACCOUNTS", text)
    with pytest.raises(ConfigError, match=names) as caught:
        load_settings()
    assert "made-up-secret" not in str(caught.value)


def test_secrets_of_accounts_and_the_master_key_never_reach_a_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """S0-63."""
    monkeypatch.setenv("CRYPTOTRADER_ACCOUNTS", json.dumps({"alice": ALICE}))
    path = tmp_path / "master"
    path.write_text("made-up-master-key\n")
    monkeypatch.setenv("CRYPTOTRADER_MASTER_KEY_FILE", str(path))
    settings = load_settings()
    assert settings.master_key is not None
    assert settings.master_key.get_secret_value() == "made-up-master-key"
    assert REDACTOR.clean("made-up-master-key made-up-secret-of-alice made-up-key-of-alice") == "*** *** ***"
