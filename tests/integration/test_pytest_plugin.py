"""The pytest plugin as a project uses it that has this package installed: the examples of its document, run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "testing-with-paper-exchange.md"
_BLOCK = re.compile(r"```python\n# (\w+\.py)\n(.*?)```", re.DOTALL)

EXAMPLES = dict(_BLOCK.findall(DOCUMENT.read_text("utf-8")))


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment in which the package's entry points are known as after an installation of this very source."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    info = tmp_path / "site" / "papertest-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: papertest\nVersion: 1\n")
    lines = [f"{name} = {value}" for name, value in project["entry-points"]["pytest11"].items()]
    (info / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))
    paths = os.pathsep.join([str(ROOT / "src"), str(tmp_path / "site")])
    return {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}


def run(folder: Path, env: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    """pytest in a project of its own, warnings being errors."""
    others = [f"-pno:{name}" for name in ("cacheprovider", "asyncio", "schemathesis", "hypothesispytest", "timeout")]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "--strict-markers", *others, *args],
        cwd=folder, env=env, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip


def test_every_example_of_the_document_works_in_a_fresh_project(tmp_path: Path, installed: dict[str, str]) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    for name, text in EXAMPLES.items():
        (folder / name).write_text(text, "utf-8")
    done = run(folder, installed)
    assert done.returncode == 0, done.stdout + done.stderr
    tests = sum(text.count("\ndef test_") for text in EXAMPLES.values())
    assert f"{tests} passed" in done.stdout
    assert len(EXAMPLES) >= 5


def test_who_does_not_use_the_fixtures_loads_nothing_of_the_exchange(tmp_path: Path, installed: dict[str, str]) -> None:
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it(pytestconfig):\n"
        "    assert 'cryptotrader.testing.plugin' in sys.modules\n"
        "    loaded = [name for name in sys.modules if name.startswith('cryptotrader')]\n"
        "    assert len(loaded) <= 4, loaded\n"
        "    assert not {'uvicorn', 'msgspec', 'httpx2', 'cryptography'} & set(sys.modules)\n"
    )
    done = run(tmp_path, installed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "paper_exchange" in run(tmp_path, installed, "--markers").stdout


def test_wrong_options_are_told(tmp_path: Path, installed: dict[str, str]) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n@pytest.mark.paper_exchange(market='weather')\ndef test_it(paper_exchange): ...\n"
    )
    done = run(tmp_path, installed)
    assert done.returncode == 1
    assert "market 'weather': expected default" in done.stdout
