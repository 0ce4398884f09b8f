"""Log lines have the documented form and hold no secret."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cryptotrader.config import REDACTOR, get_logger
from cryptotrader.config.secrets import Redactor


def test_s0_63_a_line_has_its_level_in_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    get_logger("test").info("HTTP GET /api/v1/ticker/price?symbol=BTCUSDT - 200 - 123ms")
    assert capsys.readouterr().err == "[INFO] HTTP GET /api/v1/ticker/price?symbol=BTCUSDT - 200 - 123ms\n"


@pytest.mark.parametrize(
    "text",
    [
        "GET /x?api_key=SECRETVALUE&symbol=B",
        "GET /x?symbol=B&signature=SECRETVALUE",
        "GET /ws/user?token=SECRETVALUE",
        "Authorization: Bearer SECRETVALUE",
        '{"apiKey":"SECRETVALUE","side":"BUY"}',
        "{'secret': 'SECRETVALUE'}",
    ],
)
def test_s0_63_named_secrets_are_masked(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    get_logger("test").error(text)
    out = capsys.readouterr().err
    assert "SECRETVALUE" not in out
    assert "***" in out


def test_s0_63_a_known_secret_is_masked_wherever_it_stands_tracebacks_included(
    capsys: pytest.CaptureFixture[str],
) -> None:
    REDACTOR.learn("made-up-known-secret")
    try:
        raise RuntimeError("it was made-up-known-secret")
    except RuntimeError:
        get_logger("test").exception("failed with made-up-known-secret")
    out = capsys.readouterr().err
    assert "made-up-known-secret" not in out
    assert "RuntimeError" in out


def test_importing_the_library_leaves_a_program_its_own_logging() -> None:
    """A user's ``logging.basicConfig`` would have no effect on a root logger that has a handler."""
    code = (
        "import logging, cryptotrader.library, cryptotrader.services.binance.websocketAPI.base_operations\n"
        "assert not logging.getLogger().handlers\n"
        "from cryptotrader.config import configure_logging\n"
        "configure_logging()\n"
        "assert logging.getLogger().handlers\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_a_secret_that_begins_another_leaves_nothing_of_it() -> None:
    """S0-63."""
    redactor = Redactor()
    redactor.learn("made-up-1", "made-up-1-and-more", "made-up-1-and")
    assert redactor.clean("made-up-1-and-more made-up-1 made-up-1-and") == "*** *** ***"
