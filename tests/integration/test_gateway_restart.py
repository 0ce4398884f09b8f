"""A client that sends its order again after the gateway was killed does not buy twice."""

from __future__ import annotations

from pathlib import Path

from tests.support.process import Process, Server

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
KEY = {"Idempotency-Key": "one-order"}


def test_a_key_places_one_order_even_when_the_gateway_is_killed_in_between(tmp_path: Path) -> None:
    """S0-22, DESIGN 4.7."""
    exchange = Process(["exchange", "--port", "0", "--market", "default"], data_dir=tmp_path / "exchange")
    try:
        host = exchange.wait_for_line(r"Paper exchange +http://(\S+)").group(1)
        args = ["--binance-rest-url", f"http://{host}", "--binance-stream-url", f"ws://{host}"]
        args += ["--binance-ws-api-url", f"ws://{host}/ws-api/v3"]
        first = Server(data_dir=tmp_path / "gateway", args=args)
        placed = first.call("POST", "/api/v1/order", json=ORDER, headers=KEY)
        first.kill()
        second = Server(data_dir=tmp_path / "gateway", args=args)
        again = second.call("POST", "/api/v1/order", json=ORDER, headers=KEY)
        orders = second.get("/api/v1/allOrders?symbol=BTCUSDT").json()
        assert second.stop() == 0
    finally:
        exchange.stop()
    assert placed.status_code == again.status_code == 200
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["orderId"] == placed.json()["orderId"]
    assert again.json()["fills"] == placed.json()["fills"]
    assert len(orders) == 1
