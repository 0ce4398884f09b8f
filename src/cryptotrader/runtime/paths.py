"""Where things lie in the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptotrader.config import REDACTOR
from cryptotrader.config.settings import Settings
from cryptotrader.core.errors import ConfigError
from cryptotrader.sessions.keys import KeyFile, Vault
from cryptotrader.sessions.keys.vault import read_master_key


def key_file(settings: Settings) -> KeyFile:
    """Created keys; their secrets are sealed with the configured master key, or with one in the data folder."""
    path = settings.data_dir / "keys.json"
    if settings.master_key is None:
        return KeyFile(path)
    text = settings.master_key.get_secret_value()
    return KeyFile(path, Vault(lambda: read_master_key(text)))


def exchange_store(data_dir: Path) -> Path:
    """Orders, fills and balances of the paper exchange; its journal and its lock lie beside it."""
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


ADMIN_TOKEN = "exchange-admin-token"
"""File of the token that opens the paper exchange's back door to other machines."""


def generated_token(data_dir: Path, name: str = "token") -> str:
    """The bearer token that is made once where none is configured, and kept for the owner's eyes only.

    Args:
        data_dir: The data folder.
        name: Its file in there.

    Raises:
        ConfigError: The data folder cannot be written.
    """
    path = data_dir / name
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24) + "\n", "utf-8")
        token = path.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"cannot keep a token in the data folder: {error.strerror}") from None
    if not token:
        raise ConfigError(f"the file {name} in the data folder is empty; delete it to get a new one")
    REDACTOR.learn(token)
    return token
