"""The command line as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import websocket

from tests.support.process import Server, hang_up, running_server


def command(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cryptotrader", *args],
        capture_output=True, text=True, timeout=60, check=False, env=env,
    )  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    with running_server(data) as running:
        yield running


def test_a_created_key_works_at_once_and_a_revoked_one_ends_its_streams(server: Server, data: Path) -> None:
    """S0-1, C-3: scopes hold, the secret is shown once, open streams of a revoked key are closed with 1008."""
    made = command("keys", "create", "--name", "reader", "--scopes", "read", "--json", "--data-dir", str(data))
    key = json.loads(made.stdout)
    assert set(key) == {"key", "secret"}

    def status(path: str) -> int:
        return server.get(path, token=key["secret"]).status_code

    assert status("/api/v1/account") == 200
    body = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
    assert server.call("POST", "/api/v1/order", token=key["secret"], json=body).status_code == 403

    stream = websocket.create_connection(
        server.ws + "/ws/ticker/btcusdt", header={"Authorization": f"Bearer {key['secret']}"}, timeout=20
    )
    stream.recv()
    listed = command("keys", "list", "--json", "--data-dir", str(data))
    assert key["secret"] not in listed.stdout
    assert json.loads(listed.stdout)[0]["state"] == "active"
    assert command("keys", "revoke", "reader", "--data-dir", str(data)).returncode == 0
    opcode = data_of_close = None
    while opcode != websocket.ABNF.OPCODE_CLOSE:
        opcode, data_of_close = stream.recv_data()
    hang_up(stream)
    assert int.from_bytes((data_of_close or b"")[:2], "big") == 1008
    assert status("/api/v1/account") == 401
    assert key["secret"] not in server.log


def test_doctor_finds_everything_well(server: Server) -> None:
    """Clock, reachability, first message, credentials: each with a plain verdict."""
    exchange = server.wait_for_line(r"Paper exchange +http://127\.0\.0\.1:(\d+)").group(1)
    port = server.host.rsplit(":", 1)[1]
    done = command("doctor", "--port", port, "--exchange-port", exchange, "--json")
    verdicts = {verdict["check"]: verdict for verdict in json.loads(done.stdout)}
    assert set(verdicts) == {"settings", "rest", "clock", "streams", "websocket api", "credentials", "gateway"}
    assert all(verdict["ok"] for verdict in verdicts.values()), verdicts
    assert done.returncode == 0


def test_doctor_says_what_is_wrong_and_what_to_do() -> None:
    done = command("doctor", "--port", "1", "--exchange-port", "1")
    assert done.returncode == 1
    assert "FAIL  rest" in done.stdout
    assert "cryptotrader exchange" in done.stdout
    assert "Traceback" not in done.stderr


def test_doctor_tells_a_bad_key_from_a_bad_network(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = server.wait_for_line(r"Paper exchange +http://127\.0\.0\.1:(\d+)").group(1)
    monkeypatch.setenv("BINANCE_API_KEY", "made-up-key")
    monkeypatch.setenv("BINANCE_API_SECRET", "made-up-secret")
    done = command("doctor", "--port", server.host.rsplit(":", 1)[1], "--exchange-port", exchange, "--json")
    failed = [verdict["check"] for verdict in json.loads(done.stdout) if not verdict["ok"]]
    assert failed == ["credentials"]
    assert "made-up-secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["serve", "--host", "0.0.0.0"], "needs a configured token"),
        (["serve", "--venue", "nowhere"], "venue"),
        (["serve", "--market", "tape:/no/such/file"], "no/such/file"),
        (["serve", "--market", "weather"], "weather"),
        (["exchange", "--port", "99999"], "exchange_port"),
        (["keys", "revoke", "nobody"], "nobody"),
    ],
)
def test_a_start_that_cannot_work_ends_with_one_clear_line(args: list[str], text: str, tmp_path: Path) -> None:
    done = command(*args, "--data-dir", str(tmp_path), *(["--port", "0"] if "serve" in args else []))
    assert done.returncode == 1
    assert text in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("start", [["serve", "--exchange-port", "0"], ["exchange"]])
@pytest.mark.parametrize("inside", ["", "folder"])
def test_an_unusable_data_folder_ends_the_start_with_one_clear_line(
    start: list[str], inside: str, tmp_path: Path
) -> None:
    """Also where a configured token (S0-1) means that no token has to be kept there. A file stands in the way, since
    a test that runs as root may write everywhere."""
    blocked = tmp_path / "a-file"
    blocked.touch()
    env = {**os.environ, "HTTP_BEARER_TOKEN": "configured_token_0001"}
    done = command(*start, "--port", "0", "--data-dir", str(blocked / inside), env=env)
    assert done.returncode == 1
    assert "data folder" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_two_exchanges_never_share_a_data_folder(server: Server, data: Path) -> None:
    """Both would write one journal: ids would be given twice and fills be lost."""
    for start in (["exchange"], ["serve", "--exchange-port", "0"]):
        done = command(*start, "--port", "0", "--data-dir", str(data))
        assert done.returncode == 1
        assert f"another paper exchange uses the data folder {data}" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(server: Server, tmp_path: Path) -> None:
    port = server.host.rsplit(":", 1)[1]
    done = command("serve", "--port", port, "--exchange-port", "0", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_real_money_needs_its_own_switch(server: Server, tmp_path: Path) -> None:
    """The venue of the test is the paper exchange under the name of the real one."""
    exchange = server.wait_for_line(r"Paper exchange +http://(\S+)").group(1)
    args = ["--venue", "binance", "--binance-rest-url", f"http://{exchange}", "--binance-stream-url", f"ws://{exchange}",
            "--binance-ws-api-url", f"ws://{exchange}/ws-api/v3"]  # fmt: skip
    token = "made-up-token-for-live"
    env = {"HTTP_BEARER_TOKEN": token, "BINANCE_API_KEY": "your_binance_api_key",
           "BINANCE_API_SECRET": "your_binance_secret_key"}  # fmt: skip
    body = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
    with running_server(tmp_path / "off", args=args, env=env) as refusing:
        assert refusing.get("/api/v1/account", token=token).status_code == 200
        reply = refusing.call("POST", "/api/v1/order", token=token, json=body)
        assert reply.status_code == 403
        assert "live" in reply.json()["error"].lower()
    with running_server(tmp_path / "on", args=[*args, "--live-trading"], env=env) as trading:
        reply = trading.call("POST", "/api/v1/order", token=token, json=body)
        assert (reply.status_code, reply.headers["X-Trading-Mode"]) == (200, "live")


def test_the_sample_token_does_not_open_a_gateway_to_real_money(tmp_path: Path) -> None:
    with running_server(tmp_path, args=["--venue", "binance", "--binance-rest-url", "http://127.0.0.1:1"]) as server:
        assert requests.get(server.base + "/health", timeout=10).status_code == 200
        assert server.get("/api/v1/account").status_code == 401
