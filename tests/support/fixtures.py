"""Messages of exchanges, as files beside the project's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "message-fixtures"


def message(path: str) -> bytes:
    """One message fixture, or a skip that says what is missing."""
    file = FOLDER / path
    if not file.exists():
        pytest.skip("the messages are missing; put shared/data/message-fixtures beside the project's folder")
    return file.read_bytes()
