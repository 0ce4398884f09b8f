"""Every example of ``docs/paper-exchange.md`` that shows its output, run as a reader would run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support.client_environments import Unavailable, environment, node_environment

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "paper-exchange.md"
HOST = "127.0.0.1:3100"
"""What the page tells its readers to use."""

RUN_TIMEOUT_S = 90
"""Unit: seconds. Reason: an example takes one or two on a quiet machine."""

SECTION = re.compile(r"^### (.+?)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = r"```{}\n(.*?)```\n\n```text\n(.*?)```"

ENVIRONMENTS = {
    "ccxt.pro": "ccxt",
    "unicorn-binance-websocket-api": "unicorn",
    "unicorn-binance-rest-api and local depth cache": "unicorn",
}
"""Client to the environment that it lives in, where the names differ."""

NOISE = ("The parameter BinanceRestApiManager(tld=",)
"""How lines begin that a client prints by itself."""

NODE = ROOT / "tests" / "conformance" / "node_clients"


def examples(language: str) -> dict[str, tuple[str, str]]:
    """Client to program and output."""
    pattern = re.compile(EXAMPLE.format(language), re.DOTALL)
    sections = SECTION.findall(PAGE.read_text("utf-8"))
    return {title: (found[1], found[2]) for title, text in sections for found in pattern.finditer(text)}


PYTHON, JAVASCRIPT = examples("python"), examples("javascript")


@pytest.mark.parametrize("client", PYTHON)
def test_an_example_in_python_does_what_it_shows(client: str, exchange: str, tmp_path: Path) -> None:
    program, wanted = PYTHON[client]
    try:
        python = environment(ENVIRONMENTS.get(client, client))
    except Unavailable as problem:
        pytest.skip(str(problem))
    script = tmp_path / "example.py"
    script.write_text(program.replace(HOST, exchange))
    check([str(python), str(script)], wanted)


@pytest.fixture(scope="session")
def node() -> str:
    """The path of Node, with the clients installed once from their lock."""
    try:
        return node_environment(NODE)
    except Unavailable as problem:
        pytest.skip(str(problem))


@pytest.mark.parametrize("client", JAVASCRIPT)
def test_an_example_in_javascript_does_what_it_shows(client: str, exchange: str, node: str) -> None:
    program, wanted = JAVASCRIPT[client]
    # Node looks for packages from where the program is.
    with tempfile.NamedTemporaryFile("w", dir=NODE, suffix=".mjs") as script:
        script.write(program.replace(HOST, exchange))
        script.flush()
        check([node, script.name], wanted)


def check(command: list[str], wanted: str) -> None:
    """Run a program; it must end well and print what is wanted."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BINANCE_"))}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
    said = [line for line in done.stdout.strip().splitlines() if not line.startswith(NOISE)]
    assert (done.returncode, said) == (0, wanted.strip().splitlines()), done.stderr[-4_000:]


def test_the_page_has_an_example_for_each_client_that_is_at_hand() -> None:
    python = {"binance-sdk-spot", "binance-connector", "python-binance", "ccxt"}
    assert set(PYTHON) == python | set(ENVIRONMENTS)
    packages = json.loads((NODE / "package.json").read_text("utf-8"))["dependencies"]
    assert set(JAVASCRIPT) == {f"Node: {name}" for name in packages}
