"""``cryptotrader exchange``: still a command of its own, and with subcommands a remote control of a running one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from typer.testing import CliRunner

from cryptotrader.cli.app import app
from cryptotrader.core.clock import NS_PER_MS
from cryptotrader.core.errors import ConfigError
from cryptotrader.net import SystemClock
from cryptotrader.services.binance.signing import Credentials, encode_query
from tests.support.process import Process

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    running = Process(["exchange", "--port", "0", "--latency", "3+1"], data_dir=tmp_path_factory.mktemp("data"))
    try:
        running.wait_for_line(r"Paper exchange +http")
        yield running
    finally:
        assert running.stop() == 0


@pytest.fixture(scope="module")
def url(process: Process) -> str:
    return process.wait_for_line(r"Paper exchange +(http://\S+)").group(1)


@pytest.fixture(scope="module")
def run(url: str) -> Run:
    """Runs a subcommand against the exchange; its JSON, or the problem that it ends with."""

    def run_it(*args: str, fails: bool = False) -> Any:
        result = CliRunner().invoke(app, ["exchange", *args, "--url", url, "--json"])
        if fails:
            assert isinstance(result.exception, ConfigError), result.output
            return result.exception.message
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    return run_it


def account_of(url: str, key: dict[str, str]) -> dict[str, Any]:
    """``/api/v3/account`` as the key's owner sees it."""
    query = encode_query({"timestamp": str(SystemClock().now_ns() // NS_PER_MS)})
    signer = Credentials.of(key["key"], key.get("secret") or key["private_key"]).signer
    signed = f"{query}&{encode_query({'signature': signer.sign(query)})}"
    headers = {"X-MBX-APIKEY": key["key"]}
    answer: dict[str, Any] = requests.get(f"{url}/api/v3/account?{signed}", headers=headers, timeout=10).json()
    return answer


def test_accounts_are_opened_funded_and_reset(url: str, run: Run) -> None:
    made = run("accounts", "create", "bob", "--balance", "usdt=500", "--key", "ed25519", "--taker-bps", "2")
    (key,) = made["keys"]
    assert account_of(url, key)["takerCommission"] == 2
    assert run("accounts", "deposit", "bob", "btc", "1.5")["balances"]["BTC"]["free"] == "1.50000000"
    assert run("accounts", "withdraw", "bob", "BTC", "0.5")["balances"]["BTC"]["free"] == "1.00000000"
    assert "does not have that much" in run("accounts", "withdraw", "bob", "BTC", "2", fails=True)
    reset = run("accounts", "reset", "bob", "--balance", "ETH=3")
    assert reset["balances"]["USDT"]["free"] == "0.00000000"
    assert [each["account"] for each in run("accounts", "list")] == ["default", "bob"]
    assert "exists already" in run("accounts", "create", "bob", fails=True)
    assert "expected ASSET=AMOUNT" in run("accounts", "create", "eve", "--balance", "5", fails=True)
    assert run("accounts", "set", "bob", "--no-can-trade", "--realism", "optimistic")["realism"] == "optimistic"
    assert run("accounts", "fills", "bob", "BTCUSDT") == []
    assert account_of(url, key)["canTrade"] is False


def test_keys_are_made_restricted_and_revoked(url: str, run: Run, tmp_path: Path) -> None:
    made = run("accounts", "keys", "create", "default", "--permission", "USER_DATA", "--name", "reader")
    assert "balances" in account_of(url, made)
    assert run("accounts", "keys", "set", "default", made["key"], "--address", "192.0.2.0/24")["addresses"]
    assert account_of(url, made)["code"] == -2015
    listed = run("accounts", "keys", "list", "default")
    assert made["key"] in [each["key"] for each in listed]
    assert "secret" not in listed[-1]
    assert run("accounts", "keys", "revoke", "default", made["key"]) == {"revoked": made["key"]}
    pem = tmp_path / "key.pem"
    pem.write_text("no key")
    args = ("accounts", "keys", "create", "default", "--kind", "rsa", "--public-key", str(pem))
    assert "public key" in run(*args, fails=True)
    assert "cannot read" in run(*args[:-1], str(tmp_path / "none"), fails=True)


def test_the_market_is_controlled(run: Run) -> None:
    assert {source["kind"] for source in run("market", "status")["sources"]} == {"tape", "synthetic"}
    assert all(source["paused"] for source in run("market", "pause")["sources"])
    run("market", "step", "5", "--symbol", "btcusdt")
    run("market", "play")
    assert run("market", "seek", "60", "--symbol", "BTCUSDT")["sources"][0]["position_s"] >= 59
    assert run("market", "speed", "2.5", "--symbol", "BTCUSDT")["sources"][0]["speed"] == "2.5"
    assert run("market", "seed", "9", "--symbol", "ETHUSDT")["sources"][0]["seed"] == 9
    assert run("market", "latency")["fixed_ms"] == 3
    assert run("market", "latency", "0") == {"fixed_ms": 0, "jitter_ms": 0, "seed": 1}


def test_a_symbol_is_halted_and_trades_again(url: str, run: Run) -> None:
    def status() -> str:
        info = requests.get(f"{url}/api/v3/exchangeInfo?symbol=LTCUSDT", timeout=10).json()
        return str(info["symbols"][0]["status"])

    assert run("market", "halt", "ltcusdt") == {"symbol": "LTCUSDT", "status": "HALT"}
    assert status() == "HALT"
    assert run("market", "resume", "LTCUSDT")["status"] == "TRADING"
    assert status() == "TRADING"
    assert "No such symbol" in run("market", "halt", "NOSUCH", fails=True)


def test_faults_wait_and_are_forgotten(url: str, run: Run, tmp_path: Path) -> None:
    made = run("faults", "add", "error", "--operation", "ping", "--code", "-1001", "--field", "status=503")
    assert requests.get(f"{url}/api/v3/ping", timeout=10).status_code == 503
    run("faults", "add", "stream_drop", "--stream", "trade", "--probability", "0.5")
    assert [each["spec"]["kind"] for each in run("faults", "list")] == ["stream_drop"]
    assert run("faults", "clear")["cleared"] == 1
    assert "refuses" in run("faults", "clear", str(made["id"]), fails=True)
    assert "Not a fault" in run("faults", "add", "nonsense", fails=True)
    rules = tmp_path / "rules.toml"
    rules.write_text('[[fault]]\nkind = "delay"\noperation = "time"\ndelay_ms = 5\n')
    assert len(run("faults", "rules", str(rules))) == 1
    run("faults", "clear")


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """Accounts, keys, deposits and a halted symbol are there again after ``kill -9``."""
    first = Process(["exchange", "--port", "0"], data_dir=tmp_path)
    try:
        url = first.wait_for_line(r"Paper exchange +(http://\S+)").group(1)
        args = ["exchange", "accounts", "create", "dave", "--balance", "USDT=5", "--url", url, "--json"]
        (key,) = json.loads(CliRunner().invoke(app, args).stdout)["keys"]
        CliRunner().invoke(app, ["exchange", "accounts", "deposit", "dave", "BTC", "1", "--url", url])
        CliRunner().invoke(app, ["exchange", "market", "halt", "LTCUSDT", "--url", url])
    finally:
        first.kill()
    second = Process(["exchange", "--port", "0"], data_dir=tmp_path)
    try:
        url = second.wait_for_line(r"Paper exchange +(http://\S+)").group(1)
        held = {each["asset"]: each["free"] for each in account_of(url, key)["balances"]}
        assert held == {"BTC": "1.00000000", "USDT": "5.00000000"}
        info = requests.get(f"{url}/api/v3/exchangeInfo?symbol=LTCUSDT", timeout=10).json()
        assert info["symbols"][0]["status"] == "HALT"
    finally:
        assert second.stop() == 0


def test_words_for_people(url: str) -> None:
    def lines(*args: str) -> str:
        result = CliRunner().invoke(app, ["exchange", *args, "--url", url])
        assert result.exit_code == 0, result.exception
        return result.stdout

    assert "uid 100001  ADA 100000" in lines("accounts", "list")
    assert lines("accounts", "create", "carol", "--balance", "USDT=1").count("secret  ") == 1
    assert "playing  speed" in lines("market", "status")
    lines("faults", "add", "delay", "--operation", "ping", "--delay-ms", "1")
    assert "operation=ping" in lines("faults", "list")
    assert "cleared" in lines("faults", "clear")
    assert "ms each way" in lines("market", "latency")


def test_nobody_there_is_one_clear_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cryptotrader", "exchange", "accounts", "list", "--url", "http://127.0.0.1:1"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "cryptotrader: no paper exchange answers at http://127.0.0.1:1: ConnectError\n"


def test_the_exchange_itself_says_nothing_of_secrets(process: Process, run: Run) -> None:
    made = run("accounts", "create", "mallory", "--key", "rsa", "--key", "hmac")
    for key in made["keys"]:
        secret = key.get("secret") or key["private_key"].splitlines()[1]
        assert secret not in process.text
