"""The wscat, Python and JavaScript samples of source 0 against a running server."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from tests.conformance.conftest import need
from tests.support.process import TOKEN, Server, hang_up, running_server

WAIT_S = 25.0


class Sample:
    """A shell pipeline that is still running, and the lines it has printed."""

    def __init__(self, server: Server, node_modules: Path, script: str) -> None:
        script = script.replace("ws://localhost:3000", server.ws).replace("http://localhost:3000", server.base)
        env = {**os.environ, "PATH": f"{node_modules / '.bin'}:{os.environ['PATH']}"}
        # A terminal keeps wscat's standard input open; here an open pipe does.
        self.process = subprocess.Popen(
            ["bash", "-c", script],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.lines: list[str] = []
        self._new = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._new:
                self.lines.append(line.rstrip("\n"))
                self._new.notify_all()

    def wait(self, check: Callable[[list[str]], object]) -> list[str]:
        """The lines, once they satisfy ``check``."""
        with self._new:
            assert self._new.wait_for(lambda: check(self.lines), WAIT_S), self.lines[-20:]
            return list(self.lines)

    def stop(self) -> None:
        os.killpg(self.process.pid, 15)
        self.process.wait(10)
        self._reader.join(10)
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


@contextmanager
def sample(server: Server, node_modules: Path, script: str) -> Iterator[Sample]:
    """Run a sample for the length of a block."""
    running = Sample(server, node_modules, script)
    try:
        yield running
    finally:
        running.stop()


def wscat(path: str) -> str:
    return f"wscat -c 'ws://localhost:3000{path}' -H \"Authorization: Bearer test_token_123\""


def objects(lines: list[str]) -> list[dict[str, Any]]:
    """The JSON messages among the lines; wscat prints a prompt before some."""
    return [json.loads(match) for line in lines for match in re.findall(r"\{.*\}", line)]


def place(server: Server, body: dict[str, str]) -> dict[str, Any]:
    reply = server.call("POST", "/api/v1/order", json=body)
    assert reply.status_code == 200, reply.text
    order: dict[str, Any] = reply.json()
    return order


def test_scenario_4_1_ticker_stream(server: Server, node_modules: Path) -> None:
    """S0-40, S0-49: newest at once, then about one a second, thirteen documented keys, one object a frame."""
    with sample(server, node_modules, wscat("/ws/ticker/btcusdt")) as running:
        rows = objects(running.wait(lambda lines: len(objects(lines)) >= 3))
    for row in rows:
        assert (row["e"], row["s"]) == ("24hrTicker", "BTCUSDT")
        assert isinstance(row["E"], int)
        for name in "pPwcQohlvq":
            assert isinstance(row[name], str), name
            float(row[name])
    assert [row["E"] for row in rows] == sorted(row["E"] for row in rows)


def test_scenario_4_2_price_with_jq(server: Server, node_modules: Path) -> None:
    """S0-40: ``45000.00 @ 2025-01-01T00:00:00Z``. The document's ``todate`` needs whole seconds in jq 1.6."""
    need("jq")
    script = wscat("/ws/ticker/btcusdt") + " | jq --unbuffered -r '.c + \" @ \" + (.E/1000|floor|todate)'"
    with sample(server, node_modules, script) as running:
        lines = running.wait(lambda lines: len(lines) >= 2)
    assert all(re.fullmatch(r"\d+\.\d+ @ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line) for line in lines)


def test_scenario_4_3_price_alert(server: Server, node_modules: Path) -> None:
    """S0-40: the script's arithmetic works on our messages. The threshold is lowered so that it fires."""
    need("jq")
    need("bc")
    script = f"""
LAST_PRICE=1
{wscat("/ws/ticker/btcusdt")} | jq --unbuffered -r '.c' | while read PRICE; do
    if [ "$LAST_PRICE" != "0" ]; then
      CHANGE=$(echo "scale=2; ($PRICE - $LAST_PRICE) / $LAST_PRICE * 100" | bc)
      if (( $(echo "$CHANGE > 1 || $CHANGE < -1" | bc -l) )); then
        echo "ALERT: Price changed by ${{CHANGE}}%"
      fi
    fi
    LAST_PRICE=$PRICE
  done
"""
    with sample(server, node_modules, script) as running:
        (line, *_) = running.wait(bool)
    assert re.fullmatch(r"ALERT: Price changed by [\d.]+%", line)


def test_scenario_4_4_reconnection(server: Server, node_modules: Path) -> None:
    """S0-44: after a drop the client connects again and data goes on."""
    last = 0
    for _ in range(2):
        with sample(server, node_modules, wscat("/ws/ticker/btcusdt")) as running:
            row = objects(running.wait(lambda lines: objects(lines)))[0]
        assert row["E"] >= last
        last = row["E"]


def test_scenario_5_1_depth_stream(server: Server, node_modules: Path) -> None:
    """S0-41, S0-43: numbered without holes."""
    with sample(server, node_modules, wscat("/ws/depth/btcusdt")) as running:
        rows = objects(running.wait(lambda lines: len(lines) >= 20))
    assert {(row["e"], row["s"]) for row in rows} == {("depthUpdate", "BTCUSDT")}
    for before, after in itertools.pairwise(rows):
        assert after["U"] == before["u"] + 1
        assert after["u"] >= after["U"]
    for row in rows:
        assert all(isinstance(price, str) and isinstance(qty, str) for price, qty in row["b"] + row["a"])


def test_scenarios_5_2_and_5_3_best_levels_and_spread(server: Server, node_modules: Path) -> None:
    """S0-42: ``b[0]`` and ``a[0]`` of every message are the best levels, so the spread is positive."""
    need("jq")
    script = wscat("/ws/depth/btcusdt") + " | jq --unbuffered -r '(.a[0][0] | tonumber) - (.b[0][0] | tonumber)'"
    with sample(server, node_modules, script) as running:
        lines = running.wait(lambda lines: len(lines) >= 20)
    assert all(float(line) > 0 for line in lines)
    script = wscat("/ws/depth/btcusdt") + " | jq --unbuffered -r '.b[0][0] + \" / \" + .a[0][0]'"
    with sample(server, node_modules, script) as running:
        lines = running.wait(lambda lines: len(lines) >= 5)
    assert all(re.fullmatch(r"\d+\.\d+ / \d+\.\d+", line) for line in lines)


def test_scenario_6_1_to_6_4_user_stream(server: Server, node_modules: Path) -> None:
    """S0-45 to S0-48: an order placed elsewhere shows up as execution reports and balances, without polling."""
    with sample(server, node_modules, wscat("/ws/user")) as running:
        server.wait_for_line(r"WebSocket connected: /ws/user - client_id=\S+")
        order = place(server, {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"})

        def done(lines: list[str]) -> bool:
            rows = objects(lines)
            return any(row.get("X") == "FILLED" and row["i"] == order["orderId"] for row in rows) and any(
                row["e"] == "outboundAccountPosition" for row in rows
            )

        rows = objects(running.wait(done))
    reports = [row for row in rows if row["e"] == "executionReport" and row["i"] == order["orderId"]]
    assert reports[0]["X"] == "NEW"
    assert reports[-1]["X"] == "FILLED"
    for report in reports:
        assert {"e", "E", "s", "c", "S", "o", "q", "p", "x", "X", "i", "z"} <= set(report)
        assert (report["s"], report["S"], report["o"]) == ("BTCUSDT", "BUY", "MARKET")
    (position, *_) = [row for row in rows if row["e"] == "outboundAccountPosition"]
    assert isinstance(position["u"], int)
    for balance in position["B"]:
        assert all(isinstance(balance[name], str) for name in "afl")


def test_scenarios_6_2_and_6_3_jq_filters(server: Server, node_modules: Path) -> None:
    """S0-46, S0-47: the documented filters print what the document shows."""
    need("jq")
    orders = wscat("/ws/user") + (
        ' | jq --unbuffered -r \'select(.e=="executionReport") | .X + " order " + (.i|tostring) + " @ " + .p\''
    )
    balances = wscat("/ws/user") + (
        ' | jq --unbuffered -r \'select(.e=="outboundAccountPosition") | .B[] | select(.a=="USDT") | "USDT: " + .f\''
    )
    before = server.text.count("WebSocket connected: /ws/user")
    with sample(server, node_modules, orders) as left, sample(server, node_modules, balances) as right:
        deadline = threading.Event()
        while server.text.count("WebSocket connected: /ws/user") < before + 2:
            assert not deadline.wait(0.05)
        order = place(
            server,
            {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "45000.00"},
        )
        (line, *_) = left.wait(bool)
        (money, *_) = right.wait(bool)
    assert re.fullmatch(rf"NEW order {order['orderId']} @ 45000\.0+", line)
    assert re.fullmatch(r"USDT: \d+\.\d+", money)


def test_the_51st_connection_is_refused(tmp_path: Path) -> None:
    """S0-53: the handshake answers 503 with the documented body and header; a freed slot can be used again."""
    with running_server(tmp_path, env={"MAX_WS_CONNECTIONS": "50"}) as fresh:
        url, header = fresh.ws + "/ws/ticker/btcusdt", {"Authorization": f"Bearer {TOKEN}"}
        clients = [websocket.create_connection(url, header=header, timeout=10) for _ in range(50)]
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            websocket.create_connection(url, header=header, timeout=10)
        assert caught.value.status_code == 503
        assert (caught.value.resp_headers or {})["retry-after"] == "60"
        assert json.loads(caught.value.resp_body or b"") == {
            "error": "Maximum WebSocket connections reached",
            "status": 503,
        }
        clients.pop().close()
        fresh.wait_for_line(r"WebSocket disconnected: /ws/ticker/btcusdt - duration=\d+s")
        clients.append(websocket.create_connection(url, header=header, timeout=10))
        for client in clients:
            client.close()


def test_the_python_sample(server: Server) -> None:
    """S0-64: ``requests`` and ``websocket-client`` with a header dictionary, as printed in the document."""
    headers = {"Authorization": "Bearer test_token_123"}
    response = requests.get(f"{server.base}/api/v1/ticker/price?symbol=BTCUSDT", headers=headers, timeout=10)
    assert response.json()["symbol"] == "BTCUSDT"

    messages: list[dict[str, Any]] = []

    def on_message(ws: websocket.WebSocketApp, message: str) -> None:
        messages.append(json.loads(message))
        ws.close()

    app = websocket.WebSocketApp(
        f"{server.ws}/ws/ticker/btcusdt",
        header={"Authorization": "Bearer test_token_123"},
        on_message=on_message,
    )
    app.run_forever()
    assert messages[0]["e"] == "24hrTicker"


def test_the_javascript_sample(server: Server, node_modules: Path) -> None:
    """S0-64: ``fetch``, and ``ws`` with a header."""
    script = """
const WebSocket = require("ws");
const headers = { "Authorization": "Bearer test_token_123" };
(async () => {
  const response = await fetch(process.env.BASE + "/api/v1/ticker/price?symbol=BTCUSDT", { headers });
  const price = await response.json();
  const ws = new WebSocket(process.env.WS + "/ws/ticker/btcusdt", { headers });
  ws.onmessage = (event) => { console.log(JSON.stringify({ price, ticker: JSON.parse(event.data) })); ws.close(); };
})();
"""
    done = subprocess.run(
        [need("node"), "-e", script],
        cwd=node_modules.parent,
        env={**os.environ, "BASE": server.base, "WS": server.ws},
        capture_output=True, text=True, timeout=WAIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert got["price"]["symbol"] == got["ticker"]["s"] == "BTCUSDT"


def test_a_browser_can_pass_the_token_in_the_query(server: Server) -> None:
    """S0-65: and it does not reach the log."""
    client = websocket.create_connection(f"{server.ws}/ws/ticker/btcusdt?token={TOKEN}", timeout=10)
    assert json.loads(client.recv())["e"] == "24hrTicker"
    client.close()
    assert TOKEN not in server.log


@pytest.mark.parametrize(
    ("path", "header", "status", "body"),
    [
        ("/ws/ticker/btcusdt", {}, 401, {"error": "Missing Authorization header", "status": 401}),
        ("/ws/user", {"Authorization": "Bearer no"}, 401, {"error": "Invalid or expired token", "status": 401}),
        (
            "/ws/depth/invalid",
            {"Authorization": f"Bearer {TOKEN}"},
            400,
            {"error": "Invalid symbol", "status": 400},
        ),
    ],
)
def test_a_bad_handshake_gets_a_real_http_answer(
    server: Server, path: str, header: dict[str, str], status: int, body: dict[str, Any]
) -> None:
    """S0-50, S0-51, S0-18, S0-61 on WebSocket paths."""
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        websocket.create_connection(server.ws + path, header=header, timeout=10)
    assert caught.value.status_code == status
    assert json.loads(caught.value.resp_body or b"") == body
    assert (caught.value.resp_headers or {})["x-request-id"]


def test_sigterm_tells_clients_and_ends_with_zero(tmp_path: Path) -> None:
    """On SIGTERM clients get 1001 and the process ends with 0."""
    with running_server(tmp_path) as fresh:
        client = websocket.create_connection(
            fresh.ws + "/ws/depth/btcusdt", header={"Authorization": f"Bearer {TOKEN}"}, timeout=15
        )
        client.recv()
        assert fresh.stop() == 0
        code = None
        for _ in range(10_000):
            opcode, data = client.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                code = int.from_bytes(data[:2], "big")
                break
        assert code == 1001
        hang_up(client)
