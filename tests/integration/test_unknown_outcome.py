"""An order whose answer never comes ends in its true state and is never placed twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.process import Process, Server, running_server

BODY = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "44000.00"}


class Setup:
    """A gateway with a short patience, and the exchange behind it."""

    def __init__(self, server: Server, exchange: str) -> None:
        self.server = server
        self.exchange = exchange

    def fault(self, **fault: Any) -> None:
        """Ask the exchange to misbehave."""
        reply = requests.post(f"http://{self.exchange}/admin/faults", json=fault, timeout=10)
        assert reply.status_code == 201, reply.text

    def orders(self) -> list[dict[str, Any]]:
        """All orders that the exchange has."""
        rows: list[dict[str, Any]] = self.server.get("/api/v1/allOrders?symbol=BTCUSDT&limit=1000").json()
        return rows


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setup]:
    """Two processes; the gateway waits one second for the exchange instead of ten."""
    exchange = Process(["exchange", "--port", "0", "--market", "default"], data_dir=tmp_path_factory.mktemp("x"))
    host = exchange.wait_for_line(r"Paper exchange +http://(\S+)").group(1)
    args = ["--binance-rest-url", f"http://{host}", "--binance-stream-url", f"ws://{host}",
            "--binance-ws-api-url", f"ws://{host}/ws-api/v3"]  # fmt: skip
    env = {"CRYPTOTRADER_UPSTREAM_TIMEOUT_S": "1", "HTTP_RATE_LIMIT": "100000"}
    try:
        with running_server(tmp_path_factory.mktemp("g"), args=args, env=env) as server:
            yield Setup(server, host)
    finally:
        exchange.stop()


def test_an_order_that_landed_in_silence_is_answered_with_its_true_state(setup: Setup) -> None:
    """S0-55 and C-23's neighbours in the design: the exchange takes the order and says nothing."""
    before = len(setup.orders())
    setup.fault(operation="order.place", kind="land_and_silence", count=1)
    reply = setup.server.call("POST", "/api/v1/order", json=BODY)
    assert reply.status_code == 200, reply.text
    assert reply.json()["status"] == "NEW"
    after = setup.orders()
    assert len(after) == before + 1
    assert after[-1]["orderId"] == reply.json()["orderId"]


def test_an_executed_order_that_landed_in_silence_is_answered_with_its_fills(setup: Setup) -> None:
    """S0-22 holds for a recovered answer too."""
    setup.fault(operation="order.place", kind="land_and_silence", count=1)
    reply = setup.server.call(
        "POST", "/api/v1/order", json={"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
    )
    assert reply.status_code == 200, reply.text
    assert reply.json()["status"] == "FILLED"
    assert sum(float(fill["qty"]) for fill in reply.json()["fills"]) == pytest.approx(0.001)


def test_s0_55_an_order_that_never_landed_is_a_timeout_and_not_placed_later(setup: Setup) -> None:
    """S0-55: 504 with the exact text, and the exchange has no such order."""
    before = len(setup.orders())
    setup.fault(operation="order.place", kind="drop_and_silence", count=1)
    reply = setup.server.call("POST", "/api/v1/order", json=BODY)
    assert reply.status_code == 504
    assert reply.json() == {"error": "Gateway timeout - Binance API not responding", "status": 504}
    assert len(setup.orders()) == before


def test_s0_55_a_silent_exchange_is_a_timeout_for_readers_too(setup: Setup) -> None:
    """S0-55: the exact text."""
    setup.fault(operation="account.status", kind="drop_and_silence", count=3)
    reply = setup.server.get("/api/v1/account")
    assert (reply.status_code, reply.json()) == (
        504,
        {"error": "Gateway timeout - Binance API not responding", "status": 504},
    )
    requests.delete(f"http://{setup.exchange}/admin/faults", timeout=10)


def test_s0_57_a_rate_limited_exchange_is_left_alone_and_logged(setup: Setup) -> None:
    """S0-57: the log says how long, later requests are refused here, and the rest goes on afterwards."""
    setup.fault(operation="account.status", kind="error", code=-1003, status=429, retry_after_s=2, count=1)
    assert setup.server.get("/api/v1/account").status_code == 429
    setup.server.wait_for_line(r"^\[ERROR\] Binance API error: rate limit exceeded - retrying in \d+s")
    refused = setup.server.get("/api/v1/account")
    assert refused.status_code == 429
    assert refused.json() == {"error": "Rate limit exceeded", "status": 429}
