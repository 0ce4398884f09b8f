"""Which key signs for which account at the venue."""

from __future__ import annotations

from pydantic import SecretStr

from cryptotrader.config.settings import Settings
from cryptotrader.core.errors import ConfigError
from cryptotrader.runtime.exchange import exchange_key
from cryptotrader.services.binance.signing import Credentials


def credentials_of(settings: Settings) -> Credentials | None:
    """The key of the default account; on paper the exchange's own where none is configured.

    Raises:
        ConfigError: A key without a secret, or a private key that cannot be read.
    """
    key, secret = settings.binance_api_key, settings.binance_private_key or settings.binance_api_secret
    if key is None and secret is None:
        return _paper_credentials(settings) if settings.venue == "paper" else None
    if key is None or secret is None:
        raise ConfigError("BINANCE_API_KEY and BINANCE_API_SECRET (or BINANCE_PRIVATE_KEY) must be set together")
    return _credentials(key, secret, settings.binance_private_key_password)


def credentials_by_account(settings: Settings) -> dict[str, Credentials]:
    """The keys of all other accounts that are configured.

    Raises:
        ConfigError: A private key cannot be read.
    """
    found = {}
    for name, account in settings.accounts.items():
        secret = account.private_key or account.api_secret
        assert secret is not None, "the settings see to it"
        try:
            found[name] = _credentials(account.api_key, secret, account.private_key_password)
        except ConfigError as error:
            raise ConfigError(f"account {name}: {error.message}") from None
    return found


def _paper_credentials(settings: Settings) -> Credentials:
    key = exchange_key(settings)
    return Credentials.of(key.id, key.secret)


def _credentials(key: SecretStr, secret: SecretStr, password: SecretStr | None) -> Credentials:
    text = password.get_secret_value() if password is not None else None
    return Credentials.of(key.get_secret_value(), secret.get_secret_value(), password=text)
