"""A client of the gateway's channel protocol. Needs Python 3.11 and the package websockets.

    python channels.py trade    # buys at the market over REST, and sees it arrive on the channels
    python channels.py watch    # shows what comes, and connects again when the connection is lost

Settings come from the environment:

    GATEWAY      http://localhost:3000
    API_KEY      the key's id, or a token of the gateway's settings    (test_token_123)
    API_SECRET   the key's secret; for such a token the token itself   (API_KEY)
    PRIVATE_KEY  instead of API_SECRET: PEM file of an Ed25519 key; needs the package cryptography
    TOKEN        bearer token for REST                                 (API_SECRET)
    CHANNELS     what to subscribe to                                  (all six)
    SYMBOL       BTCUSDT
    QUANTITY     0.001
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

GATEWAY = os.environ.get("GATEWAY", "http://localhost:3000")
API_KEY = os.environ.get("API_KEY", "test_token_123")
API_SECRET = os.environ.get("API_SECRET", API_KEY)
PRIVATE_KEY = os.environ.get("PRIVATE_KEY")
TOKEN = os.environ.get("TOKEN", API_SECRET)
CHANNELS = os.environ.get("CHANNELS", "market_data,orderbook,trades,orders,positions,system_events").split(",")
SYMBOL = os.environ.get("SYMBOL", "BTCUSDT")
QUANTITY = os.environ.get("QUANTITY", "0.001")

POLICY_VIOLATION = 1008

Message = dict[str, Any]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def sign(timestamp: int) -> str:
    """HMAC-SHA256 in hexadecimal, or Ed25519 in Base64. The text ends with a newline."""
    text = f"GET\n/ws\n{timestamp}\n".encode()
    if PRIVATE_KEY is None:
        return hmac.new(API_SECRET.encode(), text, hashlib.sha256).hexdigest()
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key: Any = load_pem_private_key(Path(PRIVATE_KEY).read_bytes(), password=None)
    return base64.b64encode(key.sign(text)).decode()


async def send(connection: ClientConnection, message: Message) -> None:
    await connection.send(json.dumps(message))


async def messages(connection: ClientConnection) -> AsyncIterator[Message]:
    """Log in, subscribe, and hand out what comes. Pings are answered; an error ends the program."""
    timestamp = now_ms()
    login = {"action": "authenticate", "api_key": API_KEY, "timestamp": timestamp, "signature": sign(timestamp)}
    await send(connection, login)
    async for text in connection:
        message: Message = json.loads(text)
        match message.get("event"):
            case "authenticated":
                params = {"exchange": "binance", "symbols": [SYMBOL], "depth": 5}
                await send(connection, {"action": "subscribe", "channels": CHANNELS, "params": params})
            case "ping":
                await send(connection, {"action": "pong", "timestamp": now_ms()})
            case "error":
                sys.exit(f"{message['code']} {message['message']}")
        yield message


def show(message: Message) -> None:
    """One line."""
    kind, data = message.get("channel") or message["event"], message.get("data", {})
    match kind:
        case "market_data" | "trades":
            text = f"{message['symbol']} {data['price']}"
        case "orderbook":
            text = f"{message['symbol']} bid {data['bids'][0][0]} ask {data['asks'][0][0]}"
        case "orders":
            text = f"{message['symbol']} {data['id']} {data['side']} {data['filled']}/{data['amount']} {data['status']}"
        case "positions":
            text = f"{message['symbol']} {data['amount']} at {data['average_price']}, profit {data['unrealized_pnl']}"
        case "system_events":
            text = f"{message['event']} {data['status']}"
        case _:
            text = str(message.get("message", ""))
    print(kind, text, flush=True)


def rest(path: str, body: Message | None = None) -> Any:
    """One request; a body makes it a POST."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(GATEWAY + path, data, headers), timeout=15) as reply:
        return json.load(reply)


def buy() -> tuple[str, float]:
    """Place a market order; its id as the channel names it, and the position before it."""
    rows = rest("/api/v1/positions")["positions"]
    before = next((row["amount"] for row in rows if row["symbol"] == SYMBOL), 0.0)
    order = rest("/api/v1/order", {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": QUANTITY})
    return str(order["orderId"]), before


async def trade(connection: ClientConnection) -> None:
    """Show the first message of every channel, all orders and positions; end when ours has arrived on both."""
    seen: set[str] = set()
    filled: set[str] = set()
    amount = 0.0
    order: asyncio.Task[tuple[str, float]] | None = None
    async for message in messages(connection):
        channel: str = message.get("channel") or message["event"]
        if channel not in seen or channel in ("orders", "positions"):
            seen.add(channel)
            show(message)
        match channel:
            case "subscribed":
                order = asyncio.create_task(asyncio.to_thread(buy))
            case "orders" if message["data"]["status"] == "filled":
                filled.add(message["data"]["id"])
            case "positions":
                amount = message["data"]["amount"]
        if order is not None and order.done() and seen >= set(CHANNELS):
            order_id, before = order.result()
            if order_id in filled and amount > before:
                print(f"order {order_id} is filled: from {before} to {amount}")
                return


async def watch(connection: ClientConnection) -> None:
    """Show everything."""
    async for message in messages(connection):
        show(message)


async def main(mode: str) -> None:
    """Trade once, or watch: then connect again, with growing pauses, whenever the connection is lost."""
    url = GATEWAY.replace("http", "ws", 1) + "/ws"
    if mode == "trade":
        async with connect(url) as connection:
            await trade(connection)
        return
    async for connection in connect(url):
        with contextlib.suppress(ConnectionClosed):
            await watch(connection)
        if connection.close_code == POLICY_VIOLATION:
            sys.exit(f"closed: {connection.close_reason}")
        print(f"closed with {connection.close_code}; connecting again", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "trade"))
