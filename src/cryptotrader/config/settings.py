"""All settings of the process, read once: command line, then environment, then a TOML file, then defaults.

Every setting has the environment name ``CRYPTOTRADER_<NAME>``; the names that the product's documents use (S0-1 to
S0-3, C-19) come first. A secret may also be given as ``<NAME>_FILE``, the path of a file that holds it.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from cryptotrader.config.accounts import Accounts
from cryptotrader.config.addresses import may_be_real_money
from cryptotrader.config.secrets import REDACTOR
from cryptotrader.core.errors import ConfigError

VenueName = Literal["paper", "binance", "binance-testnet", "binance-us"]
UserStreamMode = Literal["auto", "signature", "listenkey"]
Mode = Literal["paper", "testnet", "live"]


def _names(name: str, *documented: str) -> AliasChoices:
    return AliasChoices(*documented, f"CRYPTOTRADER_{name.upper()}", name)


def _split(value: object) -> object:
    """Comma-separated text to a list without blanks."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Port = Annotated[int, Field(ge=0, le=65_535)]


def default_data_dir() -> Path:
    """Where keys, tokens and the paper exchange's journal are kept: the user's data folder (XDG)."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "cryptotrader"


class Settings(BaseSettings):
    """One value per setting; see the README's table for what each means."""

    model_config = SettingsConfigDict(extra="forbid", env_ignore_empty=True, populate_by_name=True, frozen=True)

    venue: VenueName = Field("paper", validation_alias=_names("venue"))
    market: str = Field("default", validation_alias=_names("market"))
    host: str = Field("127.0.0.1", validation_alias=_names("host", "HTTP_HOST", "HOST"))
    port: Port = Field(3000, validation_alias=_names("port", "HTTP_PORT", "PORT"))
    exchange_host: str = Field("127.0.0.1", validation_alias=_names("exchange_host"))
    exchange_port: Port = Field(3100, validation_alias=_names("exchange_port"))
    exchange_admin_token: SecretStr | None = Field(None, validation_alias=_names("exchange_admin_token"))
    exchange_latency: str = Field("0", validation_alias=_names("exchange_latency"))
    exchange_market_latency: str = Field("0", validation_alias=_names("exchange_market_latency"))
    exchange_limits: Literal["binance", "off"] = Field("binance", validation_alias=_names("exchange_limits"))
    exchange_faults: Path | None = Field(None, validation_alias=_names("exchange_faults"))
    data_dir: Path = Field(default_factory=default_data_dir, validation_alias=_names("data_dir"))
    binance_rest_url: str | None = Field(None, validation_alias=_names("binance_rest_url"))
    binance_stream_url: str | None = Field(None, validation_alias=_names("binance_stream_url"))
    binance_ws_api_url: str | None = Field(None, validation_alias=_names("binance_ws_api_url"))

    bearer_tokens: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)] = Field(
        (), validation_alias=_names("bearer_tokens", "HTTP_BEARER_TOKEN")
    )
    binance_api_key: SecretStr | None = Field(None, validation_alias=_names("binance_api_key", "BINANCE_API_KEY"))
    binance_api_secret: SecretStr | None = Field(
        None, validation_alias=_names("binance_api_secret", "BINANCE_API_SECRET", "BINANCE_SECRET_KEY")
    )
    binance_private_key: SecretStr | None = Field(
        None, validation_alias=_names("binance_private_key", "BINANCE_PRIVATE_KEY")
    )
    binance_private_key_password: SecretStr | None = Field(
        None, validation_alias=_names("binance_private_key_password", "BINANCE_PRIVATE_KEY_PASSWORD")
    )
    accounts: Accounts = Field({}, validation_alias=_names("accounts"))
    master_key: SecretStr | None = Field(None, validation_alias=_names("master_key"))

    rate_limit: int = Field(100, ge=1, le=1_000_000, validation_alias=_names("rate_limit", "HTTP_RATE_LIMIT"))
    max_ws_connections: int = Field(
        50,
        ge=1,
        le=100_000,
        validation_alias=_names("max_ws_connections", "MAX_WS_CONNECTIONS", "HTTP_MAX_WEBSOCKET_CONNECTIONS"),
    )
    max_connections: int = Field(
        10_000, ge=1, le=1_000_000, validation_alias=_names("max_connections", "WS_MAX_CONNECTIONS")
    )
    user_stream_mode: UserStreamMode = Field("auto", validation_alias=_names("user_stream_mode", "USER_STREAM_MODE"))
    live_trading: bool = Field(False, validation_alias=_names("live_trading"))
    upstream_timeout_s: float = Field(10.0, gt=0, le=60, validation_alias=_names("upstream_timeout_s"))
    symbol_linger_s: float = Field(60.0, ge=0, le=3_600, validation_alias=_names("symbol_linger_s"))
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias=_names("log_level", "LOG_LEVEL")
    )

    FILE_NAMES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("HTTP_BEARER_TOKEN", "bearer_tokens"),
        ("BINANCE_API_KEY", "binance_api_key"),
        ("BINANCE_API_SECRET", "binance_api_secret"),
        ("BINANCE_SECRET_KEY", "binance_api_secret"),
        ("BINANCE_PRIVATE_KEY", "binance_private_key"),
        ("BINANCE_PRIVATE_KEY_PASSWORD", "binance_private_key_password"),
        ("CRYPTOTRADER_EXCHANGE_ADMIN_TOKEN", "exchange_admin_token"),
        ("CRYPTOTRADER_ACCOUNTS", "accounts"),
        ("CRYPTOTRADER_MASTER_KEY", "master_key"),
    )

    @property
    def mode(self) -> Mode:
        """What an order is: ``paper``, ``testnet`` or ``live`` money. The address counts for more than the name."""
        addresses = (self.binance_rest_url, self.binance_ws_api_url)
        if self.venue in ("binance", "binance-us") or any(may_be_real_money(url) for url in addresses if url):
            return "live"
        return "paper" if self.venue == "paper" else "testnet"

    @property
    def may_trade(self) -> bool:
        """Orders with real money need their own switch."""
        return self.mode != "live" or self.live_trading

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect to the gateway."""
        return is_loopback(self.host)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, environment, files that hold a secret, TOML file: the first that has a value wins."""
        toml = TomlConfigSettingsSource(settings_cls, _config_file.get())
        return (init_settings, env_settings, _SecretFiles(settings_cls), toml)


class _SecretFiles(InitSettingsSource):
    """``<NAME>_FILE`` for every secret."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        values: dict[str, Any] = {}
        for name, field in Settings.FILE_NAMES:
            path = os.environ.get(f"{name}_FILE")
            if path and field not in values:
                try:
                    values[field] = Path(path).read_text("utf-8").strip()
                except (OSError, UnicodeDecodeError) as error:
                    raise ConfigError(f"cannot read the file that {name}_FILE names: {type(error).__name__}") from None
        super().__init__(settings_cls, init_kwargs=values)


_config_file: ContextVar[Path | None] = ContextVar("config_file", default=None)


def is_loopback(host: str) -> bool:
    """Whether a bind address is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(flags: Mapping[str, object] | None = None, *, config_file: Path | None = None) -> Settings:
    """Merge all sources.

    Args:
        flags: Values from the command line by field name; None means not given.
        config_file: A TOML file whose keys are field names; ``CRYPTOTRADER_CONFIG`` where None.

    Raises:
        ConfigError: A value is wrong, a key unknown, a file unreadable. The text names it and holds no secret.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    path = config_file or _path(os.environ.get("CRYPTOTRADER_CONFIG"))
    if path is not None and not path.is_file():
        raise ConfigError(f"no configuration file {path.name}")
    token = _config_file.set(path)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise ConfigError(f"wrong setting: {problems}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read the configuration file: {error}") from None
    finally:
        _config_file.reset(token)
    for secret in (
        *settings.bearer_tokens,
        settings.binance_api_key,
        settings.binance_api_secret,
        settings.binance_private_key,
        settings.binance_private_key_password,
        settings.exchange_admin_token,
        settings.master_key,
        *(secret for account in settings.accounts.values() for secret in account.secrets),
    ):
        REDACTOR.learn(secret.get_secret_value() if secret else None)
    return settings


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
