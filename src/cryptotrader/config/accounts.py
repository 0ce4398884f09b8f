"""Credentials of accounts at a venue besides the one that ``BINANCE_API_KEY`` opens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr, model_validator
from pydantic_settings import NoDecode

DEFAULT_ACCOUNT = "default"
"""The account of every key that names none."""

ACCOUNT_PATTERN = r"[A-Za-z0-9_.-]{1,64}"
"""Names of accounts; the paper exchange takes the same."""

_SECRETS = ("api_key", "api_secret", "private_key", "private_key_password")


class AccountSettings(BaseModel):
    """One account. Each value may also be given as ``<name>_file``, the path of a file that holds it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr
    api_secret: SecretStr | None = None
    private_key: SecretStr | None = None
    private_key_password: SecretStr | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        values = dict(given)
        for name in _SECRETS:
            path = values.pop(f"{name}_file", None)
            if path is not None and name not in values:
                values[name] = _read(name, path)
        return values

    @model_validator(mode="after")
    def _has_something_to_sign_with(self) -> AccountSettings:
        if (self.api_secret is None) == (self.private_key is None):
            raise ValueError("an account needs api_secret or private_key, and not both")
        return self

    @property
    def secrets(self) -> Iterator[SecretStr]:
        """Everything that must not be shown."""
        for name in _SECRETS:
            value = getattr(self, name)
            if value is not None:
                yield value


def _read(name: str, path: object) -> str:
    try:
        return Path(str(path)).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot read the file that {name}_file names: {type(error).__name__}") from None


def _parse(value: object) -> object:
    """JSON text, as the environment has it, to an object."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        # The cause would quote a secret.
        raise ValueError("is not JSON") from None


def _check_names(accounts: dict[str, AccountSettings]) -> dict[str, AccountSettings]:
    for name in accounts:
        if name == DEFAULT_ACCOUNT:
            raise ValueError("the credentials of the default account are BINANCE_API_KEY and BINANCE_API_SECRET")
        if not re.fullmatch(ACCOUNT_PATTERN, name):
            raise ValueError("an account's name has 1 to 64 letters, digits, dots, dashes or _")
    return accounts


Accounts = Annotated[dict[str, AccountSettings], NoDecode, BeforeValidator(_parse), AfterValidator(_check_names)]
"""By name. In the environment a JSON object, in the TOML file tables ``[accounts.<name>]``."""
