"""Locks, layers and texts of the project."""

from __future__ import annotations

import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


def _tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, timeout=30)
    if done.returncode:
        return [path for path in (ROOT / "src").rglob("*") if path.is_file()]
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pinned_package_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    pins = re.findall(r"^[a-z0-9][^\n=]*==[^\n]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.M)
    assert len(pins) == len(re.findall(r"^[a-z0-9].*==", text, re.M)) > 0
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def test_the_layers_hold(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """import-linter's contracts in pyproject.toml: imports go down, pure packages stay pure."""
    monkeypatch.chdir(ROOT)
    assert find_spec("cryptotrader") is not None
    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_no_file_names_a_path_of_one_machine() -> None:
    pattern = re.compile(rb"(?<![\w.])/(?:work|root|home)/[a-z]")
    found = [
        str(path.relative_to(ROOT))
        for path in _tracked()
        if path.suffix in {".py", ".md", ".toml", ".txt", ".json", ".lock", ".js", ""} and path != Path(__file__)
        if pattern.search(path.read_bytes())
    ]
    assert not found


def test_no_tracked_file_is_larger_than_a_mebibyte() -> None:
    assert not [path.name for path in _tracked() if path.stat().st_size > 1024 * 1024]


def test_nothing_unfinished_is_left_in_the_source() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|# type: ignore(?!\[)")
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in (ROOT / "src").rglob("*.py")
        for match in words.finditer(path.read_text("utf-8"))
    ]
    assert not found


def test_every_skip_says_what_is_missing_and_how_to_get_it() -> None:
    bare = re.compile(r"pytest\.skip\(\s*\)|@pytest\.mark\.skip\s*$|@pytest\.mark\.xfail", re.M)
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if path != Path(__file__) and bare.search(path.read_text("utf-8"))
    ]
    assert not found
