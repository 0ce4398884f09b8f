"""Every example of ``docs/paper-exchange.md`` that shows its output, run as a reader would run it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.client_environments import Unavailable, environment

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "paper-exchange.md"
HOST = "127.0.0.1:3100"
"""What the page tells its readers to use."""

RUN_TIMEOUT_S = 90
"""Unit: seconds. Reason: an example takes one or two on a quiet machine."""

SECTION = re.compile(r"^### (.+?)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)

ENVIRONMENTS = {"ccxt.pro": "ccxt"}
"""Client to the environment that it lives in, where the names differ."""

EXAMPLES = {
    title: found.groups()
    for title, text in SECTION.findall(PAGE.read_text("utf-8"))
    for found in EXAMPLE.finditer(text)
}


@pytest.mark.parametrize("client", EXAMPLES)
def test_an_example_of_the_page_does_what_it_shows(client: str, exchange: str, tmp_path: Path) -> None:
    program, wanted = EXAMPLES[client]
    try:
        python = environment(ENVIRONMENTS.get(client, client))
    except Unavailable as problem:
        pytest.skip(str(problem))
    script = tmp_path / "example.py"
    script.write_text(program.replace(HOST, exchange))
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "BINANCE_"))}
    done = subprocess.run(
        [str(python), str(script)], env=env, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, wanted.strip()), done.stderr[-4_000:]


def test_the_page_has_an_example_for_each_client_that_is_at_hand() -> None:
    assert set(EXAMPLES) == {"binance-sdk-spot", "binance-connector", "python-binance", "ccxt", "ccxt.pro"}
