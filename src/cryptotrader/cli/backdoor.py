"""What the subcommands of ``exchange`` share: ``/admin`` of a running one, and how answers are shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

import httpx2
import typer

from cryptotrader.config.settings import load_settings
from cryptotrader.core.errors import ConfigError

TIMEOUT_S = 30.0
"""How long an answer may take. Unit: seconds. Reason: an RSA key and a slow disk together."""

Url = Annotated[str | None, typer.Option(help="Address of the running exchange.", envvar="CRYPTOTRADER_EXCHANGE_URL")]
Token = Annotated[
    str | None,
    typer.Option(
        help="Admin token of an exchange on another machine.",
        envvar="CRYPTOTRADER_EXCHANGE_ADMIN_TOKEN",
        show_envvar=True,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True)
class BackDoor:
    """Asks a running exchange.

    Args:
        url: Its address; None is where ``cryptotrader exchange`` would listen.
        token: The admin token.
    """

    url: str | None
    token: str | None

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The answer.

        Raises:
            ConfigError: There is no exchange, or it refuses; the text says why.
        """
        url = self.url or _default_url()
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        content = None
        if method in ("POST", "PATCH"):
            headers["Content-Type"] = "application/json"
            content = json.dumps({} if body is None else body).encode()
        try:
            address = f"{url.rstrip('/')}/admin{path}"
            answer = httpx2.request(method, address, headers=headers, timeout=TIMEOUT_S, content=content)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ConfigError(f"no paper exchange answers at {url}: {type(error).__name__}") from None
        try:
            told = json.loads(answer.content)
        except ValueError:
            raise ConfigError(f"what answers at {url} is no paper exchange") from None
        if answer.is_error:
            text = told.get("msg") or told if isinstance(told, dict) else told
            raise ConfigError(f"the exchange refuses: {text}")
        return told


def _default_url() -> str:
    settings = load_settings()
    host = settings.exchange_host
    # Everything includes this machine.
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{host}:{settings.exchange_port}"


def show(content: object, lines: str, *, as_json: bool) -> None:
    """Print an answer for a program or for a person."""
    typer.echo(json.dumps(content) if as_json else lines)


def pairs(texts: list[str] | None, what: str) -> dict[str, str] | None:
    """``["USDT=1000", "BTC=2"]`` as an object; None where nothing was given.

    Raises:
        ConfigError: A text has no ``=``.
    """
    if not texts:
        return None
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise ConfigError(f"{text!r}: expected {what}")
        found[name.strip().upper()] = value.strip()
    return found
