"""The diagnostic scripts of the WebSocket API as a user runs them: offline, from the project root."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cryptotrader.exchange.accounts import DEFAULT_ACCOUNT_ID, ApiKey, KeyKind
from cryptotrader.runtime.diagnose import TESTERS
from cryptotrader.services.binance.registry import SPECS
from cryptotrader.services.binance.request import RequestSpec
from cryptotrader.services.binance.websocketAPI import (
    account_requests,
    market_data_requests,
    trading_requests,
    user_data_stream_requests,
)
from tests.support.paper import paper_venue, running_exchange
from tests.support.process import Process

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "cryptotrader.services.binance.websocketAPI.diagnostic_scripts"
FOLDER = "src/" + PACKAGE.replace(".", "/")
BASE = "binance_websocket_diagnostic"
NAMED = {
    BASE: "Base",
    "account_diagnostics/account_requests_diagnostic": "Account",
    "market_diagnostics/order_book_diagnostic": "OrderBook",
    "market_diagnostics/market_data_requests_diagnostic": "MarketData",
    "trading_diagnostics/trading_requests_diagnostic": "Trading",
    "trading_diagnostics/order_list_requests_diagnostic": "OrderList",
    "user_stream_diagnostics/user_data_stream_requests_diagnostic": "UserDataStream",
}
"""Scripts and how their testers are named."""

CATEGORIES = {"Account": account_requests, "Trading": trading_requests, "User Data Stream": user_data_stream_requests}

NOWHERE = "ws://127.0.0.1:1/ws-api/v3"
RUN_TIMEOUT_S = 110.0


def environment() -> dict[str, str]:
    """Without keys and settings of whoever runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("BINANCE_", "CRYPTOTRADER_"))}


def path_of(script: str) -> str:
    return f"{FOLDER}/{script}.py"


def run(script: str, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """As the usage line says."""
    return subprocess.run(
        [sys.executable, path_of(script), *args],
        cwd=ROOT, env=environment() | (env or {}), capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False,
    )  # fmt: skip


def module_of(script: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{script.replace('/', '.')}")


Runs = dict[str, subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def offline() -> Runs:
    """Every script without a flag, two at a time."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(NAMED, pool.map(run, NAMED), strict=True))


@pytest.fixture(scope="module")
def unreachable() -> Runs:
    """Every script against an address where nobody listens; most of the time they wait."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(NAMED, pool.map(lambda script: run(script, "--url", NOWHERE), NAMED), strict=True))


@pytest.fixture(scope="module")
def report() -> dict[str, dict[str, object]]:
    """What ``cryptotrader diagnose --json`` says, by category; run once."""
    done = subprocess.run(
        [sys.executable, "-m", "cryptotrader", "diagnose", "--json"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    return {suite["name"]: suite for suite in answer["suites"]}


@pytest.mark.parametrize("script", NAMED)
def test_s4_20_a_script_has_the_documented_shape(script: str) -> None:
    """S4-4, S4-20: named file, shebang, usage line, colours, path, symbol, helpers, tester."""
    path = ROOT / path_of(script)
    text = path.read_text("utf-8")
    assert text.startswith("#!/usr/bin/env python3\n")
    assert os.access(path, os.X_OK)
    module = module_of(script)
    assert f"    python {path_of(script)}\n" in (module.__doc__ or "")
    assert "init(autoreset=True)" in text
    up = 6 if script == BASE else 7
    assert f"sys.path.insert(0, str(Path(__file__).resolve().parents[{up - 1}]))" in text
    assert module.project_root == ROOT / "src"
    assert module.TEST_SYMBOL == "BTCUSDT"
    assert callable(module.print_test_header)
    assert callable(module.print_test_result)
    tester = getattr(module, f"{NAMED[script]}RequestsTester")
    assert tester.__doc__
    assert tester in TESTERS


@pytest.mark.parametrize("script", NAMED)
def test_s4_21_a_script_passes_offline_and_sums_up(script: str, offline: Runs) -> None:
    """S4-20 to S4-22: banner, every test with a headline and a tick, a summary, exit code 0; no key, no network."""
    done = offline[script]
    assert done.returncode == 0, done.stdout + done.stderr
    head = done.stdout.splitlines()[:4]
    assert re.fullmatch(r"=== Binance .* Diagnostic ===", head[0])
    assert head[1].startswith("Current date/time: 20")
    assert head[2].startswith(f"Python version: {sys.version.split()[0]}")
    assert head[3] == f"Project root: {ROOT / 'src'}"
    body, summary = done.stdout.split("=== Summary ===")
    ran = re.findall(r"^Test: (.+)$", body, re.M)
    assert len(ran) > 5
    assert "✗" not in done.stdout
    # The paper exchange has everything, so nothing is passed over.
    assert body.count("✓ Test passed") == len(ran)
    for name in ran:
        assert re.search(rf"^✓ .+: {re.escape(name)}$", summary, re.M), name
    passed = re.search(r"^(\d+) passed, 0 failed$", summary, re.M)
    assert passed is not None
    assert int(passed.group(1)) == len(ran)
    assert "Traceback" not in done.stderr


def test_a_script_runs_as_a_module_too() -> None:
    """S4-20: from any folder, where the package is installed."""
    done = subprocess.run(
        [sys.executable, "-m", f"{PACKAGE}.market_diagnostics.order_book_diagnostic", "--url", NOWHERE],
        cwd="/", env=environment() | {"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "=== Summary ===" in done.stdout


@pytest.mark.parametrize("script", NAMED)
def test_s4_22_a_venue_that_cannot_be_reached_fails_in_plain_words(script: str, unreachable: Runs) -> None:
    """S4-21, S4-22: the exit code is not 0, the summary names what failed and what was not run, no traceback."""
    done = unreachable[script]
    assert done.returncode == 1
    assert f"Test: Connection to {NOWHERE}" in done.stdout
    assert "✗ Test failed" in done.stdout
    assert re.search(r"^0 passed, 1 failed, \d+ not run", done.stdout, re.M)
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--url", "http://127.0.0.1:1"], "must begin with ws://"),
        (["--orders"], "--orders belongs to --url"),
        (["--orders", "--url", "wss://ws-api.binance.com:443/ws-api/v3"], "real money"),
    ],
)
def test_s4_21_a_run_that_cannot_begin_says_why(args: list[str], text: str) -> None:
    """S4-21: a fatal error is told, and orders with real money are not even offered."""
    done = run(BASE, *args)
    assert done.returncode == 1
    assert "Fatal error in diagnostic: " in done.stdout
    assert text in done.stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_s4_21_a_signal_ends_a_run_tidily(number: signal.Signals, code: int) -> None:
    """S4-21: the message, the summary of what was done, the embedded exchange gone, an exit code as shells have it."""
    running = subprocess.Popen(
        [sys.executable, "-u", path_of("trading_diagnostics/trading_requests_diagnostic")],
        cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    guard = threading.Timer(RUN_TIMEOUT_S, running.kill)
    guard.start()
    try:
        assert running.stdout is not None
        lines: list[str] = []
        for line in running.stdout:
            lines.append(line)
            if line.startswith("Test: "):
                break
        running.send_signal(number)
        text = "".join(lines) + running.stdout.read()
        assert running.wait(RUN_TIMEOUT_S) == code
    finally:
        guard.cancel()
        if running.poll() is None:
            running.kill()
            running.wait()
        if running.stdout is not None:
            running.stdout.close()
    assert "Diagnostic interrupted by user" in text
    assert "=== Summary ===" in text
    assert " not run" in text
    assert "Traceback" not in text
    port = re.search(r"started for this run at http://127\.0\.0\.1:(\d+)", text)
    assert port is not None
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port.group(1)))) != 0


def test_s4_20_a_terminal_gets_colours_and_a_pipe_does_not(unreachable: Runs) -> None:
    """S4-20, S4-21: headers in cyan, crosses in red, ticks in green; a file or a pipe gets plain text."""
    script = "market_diagnostics/order_book_diagnostic"
    assert "\x1b[" not in unreachable[script].stdout
    text = _on_a_terminal(script, "--url", NOWHERE)
    assert "\x1b[36m" in text
    assert "\x1b[31m✗ Test failed" in text


def test_s4_21_ctrl_c_on_a_terminal_is_told_in_yellow() -> None:
    """S4-21: the message of an interruption is yellow."""
    text = _on_a_terminal("market_diagnostics/order_book_diagnostic", interrupt_at="Venue:")
    assert "\x1b[33mDiagnostic interrupted by user" in text


def _on_a_terminal(script: str, *args: str, interrupt_at: str | None = None) -> str:
    """What a script prints where its output is a terminal."""
    master, slave = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, path_of(script), *args], cwd=ROOT, env=environment(), stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    data = b""
    deadline = time.monotonic() + RUN_TIMEOUT_S
    try:
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 1.0)[0]:
                continue
            try:
                chunk = os.read(master, 65_536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            data += chunk
            if interrupt_at is not None and interrupt_at.encode() in data:
                running.send_signal(signal.SIGINT)
                interrupt_at = None
        running.wait(RUN_TIMEOUT_S)
    finally:
        if running.poll() is None:
            running.kill()
            running.wait()
        os.close(master)
    return data.decode()


def test_s4_22_every_request_of_the_registry_was_sent_and_answered(report: dict[str, dict[str, object]]) -> None:
    """S4-4, S4-22: the diagnostics really send every method that the product knows, through its own module."""
    sent = {method for suite in report.values() for method in _texts(suite["requests"])}
    assert sent == {spec.method for spec in SPECS if spec.method}


@pytest.mark.parametrize("category", CATEGORIES)
def test_s4_22_a_script_covers_its_category(category: str, report: dict[str, dict[str, object]]) -> None:
    """S4-4, S4-22: each category of requests is covered by the script that mirrors it."""
    assert _methods(CATEGORIES[category]) <= set(_texts(report[category]["requests"]))


def test_s4_22_market_data_is_covered_by_its_two_scripts(report: dict[str, dict[str, object]]) -> None:
    """S4-4, S4-22: the order book has a script of its own, the other market requests share one."""
    sent = set(_texts(report["Order Book"]["requests"])) | set(_texts(report["Market Data"]["requests"]))
    assert _methods(market_data_requests) <= sent


def test_s4_23_the_latency_beside_rest_is_told(report: dict[str, dict[str, object]]) -> None:
    """S4-23: the same request over both APIs, in numbers; which one is faster is for the reader to see."""
    rows = [row for suite in report.values() for row in _rows(suite["latencies"])]
    assert {row["method"] for row in rows} >= {"ping", "depth", "ticker.price", "account.status", "order.test"}
    for row in rows:
        assert float(str(row["websocket_median_ms"])) > 0
        assert float(str(row["rest_median_ms"])) > 0


def test_diagnose_names_a_wrong_choice_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cryptotrader", "diagnose", "--live", "--testnet"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.strip() == "cryptotrader: give one of --testnet, --live and --url"


def test_diagnose_tells_a_program_that_something_failed() -> None:
    """S4-22: the exit code and the JSON both say so."""
    done = subprocess.run(
        [sys.executable, "-m", "cryptotrader", "diagnose", "--json", "--url", NOWHERE],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    outcomes = {test["outcome"] for suite in answer["suites"] for test in suite["tests"]}
    assert outcomes == {"failed", "not run"}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a paper exchange that is not the diagnostic's own."""
    process = Process(["exchange", "--port", "0"], data_dir=tmp_path_factory.mktemp("data"))
    try:
        yield process.wait_for_line(r"Paper exchange +http://(\S+)").group(1)
    finally:
        process.stop()


KEYS = {"BINANCE_API_KEY": "your_binance_api_key", "BINANCE_API_SECRET": "your_binance_secret_key"}


def test_a_strange_address_gets_no_order_unless_asked_for(exchange: str) -> None:
    """S4-22: whatever is at an address may be real; orders are placed there only with ``--orders``."""
    script = "trading_diagnostics/trading_requests_diagnostic"
    done = run(script, "--url", f"ws://{exchange}/ws-api/v3", env=KEYS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it would place or change orders" in done.stdout
    assert re.search(r"^✓ Trading: Test an order", done.stdout, re.M)
    history = run("account_diagnostics/account_requests_diagnostic", "--url", f"ws://{exchange}/ws-api/v3", env=KEYS)
    assert re.search(
        r"^Test: Order history \(allOrders\): oldest first\n✓ Test passed\n  0 orders$", history.stdout, re.M
    )
    done = run(script, "--orders", "--url", f"ws://{exchange}/ws-api/v3", env=KEYS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^✓ Trading: Place \(order.place\) and cancel", done.stdout, re.M)


def test_without_a_key_what_needs_one_is_passed_over(exchange: str) -> None:
    """S4-22: market data needs no key; the rest is not a failure but says what it needs."""
    done = run("account_diagnostics/account_requests_diagnostic", "--url", f"ws://{exchange}/ws-api/v3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it needs a key: set BINANCE_API_KEY" in done.stdout
    assert KEYS["BINANCE_API_SECRET"] not in done.stdout + done.stderr


def test_a_key_that_is_not_accepted_fails_without_showing_it(exchange: str) -> None:
    """S4-22: the venue's refusal is told; the secret is not."""
    env = {**KEYS, "BINANCE_API_SECRET": "made-up-secret-of-nobody"}
    done = run("account_diagnostics/account_requests_diagnostic", "--url", f"ws://{exchange}/ws-api/v3", env=env)
    assert done.returncode == 1
    assert "-1022" in done.stdout
    assert "made-up-secret-of-nobody" not in done.stdout + done.stderr


async def test_s4_22_a_key_that_can_log_on_is_tried_with_sessions() -> None:
    """S4-22: with an Ed25519 key the sessions are really begun, used and ended."""
    private = Ed25519PrivateKey.generate()
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    key = ApiKey(id="ed25519-key", account=DEFAULT_ACCOUNT_ID, kind=KeyKind.ED25519, secret=public)
    env = {"BINANCE_API_KEY": key.id, "BINANCE_PRIVATE_KEY": secret}
    async with running_exchange(paper_venue(keys=[key])) as server:
        url = f"ws://127.0.0.1:{server.port}/ws-api/v3"
        base = await asyncio.to_thread(run, BASE, "--url", url, env=env)
        assert base.returncode == 0, base.stdout + base.stderr
        assert "  logged on and out\n" in base.stdout
        script = "user_stream_diagnostics/user_data_stream_requests_diagnostic"
        stream = await asyncio.to_thread(run, script, "--orders", "--url", url, env=env)
        assert stream.returncode == 0, stream.stdout + stream.stderr
        assert "began with the session" in stream.stdout


def _methods(category: ModuleType) -> set[str]:
    specs = [getattr(getattr(category, name), "SPEC", None) for name in category.__all__]
    return {spec.method for spec in specs if isinstance(spec, RequestSpec)}


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return [str(item) for item in value]


def _rows(value: object) -> list[dict[str, object]]:
    assert isinstance(value, list)
    return value
