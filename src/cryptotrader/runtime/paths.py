"""Where things lie in the data folder."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from cryptotrader.config import REDACTOR
from cryptotrader.core.errors import ConfigError
from cryptotrader.sessions.auth import KeyFile


def key_file(data_dir: Path) -> KeyFile:
    """Created keys, as hashes."""
    return KeyFile(data_dir / "keys.json")


def exchange_journal(data_dir: Path) -> Path:
    """Orders, fills and balances of the paper exchange."""
    return data_dir / "exchange.sqlite"


def make_data_dir(data_dir: Path) -> None:
    """Make the data folder where it is missing.

    Raises:
        ConfigError: It cannot be made or written.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"cannot use the data folder {data_dir}: {error.strerror}") from None
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise ConfigError(f"cannot use the data folder {data_dir}: not writable")


def lock_exchange(data_dir: Path) -> None:
    """Keep every other paper exchange out of the data folder until this process ends, however it ends.

    Two of them would give the same order ids to different orders and overwrite each other's journal.

    Raises:
        ConfigError: Another one is in it.
    """
    if sys.platform == "win32":
        return  # No flock there; SQLite's own locks still keep each single transaction whole.
    import fcntl

    try:
        descriptor = os.open(data_dir / "exchange.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        text = f"another paper exchange uses the data folder {data_dir}; stop it or choose another with --data-dir"
        raise ConfigError(text) from None
    except OSError as error:
        raise ConfigError(f"cannot use the data folder {data_dir}: {error.strerror}") from None


def generated_token(data_dir: Path) -> str:
    """The bearer token that is made once where none is configured, and kept for the owner's eyes only.

    Raises:
        ConfigError: The data folder cannot be written.
    """
    path = data_dir / "token"
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24) + "\n", "utf-8")
        token = path.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"cannot keep a token in the data folder: {error.strerror}") from None
    if not token:
        raise ConfigError("the token file in the data folder is empty; delete it to get a new one")
    REDACTOR.learn(token)
    return token
