"""Several accounts behind one gateway: the product as a user starts it, with keys that its command line made."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from cryptotrader.config.settings import load_settings
from cryptotrader.runtime.paths import key_file
from cryptotrader.sessions.keys import KeyFile, KeyLimits, KeyTerms, NewKey
from tests.support.keys import KeyPair, signed_with_secret
from tests.support.process import Server, hang_up, running_server

LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.001", "price": "20000.00"}
MARKET = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.001"}
OPEN = "/api/v1/openOrders?symbol=BTCUSDT"


class Bot:
    """One client with a key."""

    def __init__(self, server: Server, key: NewKey) -> None:
        self.server = server
        self.key = key

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        return self.server.call(method, path, token=self.key.secret, **kwargs)

    def json(self, path: str) -> Any:
        reply = self.call("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def place(self, order: dict[str, Any] = LIMIT, **headers: str) -> dict[str, Any]:
        reply = self.call("POST", "/api/v1/order", json=order, headers=headers)
        assert reply.status_code == 200, reply.text
        placed: dict[str, Any] = reply.json()
        return placed

    def balances(self) -> dict[str, str]:
        return {row["asset"]: row["free"] for row in self.json("/api/v1/account")["balances"]}

    def stream(self, path: str = "/ws/user", *, with_token: bool = True) -> websocket.WebSocket:
        header = {"Authorization": f"Bearer {self.key.secret}"} if with_token else {}
        return websocket.create_connection(self.server.ws + path, header=header, timeout=20)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    with running_server(data, env={"HTTP_RATE_LIMIT": "100000"}) as running:
        yield running


@pytest.fixture(scope="module")
def keys(data: Path) -> KeyFile:
    return key_file(load_settings({"data_dir": data}))


def bot(server: Server, keys: KeyFile, account: str, terms: KeyTerms | None = None) -> Bot:
    """A new key to an account, while the server runs."""
    terms = terms or KeyTerms(account=account)
    new = keys.create(f"bot of {account}", ["read", "trade"], now_ms=time.time_ns() // 1_000_000, terms=terms)
    return Bot(server, new)


def reports(stream: websocket.WebSocket, order_id: int) -> list[str]:
    """What a stream says of orders, up to the end of one."""
    seen: list[str] = []
    while True:
        event = json.loads(stream.recv())
        if event["e"] == "executionReport":
            seen.append(f"{event['i']} {event['X']}")
            if event["i"] == order_id and event["X"] in ("CANCELED", "FILLED"):
                return seen


def close_code(stream: websocket.WebSocket) -> int:
    """Read to the end."""
    while True:
        opcode, payload = stream.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            hang_up(stream)
            return int.from_bytes(payload[:2])


def test_keys_of_two_accounts_see_nothing_of_each_other(server: Server, keys: KeyFile) -> None:
    """C-3, S0-20 to S0-31, S0-45: orders, balances, fills and events, by token and by listen key."""
    alice, bob = bot(server, keys, "alice"), bot(server, keys, "bob")
    before = bob.balances()
    assert before == alice.balances()
    streams: dict[tuple[Bot, str], websocket.WebSocket] = {}
    for each in (alice, bob):
        streams[each, "token"] = each.stream()
        listen_key = each.call("POST", "/api/v1/userDataStream").json()["listenKey"]
        streams[each, "listen"] = each.stream(f"/ws/{listen_key}", with_token=False)

    of_alice = alice.place()
    of_bob = bob.place()
    bought = alice.place(MARKET)
    assert [row["orderId"] for row in alice.json(OPEN)] == [of_alice["orderId"]]
    assert [row["orderId"] for row in bob.json(OPEN)] == [of_bob["orderId"]]
    assert bob.json("/api/v1/myTrades?symbol=BTCUSDT") == []
    assert [row["orderId"] for row in alice.json("/api/v1/myTrades?symbol=BTCUSDT")] == [bought["orderId"]]
    assert bob.balances()["BTC"] == before["BTC"] != alice.balances()["BTC"]
    for method in ("GET", "DELETE"):
        theirs = bob.call(method, f"/api/v1/order?symbol=BTCUSDT&orderId={of_alice['orderId']}")
        assert theirs.status_code == 400, theirs.text
    assert bob.call("DELETE", OPEN).status_code == 200
    assert [row["orderId"] for row in alice.json(OPEN)] == [of_alice["orderId"]]
    assert alice.call("DELETE", OPEN).status_code == 200
    for each, placed, others in ((alice, of_alice, {of_bob["orderId"]}), (bob, of_bob, {of_alice["orderId"]})):
        for stream in (streams[each, "token"], streams[each, "listen"]):
            seen = reports(stream, placed["orderId"])
            assert {f"{placed['orderId']} NEW", f"{placed['orderId']} CANCELED"} <= set(seen)
            assert not {int(line.split()[0]) for line in seen} & others
            stream.close()
    # The default account, the one of the sample token, saw none of it.
    assert server.get("/api/v1/allOrders?symbol=BTCUSDT").json() == []


def test_one_idempotency_key_is_two_orders_in_two_accounts_and_one_in_each(server: Server, keys: KeyFile) -> None:
    """DESIGN 4.7."""
    bots = [bot(server, keys, name) for name in ("alice", "bob")]
    placed = [[each.place(LIMIT, **{"Idempotency-Key": "same"}) for _ in range(3)] for each in bots]
    assert len({order["orderId"] for order in placed[0]}) == len({order["orderId"] for order in placed[1]}) == 1
    assert placed[0][0]["clientOrderId"] != placed[1][0]["clientOrderId"]
    for each in bots:
        assert len(each.json(OPEN)) == 1
        each.call("DELETE", OPEN)


def test_two_keys_of_one_account_share_it(server: Server, keys: KeyFile) -> None:
    first, second = bot(server, keys, "shared"), bot(server, keys, "shared")
    placed = first.place()
    stream = second.stream()
    assert second.call("DELETE", f"/api/v1/order?symbol=BTCUSDT&orderId={placed['orderId']}").status_code == 200
    assert reports(stream, placed["orderId"])[-1] == f"{placed['orderId']} CANCELED"
    stream.close()


def test_a_key_that_expires_while_the_server_runs_loses_its_streams(server: Server, keys: KeyFile) -> None:
    """C-3."""
    terms = KeyTerms(account="shortlived", expires_ms=time.time_ns() // 1_000_000 + 5_000)
    short = bot(server, keys, "shortlived", terms)
    stream = short.stream("/ws/ticker/btcusdt")
    assert close_code(stream) == 1008
    assert short.call("GET", "/api/v1/account").status_code == 401


def test_limits_and_networks_of_a_key_hold(server: Server, keys: KeyFile) -> None:
    """S0-52, C-10."""
    limits = KeyLimits(requests_per_minute=3, connections=1)
    small = bot(server, keys, "alice", KeyTerms(account="alice", limits=limits))
    assert [small.call("GET", "/api/v1/ping").status_code for _ in range(4)] == [200, 200, 200, 429]
    stream = small.stream("/ws/ticker/btcusdt")
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        small.stream()
    assert caught.value.status_code == 429
    stream.close()
    far = bot(server, keys, "alice", KeyTerms(account="alice", addresses=("10.0.0.0/8",)))
    assert far.call("GET", "/api/v1/ping").status_code == 401


def test_logins_of_both_kinds_of_key_open_the_channels_and_close_with_the_key(server: Server, keys: KeyFile) -> None:
    """S1-2, S1-3, C-4: over the socket, and no login twice."""
    pair = KeyPair()
    secret = bot(server, keys, "alice").key
    paired = keys.create("pair", ["read"], now_ms=1, terms=KeyTerms(public_key=pair.public))
    signers = {secret.key: lambda at_ms: signed_with_secret(secret.secret, at_ms), paired.key: pair.sign}
    for key, sign in signers.items():
        at_ms = time.time_ns() // 1_000_000
        login = {"action": "authenticate", "api_key": key, "timestamp": at_ms, "signature": sign(at_ms)}
        answers = []
        streams = [websocket.create_connection(server.ws + "/ws", timeout=20) for _ in range(2)]
        for stream in streams:
            stream.send(json.dumps(login))
            answers.append(json.loads(stream.recv()))
        assert answers[0]["event"] == "authenticated"
        assert (answers[1]["event"], answers[1]["message"]) == ("error", "Authentication failed")
        keys.revoke(key, now_ms=2)
        assert close_code(streams[0]) == 1008
        streams[1].close()


def channel_messages(stream: websocket.WebSocket, order_id: str) -> list[dict[str, Any]]:
    """Everything on the private channels, up to the cancellation of an order."""
    seen: list[dict[str, Any]] = []
    while True:
        message = json.loads(stream.recv())
        if message.get("channel") in ("orders", "positions"):
            seen.append(message)
            if message["data"].get("id") == order_id and message["data"]["status"] == "canceled":
                return seen


def test_private_channels_tell_every_key_of_its_own_account(server: Server, keys: KeyFile) -> None:
    """S1-12, S1-14, C-3."""
    bots = [bot(server, keys, name) for name in ("alice", "bob")]
    streams = []
    for each in bots:
        at_ms = time.time_ns() // 1_000_000
        signature = signed_with_secret(each.key.secret, at_ms)
        stream = websocket.create_connection(server.ws + "/ws", timeout=20)
        login = {"action": "authenticate", "api_key": each.key.key, "timestamp": at_ms, "signature": signature}
        stream.send(json.dumps(login))
        assert json.loads(stream.recv())["event"] == "authenticated"
        stream.send(
            json.dumps(
                {
                    "action": "subscribe",
                    "channels": ["orders", "positions"],
                    "params": {"exchange": "binance", "symbols": ["BTCUSDT"]},
                }
            )
        )
        while json.loads(stream.recv()).get("event") != "subscribed":
            pass
        streams.append(stream)
    bots[0].place(MARKET)
    placed = [str(each.place()["orderId"]) for each in bots]
    for each, order_id in zip(bots, placed, strict=True):
        assert each.call("DELETE", f"/api/v1/order?symbol=BTCUSDT&orderId={order_id}").status_code == 200
    seen = [channel_messages(stream, order_id) for stream, order_id in zip(streams, placed, strict=True)]
    told = [{message["data"].get("id") for message in messages if message["channel"] == "orders"} for messages in seen]
    assert placed[0] in told[0]
    assert told[1] == {placed[1]}
    assert not told[0] & told[1]
    for stream in streams:
        stream.close()


def test_accounts_and_their_money_outlive_the_server_and_secrets_are_nowhere(tmp_path: Path) -> None:
    """The paper exchange keeps the accounts, and the gateway its keys to them."""
    keys = key_file(load_settings({"data_dir": tmp_path}))
    with running_server(tmp_path) as server:
        first = bot(server, keys, "alice")
        placed = first.place(MARKET)
        money = first.balances()
        logs = server.text
    with running_server(tmp_path) as server:
        again = Bot(server, first.key)
        assert again.balances() == money
        assert [row["orderId"] for row in again.json("/api/v1/allOrders?symbol=BTCUSDT")] == [placed["orderId"]]
        logs += server.text
    assert first.key.secret not in logs
    text = "".join(path.read_text() for path in tmp_path.glob("keys.json*"))
    assert first.key.secret not in text


def test_real_venues_take_further_accounts_from_the_settings(server: Server, tmp_path: Path) -> None:
    """C-25: and an account without credentials is refused with 403."""
    exchange = server.wait_for_line(r"Paper exchange +(http://\S+)").group(1)
    secret = tmp_path / "secret"
    secret.write_text("your_binance_secret_key\n")
    account = {"api_key": "your_binance_api_key", "api_secret_file": str(secret)}
    ws = exchange.replace("http", "ws")
    args = ["--binance-rest-url", exchange, "--binance-stream-url", ws, "--binance-ws-api-url", f"{ws}/ws-api/v3"]
    env = {"CRYPTOTRADER_ACCOUNTS": json.dumps({"alice": account})}
    with running_server(tmp_path, args=args, env=env) as second:
        keys = key_file(load_settings({"data_dir": tmp_path}))
        known, unknown = bot(second, keys, "alice"), bot(second, keys, "nobody")
        order = known.place()
        assert server.call("DELETE", f"/api/v1/order?symbol=BTCUSDT&orderId={order['orderId']}").status_code == 200
        for method, path in (("GET", "/api/v1/account"), ("POST", "/api/v1/userDataStream")):
            reply = unknown.call(method, path)
            assert (reply.status_code, reply.json()) == (403, {"error": "Invalid API key", "status": 403})
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            unknown.stream()
        assert caught.value.status_code == 403
        assert "account nobody cannot be opened" in second.text
        assert "your_binance_secret_key" not in second.text


def test_an_exchange_open_to_others_has_a_key_of_its_own_that_the_gateway_uses(tmp_path: Path) -> None:
    """The documented sample key would let everybody in."""
    with running_server(tmp_path, env={"CRYPTOTRADER_EXCHANGE_HOST": "0.0.0.0"}) as server:
        assert server.get("/api/v1/account").status_code == 200
        assert "your_binance_api_key" not in (tmp_path / "exchange-key").read_text()
