"""``docs/protocols/channels.md``: every example is played or run, limits and errors are held against the code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cryptotrader.core.events import LinkState
from cryptotrader.dialects.channels.messages import ChannelName
from cryptotrader.dialects.channels.protocol import ChannelPolicy
from cryptotrader.gateway.asyncapi.document import build
from cryptotrader.gateway.asyncapi.protocols import PROTOCOLS
from cryptotrader.sessions.keys import KeyKind
from cryptotrader.sessions.keys.login import LOGIN_WINDOW_MS, is_signed, login_text
from cryptotrader.sessions.ws import RouterPolicy, SlotLimits
from cryptotrader.transport.policy import TransportPolicy
from tests.conformance.conftest import need
from tests.support.asyncapi import payload_validator
from tests.support.channel_client import ChannelClient, channel_client, login
from tests.support.process import Server, running_server

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "protocols" / "channels.md"
TEXT = PAGE.read_text("utf-8")

DOCUMENT = build(PROTOCOLS, version="1.0.0")

STAMP_MS = 1647356789123
"""Of the worked example."""

RUN_S = 30.0

SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.M | re.S)
BLOCK = re.compile(r"^```(\w+) ?(send|get|)\n(.*?)^```$", re.M | re.S)
ERROR_ROW = re.compile(r"^\| `([^`]+)` \| (\d+) \| (?:`([^`]+)`|`` (.+?) ``|``(.+?) ``) \|$", re.M)
ROW = re.compile(r"^\| (.+?) \| (.+?) \| (.+?) \|$", re.M)

EXACT = frozenset(
    {
        "action", "channel", "channels", "code", "currency", "event", "exchange", "message", "params", "side",
        "stop_loss", "success", "symbol", "take_profit", "trailing_stop", "type",
    }
)  # fmt: skip
"""Fields whose values must be as shown; of all others the kind."""


@dataclass(frozen=True)
class Block:
    """One example."""

    language: str
    way: str
    text: str


SECTIONS = {title: [Block(*found) for found in BLOCK.findall(text)] for title, text in SECTION.findall(TEXT)}

PLAYED = [title for title, blocks in SECTIONS.items() if any(block.way for block in blocks)]

PROGRAMS = [
    (f"{title}: {block.language}", block, blocks[index + 1].text)
    for title, blocks in SECTIONS.items()
    for index, block in enumerate(blocks[:-1])
    if blocks[index + 1].language == "text"
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("page"), env={"HTTP_RATE_LIMIT": "100000"}) as running:
        yield running


def section(title: str) -> str:
    found: dict[str, str] = dict(SECTION.findall(TEXT))
    return found[title]


def alike(shown: Any, got: Any, name: str = "") -> bool:
    """Whether a message is like the one that is shown: the same fields, the same kinds, and the words that count."""
    if name in EXACT:
        return bool(shown == got)
    if isinstance(shown, dict):
        return (
            isinstance(got, dict)
            and shown.keys() == got.keys()
            and all(alike(value, got[key], key) for key, value in shown.items())
        )
    if isinstance(shown, list):
        return isinstance(got, list) and (not shown or bool(got)) and all(alike(shown[0], one) for one in got if shown)
    if isinstance(shown, float | int) and not isinstance(shown, bool):
        return isinstance(got, float | int) and not isinstance(got, bool)
    if isinstance(shown, str):
        return isinstance(got, str)
    return type(shown) is type(got)


def shell(server: Server, script: str, **options: Any) -> str:
    """Output of a shell block, as a reader would run it."""
    need("curl")
    script = script.replace("http://localhost:3000", server.base)
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **options.pop("env", {})}
    done = subprocess.run(
        ["bash", "-ec", script], env=env, capture_output=True, text=True, timeout=RUN_S, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    printed: str = done.stdout
    return printed


def have_a_position(server: Server) -> None:
    body = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.5"}
    assert server.call("POST", "/api/v1/order", json=body).status_code == 200


async def send(client: ChannelClient, shown: dict[str, Any]) -> None:
    """Send a message as shown, but for what a reader fills in."""
    if shown["action"] != "authenticate":
        await client.send(shown)
        return
    real = login()
    assert shown.keys() == real.keys()
    await client.send(real)


@pytest.mark.parametrize("title", PLAYED)
async def test_a_conversation_goes_as_shown(server: Server, title: str) -> None:
    """S1-2 to S1-15: what the page sends is answered with what the page shows."""
    async with channel_client(server.ws) as client:
        if title != "Log in":
            await client.login()
        seen = len(client.messages)
        for block in SECTIONS[title]:
            if block.way == "send":
                seen = len(client.messages)
                await send(client, json.loads(block.text))
            elif block.way == "get":
                shown = json.loads(block.text)
                await client.wait(lambda row, shown=shown: alike(shown, row), after=seen)  # type: ignore[misc]
            elif block.text.startswith("curl"):
                assert '"error"' not in shell(server, block.text)


def test_positions_and_protections_go_as_shown_over_rest(server: Server) -> None:
    """S1-14, C-27."""
    have_a_position(server)
    blocks = SECTIONS["Positions and protections over REST"]
    for index, block in enumerate(blocks):
        if block.language != "bash":
            continue
        printed = shell(server, block.text)
        assert '"error"' not in printed
        if index + 1 < len(blocks) and blocks[index + 1].language == "json":
            assert alike(json.loads(blocks[index + 1].text), json.loads(printed)), printed
    assert server.get("/api/v1/positions/BTCUSDT").json()["stop_loss"] is None


@pytest.mark.parametrize(("name", "block", "output"), PROGRAMS, ids=[name for name, _, _ in PROGRAMS])
def test_a_program_prints_what_is_shown(name: str, block: Block, output: str) -> None:
    """C-4: the worked signature, in three languages."""
    programs = {
        "bash": ["bash", "-ec"],
        "python": [sys.executable, "-W", "error::SyntaxWarning", "-c"],
        "javascript": ["node", "-e"],
    }
    need("node" if block.language == "javascript" else "openssl")
    done = subprocess.run(
        [*programs[block.language], block.text], capture_output=True, text=True, timeout=RUN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == output


def test_the_worked_signatures_are_what_the_server_accepts() -> None:
    """C-4."""
    shown = re.search(r"> ```\n> GET\n> /ws\n> (\d+)\n> ```\n>\n> That is `\"(.+?)\"`, (\d+) bytes", TEXT)
    assert shown is not None
    text = login_text(STAMP_MS)
    assert shown.groups() == (str(STAMP_MS), text.replace("\n", "\\n"), str(len(text)))
    (hmac_signature,) = {output.strip() for name, _, output in PROGRAMS if len(output) == 65}
    assert is_signed(KeyKind.HMAC, "your_secret", STAMP_MS, signature=hmac_signature)
    (ed_signature,) = {output.strip() for name, _, output in PROGRAMS if len(output) == 89}
    seed = re.search(r'fromhex\("(.+?)"\)', TEXT)
    assert seed is not None
    public = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed.group(1))).public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert is_signed(KeyKind.ED25519, pem, STAMP_MS, signature=ed_signature)


def test_the_commands_that_make_keys_make_keys(server: Server, tmp_path: Path) -> None:
    """C-3."""
    public = Ed25519PrivateKey.generate().public_key()
    (tmp_path / "public.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (block,) = [block for block in SECTIONS["Log in"] if "keys create" in block.text]
    printed = shell(server, block.text, cwd=tmp_path, env={"CRYPTOTRADER_DATA_DIR": str(tmp_path)})
    assert len(re.findall(r"^key +\S+$", printed, re.M)) == 2


def test_every_message_on_the_page_is_one_of_the_document() -> None:
    """S1-2 to S1-18: what is shown is described in /asyncapi.json, with no field too many."""
    validators = {name: payload_validator(DOCUMENT, name) for name in DOCUMENT["components"]["messages"]}
    for title, blocks in SECTIONS.items():
        for block in blocks:
            if block.language == "json" and "protection" not in block.text:
                fitting = [name for name, validator in validators.items() if validator.is_valid(json.loads(block.text))]
                assert len(fitting) == 1, (title, block.text, fitting)


def error_rows() -> list[tuple[str, int, str]]:
    return [(sent, int(code), "".join(words)) for sent, code, *words in ERROR_ROW.findall(section("Errors"))]


@pytest.mark.parametrize(("sent", "code", "message"), error_rows())
async def test_an_error_has_the_words_that_are_shown(server: Server, sent: str, code: int, message: str) -> None:
    """S1-16."""
    async with channel_client(server.ws) as client:
        await client.login()
        row = await client.ask(sent)
    assert (row["event"], row["code"], row["message"]) == ("error", code, message)


def test_the_errors_that_need_a_situation_are_words_of_the_code() -> None:
    """S1-16."""
    source = "\n".join(
        path.read_text("utf-8")
        for folder in ("dialects/channels", "sessions/channel_protocol", "sessions/ws")
        for path in (ROOT / "src" / "cryptotrader" / folder).glob("*.py")
    )
    rows = [row for row in ROW.findall(section("Errors")) if row[0].isdigit()]
    rows += [row for row in ROW.findall(section("Close")) if row[1].startswith("`")][1:]
    assert len(rows) >= 14
    for code, message, _ in rows:
        assert f'"{message.strip("`")}"' in source, (code, message)
    assert len(error_rows()) == 11


async def test_errors_before_a_protocol_is_chosen_look_as_shown(server: Server) -> None:
    """C-1."""
    (block,) = SECTIONS["Choose the protocol"]
    async with channel_client(server.ws) as client:
        await client.send("hello")
        assert await client.wait(lambda row: True) == json.loads(block.text)
    for path, options in (("/ws?dialect=channels", {}), ("/ws", {"subprotocols": ["channels"]})):
        async with channel_client(server.ws, path=path, **options) as client:
            assert (await client.ask("hello"))["event"] == "error"


def test_the_limits_are_those_of_the_code() -> None:
    """C-4, C-5, C-10, C-11, S1-17."""
    policy, transport = ChannelPolicy(), TransportPolicy()
    shown = {name: value for name, value, _ in ROW.findall(section("Limits"))}
    assert shown["subscriptions of one connection (channel and symbol)"] == f"{policy.max_subscriptions}"
    assert shown["messages from a client, per second"] == f"{policy.messages_per_s}"
    assert shown["message from a client"] == f"{RouterPolicy().max_message_bytes:,} bytes"
    assert shown["time until the login"] == f"{policy.authenticate_s:.0f} s"
    assert shown["tries to log in"] == f"{policy.max_attempts}"
    assert shown["clock's difference at a login"] == f"{LOGIN_WINDOW_MS // 1000} s"
    assert shown["connections of all protocols"] == f"{SlotLimits().max_connections:,}"
    assert f"{RouterPolicy().max_message_bytes:,} bytes" in section("Close")
    assert (policy.idle_s, policy.pong_s, policy.max_refused) == (30, 10, 100)
    assert "After 30 seconds" in section("Heartbeat")
    assert "within ten seconds" in section("Heartbeat")
    assert f"every {transport.ping_interval_s:.0f} seconds" in section("Heartbeat")
    assert f"{transport.max_outbox_frames:,} messages or {transport.max_outbox_bytes >> 20} MB" in section(
        "Slow clients"
    )
    assert transport.max_behind_s == 10


def test_every_channel_and_every_state_of_a_connection_is_on_the_page() -> None:
    """S1-8, S1-15."""
    assert set(ChannelName) <= SECTIONS.keys()
    for state in LinkState:
        assert f"`{state.value}`" in section("system_events")


def test_every_system_event_of_the_code_is_on_the_page_and_in_the_document() -> None:
    """S1-15: with the words of its status."""
    shown = {
        event.strip("`"): set(re.findall(r"`(\w+)`", status))
        for event, status, _ in ROW.findall(section("system_events"))
        if event != "`event`" and event.startswith("`")
    }
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "src").rglob("*.py"))
    made = set(re.findall(r'SystemEvent\(\s*event="(\w+)"|"((?:protection|position|orderbook|stream)_\w+)"', source))
    names = {name for pair in made for name in pair if name}
    assert shown.keys() - names == {"exchange_connection_status"}
    described = DOCUMENT["components"]["schemas"]["channels.SystemMessage"]["properties"]["event"]["description"]
    assert set(described.split(", ")) == shown.keys()
    for words in shown.values():
        for word in words:
            assert f'"{word}"' in source


def test_links_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", TEXT, re.M)
    }
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        if path:
            assert (PAGE.parent / path).exists(), target
        else:
            assert anchor in headings, target
