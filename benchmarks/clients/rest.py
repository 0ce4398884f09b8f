"""The same operations over REST, as a plain Python program does them: httpx2 and a signature."""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import urlencode

import httpx2
import measure


async def requests(host: str) -> dict[str, object]:
    """Over as many kept connections as requests are in flight."""
    limits = httpx2.Limits(max_connections=measure.IN_FLIGHT, max_keepalive_connections=measure.IN_FLIGHT)
    async with httpx2.AsyncClient(base_url=f"http://{host}", timeout=measure.ANSWER_TIMEOUT_S, limits=limits) as http:

        async def read(_: int) -> object:
            answer = await http.get("/api/v3/ticker/bookTicker", params={"symbol": measure.SYMBOL})
            answer.raise_for_status()
            return answer.json()

        async def order(number: int) -> object:
            side = "BUY" if number % 2 == 0 else "SELL"
            fields = {"symbol": measure.SYMBOL, "side": side, "type": "MARKET", "quantity": measure.QUANTITY}
            query = urlencode({**fields, "timestamp": str(time.time_ns() // 1_000_000)})
            signature = hmac.new(measure.SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
            answer = await http.post(
                f"/api/v3/order?{query}&signature={signature}", headers={"X-MBX-APIKEY": measure.KEY}
            )
            answer.raise_for_status()
            return answer.json()

        return await measure.measure_operations({"ticker.book": read, "order.place": order})


if __name__ == "__main__":
    measure.main(requests, None)
