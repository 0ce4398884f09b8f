"""A stop that the price passes while the gateway is dead is carried out when it is back: once, and it says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from tests.support.process import Process, Server
from tests.support.waiting import wait_until

BUY = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
POSITION = "/api/v1/positions/BTCUSDT"
LATE_S = 6.0
"""How old a price must be to have passed while nobody watched, and a second. Unit: seconds."""

ENV = {"HTTP_RATE_LIMIT": "100000"}

OVER = ("done", "partial", "refused", "gone")


def until(server: Server, states: tuple[str, ...]) -> dict[str, Any]:
    """The position once its protection is in one of these states."""
    shown: dict[str, Any] = {}

    def is_there() -> bool:
        shown.clear()
        shown.update(server.get(POSITION).json())
        return (shown.get("protection") or {}).get("status") in states

    wait_until(is_there, 60)
    return shown


def wait_for_a_move(url: str, protection: dict[str, Any]) -> None:
    """Return when the market has met the terms, and some time ago."""
    low, high = protection["stop_loss"], protection["take_profit"]

    def has_moved() -> bool:
        rows = requests.get(f"{url}/api/v3/trades?symbol=BTCUSDT&limit=1000", timeout=5).json()
        later = [row for row in rows if row["time"] > protection["set_at"]]
        met = [row["time"] for row in later if not low < float(row["price"]) < high]
        return bool(met) and later[-1]["time"] - met[0] > LATE_S * 1_000

    wait_until(has_moved, 60, poll_s=1)


def test_a_protection_is_carried_out_after_a_crash_with_a_lost_reply(tmp_path: Path) -> None:
    """C-27: survives restarts, is executed exactly once, and says that it is late."""
    exchange = Process(["exchange", "--port", "0", "--market", "synthetic?seed=3"], data_dir=tmp_path / "exchange")
    try:
        url = "http://" + exchange.wait_for_line(r"Paper exchange +http://(\S+)").group(1)
        stream = url.replace("http", "ws")
        args = ["--binance-rest-url", url, "--binance-stream-url", stream]
        args += ["--binance-ws-api-url", f"{stream}/ws-api/v3"]
        first = Server(data_dir=tmp_path / "gateway", args=args, env=ENV)
        assert first.call("POST", "/api/v1/order", json=BUY).status_code == 200
        until_bought(first)
        requests.post(f"{url}/admin/market", json={"action": "pause"}, timeout=5).raise_for_status()
        mark = first.get(POSITION).json()["mark_price"]
        terms = {"stop_loss": f"{mark - 0.005:.3f}", "take_profit": f"{mark + 0.005:.3f}"}
        shown = first.call("PUT", POSITION, json=terms).json()
        first.kill()
        fault = {"operation": "order.place", "kind": "land_and_silence", "count": 1}
        requests.post(f"{url}/admin/faults", json=fault, timeout=5).raise_for_status()
        requests.post(f"{url}/admin/market", json={"action": "play"}, timeout=5).raise_for_status()
        wait_for_a_move(url, shown["protection"])
        second = Server(data_dir=tmp_path / "gateway", args=args, env=ENV)
        shown = until(second, OVER)
        orders = second.get("/api/v1/allOrders?symbol=BTCUSDT").json()
        check_restart(second, tmp_path, args)
    finally:
        exchange.stop()
    protection = shown["protection"]
    assert (protection["status"], protection["is_late"]) == ("done", True)
    sold = [order for order in orders if order["side"] == "SELL"]
    assert [order["clientOrderId"] for order in sold] == [protection["client_order_id"]]
    assert float(sold[0]["executedQty"]) == protection["filled"] == protection["amount"] > 0


def until_bought(server: Server) -> None:
    wait_until(lambda: server.get(POSITION).status_code == 200)


def check_restart(server: Server, tmp_path: Path, args: list[str]) -> None:
    """The next process shows the position as this one did."""
    wait_until(lambda: server.get(POSITION).json().get("amount", 1) < 0.001)
    before = server.get(POSITION).json()
    assert server.stop() == 0
    third = Server(data_dir=tmp_path / "gateway", args=args, env=ENV)
    shown: dict[str, Any] = third.get(POSITION).json()
    assert third.stop() == 0
    for name in ("amount", "cost", "average_price", "realized_pnl", "fees", "protection"):
        assert shown[name] == before[name]
