"""The AsyncAPI document as AsyncAPI's own parser sees it: official JSON schema, references, examples, rules."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from cryptotrader.gateway.asyncapi.document import build
from cryptotrader.gateway.asyncapi.protocols import PROTOCOLS
from tests.conformance.conftest import need

FOLDER = Path(__file__).parent / "asyncapi"

NEWER_EXISTS = "asyncapi-latest-version"
"""The parser would like 3.1; 3.0 is what is promised."""


def test_the_document_is_asyncapi_3_0_without_any_remark() -> None:
    """S1-1, S1-8, S0-6: validated by @asyncapi/parser, its versions pinned with hashes."""
    node, npm = need("node"), need("npm")
    lock, stamp = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=110, check=False)
        assert done.returncode == 0, done.stderr
    document = json.dumps(build(PROTOCOLS, version="1.0.0"))
    done = subprocess.run(
        [node, "validate.js"], cwd=FOLDER, input=document, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [remark for remark in found if remark["code"] != NEWER_EXISTS] == []
