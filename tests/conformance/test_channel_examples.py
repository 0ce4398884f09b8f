"""The example clients of the channel protocol, in Python and JavaScript, against the gateway as a user starts it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from websockets.asyncio.server import ServerConnection, serve

from cryptotrader.dialects.channels.protocol import ChannelPolicy
from cryptotrader.sessions.keys import KeyKind
from cryptotrader.sessions.keys.login import is_signed
from tests.conformance.conftest import need
from tests.support.channel_gateway import Limits, channel_gateway
from tests.support.process import TOKEN, Server, running_server

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "examples" / "channels"

CHANNELS = ("market_data", "orderbook", "trades", "orders", "positions", "system_events")

RUN_S = 45.0

LANGUAGES = ("python", "javascript", "javascript without packages")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with running_server(tmp_path_factory.mktemp("channels"), env={"HTTP_RATE_LIMIT": "100000"}) as running:
        yield running


@pytest.fixture(params=LANGUAGES)
def client(request: pytest.FixtureRequest) -> list[str]:
    """How to start the example."""
    if request.param == "python":
        return [sys.executable, "-W", "error", str(FOLDER / "channels.py")]
    if request.param != "javascript":
        # From version 22 on it is there without the flag.
        node = [need("node"), "--experimental-websocket", "--no-warnings"]
        if subprocess.run([*node, "-e", "new WebSocket('ws://[')"], capture_output=True, check=False).returncode == 9:
            pytest.skip("a node with a WebSocket of its own is missing; get version 20 or later from nodejs.org")
        return [*node, str(FOLDER / "channels.js")]
    request.getfixturevalue("node_modules")
    return [need("node"), str(FOLDER / "channels.js")]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    modules = str(Path(__file__).parent / "node" / "node_modules")
    return {**os.environ, "NODE_PATH": modules, **settings}


def trade(client: list[str], settings: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*client, "trade"], env=environment(settings), capture_output=True, text=True, timeout=RUN_S, check=False
    )


def keys(server: Server, data_dir: str, *args: str) -> dict[str, str]:
    """``cryptotrader keys create`` while the server runs."""
    command = [sys.executable, "-m", "cryptotrader", "keys", "create", *args, "--json", "--data-dir", data_dir]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def data_dir(server: Server) -> str:
    args = server.process.args
    assert isinstance(args, list)
    return str(args[args.index("--data-dir") + 1])


def position(server: Server) -> float:
    rows = server.get("/api/v1/positions").json()["positions"]
    return sum((float(row["amount"]) for row in rows if row["symbol"] == "BTCUSDT"), 0.0)


def test_an_order_is_placed_over_rest_and_arrives_on_the_channels(server: Server, client: list[str]) -> None:
    """S1-1 to S1-15: login with the documented token, all six channels, an order and the position that it makes."""
    before = position(server)
    done = trade(client, {"GATEWAY": server.base})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert {line.partition(" ")[0] for line in done.stdout.splitlines()} >= {"authenticated", "subscribed", *CHANNELS}
    (number,) = re.findall(r"^order (\d+) is filled", done.stdout, re.M)
    assert re.search(rf"^orders BTCUSDT {number} buy \S+ new$", done.stdout, re.M)
    assert re.search(rf"^orders BTCUSDT {number} buy 0\.001/0\.001 filled$", done.stdout, re.M)
    assert position(server) == pytest.approx(before + 0.001, rel=0.01)


def test_a_created_key_logs_in_with_its_secret(server: Server, client: list[str]) -> None:
    """S1-2, C-3, C-4."""
    key = keys(server, data_dir(server), "--name", "bot", "--scopes", "read,trade")
    done = trade(client, {"GATEWAY": server.base, "API_KEY": key["key"], "API_SECRET": key["secret"]})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_an_ed25519_key_logs_in_with_its_private_half(server: Server, client: list[str], tmp_path: Path) -> None:
    """S1-2, C-4: the gateway has only the public half."""
    private = Ed25519PrivateKey.generate()
    secret, public = tmp_path / "private.pem", tmp_path / "public.pem"
    secret.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    terms = ["--type", "ed25519", "--public-key", str(public)]
    key = keys(server, data_dir(server), "--name", "pair", "--scopes", "read,trade", *terms)
    done = trade(client, {"GATEWAY": server.base, "API_KEY": key["key"], "PRIVATE_KEY": str(secret), "TOKEN": TOKEN})
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_wrong_secret_ends_the_client_with_the_gateways_words(server: Server, client: list[str]) -> None:
    """S1-4."""
    done = trade(client, {"GATEWAY": server.base, "API_SECRET": "wrong"})
    assert (done.returncode, done.stderr) == (1, "401 Authentication failed\n")


class Watcher:
    """The example as it watches, and what it prints."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def wait_for(self, line: str, *, times: int = 1) -> None:
        """Read until a line has come so often."""
        assert self.process.stdout is not None
        async with asyncio.timeout(RUN_S):
            while self.lines.count(line) < times:
                got = await self.process.stdout.readline()
                assert got, self.lines
                self.lines.append(got.decode().rstrip())


@asynccontextmanager
async def watching(client: list[str], settings: Mapping[str, str]) -> AsyncIterator[Watcher]:
    process = await asyncio.create_subprocess_exec(
        *client, "watch", env=environment(settings), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield Watcher(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_pings_are_answered(client: list[str]) -> None:
    """S1-17: who does not answer gets no second ping."""
    limits = Limits(policy=ChannelPolicy(idle_s=0.1, pong_s=10.0))
    async with channel_gateway(limits=limits) as gateway:
        settings = {"GATEWAY": gateway.url.replace("ws", "http", 1), "CHANNELS": "system_events"}
        async with watching(client, settings) as watcher:
            await watcher.wait_for("ping", times=4)
            assert not [line for line in watcher.lines if line.startswith("closed")]


async def test_a_lost_connection_is_made_again_and_a_refusal_is_not(client: list[str]) -> None:
    """S1-18, C-4: each login is signed anew; 1008 ends it."""
    stamps: list[int] = []

    async def gateway(connection: ServerConnection) -> None:
        login = json.loads(await connection.recv())
        stamps.append(login["timestamp"])
        assert is_signed(KeyKind.HMAC, TOKEN, login["timestamp"], signature=login["signature"])
        if len(stamps) == 1:
            await connection.close(1001, "Server is shutting down")
        else:
            await connection.close(1008, "API key is no longer valid")

    async with serve(gateway, "127.0.0.1", 0) as fake:
        port = next(iter(fake.sockets)).getsockname()[1]
        async with watching(client, {"GATEWAY": f"http://127.0.0.1:{port}"}) as watcher:
            await watcher.wait_for("closed with 1001; connecting again")
            async with asyncio.timeout(RUN_S):
                _, complaint = await watcher.process.communicate()
    assert complaint.decode() == "closed: API key is no longer valid\n"
    assert watcher.process.returncode == 1
    assert len(set(stamps)) == 2
