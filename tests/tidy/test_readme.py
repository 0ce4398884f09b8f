"""The README lists what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import AliasChoices

from cryptotrader.config.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_s0_6_every_setting_stands_in_the_readme_with_its_documented_names(name: str) -> None:
    """S0-6: environment variables are documented in the README."""
    (row,) = [line for line in README.splitlines() if line.startswith(f"| `{name}` |")]
    alias = Settings.model_fields[name].validation_alias
    assert isinstance(alias, AliasChoices)
    for choice in alias.choices:
        if choice != name and not str(choice).startswith("CRYPTOTRADER_"):
            assert f"`{choice}`" in row


def test_the_two_commands_come_first() -> None:
    block = re.search(r"```\n(.*?)```", README, re.S)
    assert block is not None
    assert [line.split("  ")[0] for line in block.group(1).splitlines()] == ["make run", "make test"]


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/adr/README.md"])
def test_links_between_documents_lead_somewhere(name: str) -> None:
    path = ROOT / name
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target
