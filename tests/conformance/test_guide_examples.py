"""Every example of the guide for library users, run as a reader would run it, against the paper exchange."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cryptotrader.exchange.accounts import ApiKey, KeyKind, PaperAccount, sample_key
from cryptotrader.exchange.market.rules_data import rules_for
from cryptotrader.exchange.market.spec import open_market
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.net import SystemClock
from tests.support.paper import running_exchange

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "guide-websocket-api.md"
PORT = 3100
"""What the guide tells its readers to use."""

RUN_TIMEOUT_S = 60.0

SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)

EXAMPLES = {
    title: found.groups() for title, text in SECTION.findall(GUIDE.read_text()) for found in EXAMPLE.finditer(text)
}


def ed25519_key(folder: Path) -> ApiKey:
    """A new key pair; the private half goes where the example looks for it."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "ed25519-private.pem").write_bytes(pem)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return ApiKey(id="your_ed25519_api_key", account=PaperAccount().id, kind=KeyKind.ED25519, secret=public)


def moving_venue(keys: list[ApiKey]) -> PaperVenue:
    """What ``cryptotrader exchange`` serves."""
    sources = open_market("synthetic?seed=1")
    rules = rules_for(symbol for source in sources for symbol in source.symbols)
    return PaperVenue(rules, sources, clock=SystemClock(), keys=keys)


async def run(program: str, folder: Path) -> tuple[str, str]:
    """Output and complaints of a program in a process of its own; warnings are errors there too."""
    script = folder / "example.py"
    script.write_text(program)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        str(script),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(RUN_TIMEOUT_S):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return out.decode(), err.decode()


def matches(wanted: str, got: str) -> bool:
    """Whether the output is as shown; ``...`` stands for any text of one line."""
    pattern = re.escape(wanted.strip()).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, got.strip()) is not None


@pytest.mark.parametrize("title", EXAMPLES)
async def test_an_example_does_what_the_guide_shows(title: str, tmp_path: Path) -> None:
    """S4-6, S4-7, S4-10, S4-11: callbacks, errors, logging and models as a library user meets them."""
    program, wanted = EXAMPLES[title]
    venue = moving_venue([sample_key(), ed25519_key(tmp_path)])
    async with running_exchange(venue) as server:
        is_list = title == "Testnet and live"
        here = program if is_list else program.replace(f":{PORT}/", f":{server.port}/")
        here = here.replace(f"port={PORT}", f"port={server.port}")
        out, err = await run(here, tmp_path)
    # The library's own log goes to standard error; anything else there is a complaint of Python's.
    assert not [line for line in err.splitlines() if not line.startswith("[")]
    assert matches(wanted, out), f"{out}\nis not\n{wanted}"


def test_every_example_of_the_guide_has_output_and_is_run() -> None:
    """An example that nobody runs rots."""
    assert len(EXAMPLES) == GUIDE.read_text().count("```python") == GUIDE.read_text().count("```text") >= 11
