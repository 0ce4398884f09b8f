"""``cryptotrader keys``: keys of this server's clients, made, listed and revoked while it runs."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from cryptotrader.config.settings import load_settings
from cryptotrader.core.clock import to_ms
from cryptotrader.core.errors import ConfigError, InvalidParams
from cryptotrader.net import SystemClock
from cryptotrader.runtime.paths import key_file
from cryptotrader.sessions.keys import KeyFile, KeyKind, KeyLimits, KeyTerms, StoredKey

keys_app = typer.Typer(help="Create, list and revoke keys of this server's clients.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Folder that holds the keys; the same as the server's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

MAX_PUBLIC_KEY_BYTES = 4_096
"""Largest file taken for a public key. Reason: the PEM of an Ed25519 key has 113 bytes."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@keys_app.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="Who or what the key is for.")],
    scopes: Annotated[str, typer.Option(help="Comma-separated: read, trade, admin.")] = "read",
    account: Annotated[str, typer.Option(help="Account at the venue that the key acts for.")] = "default",
    kind: Annotated[
        KeyKind, typer.Option("--type", help="hmac: a secret, also sent as bearer token. ed25519: a key pair of yours.")
    ] = KeyKind.HMAC,
    public_key: Annotated[Path | None, typer.Option(help="PEM file with the public half of an Ed25519 key.")] = None,
    ip: Annotated[list[str] | None, typer.Option(help="Address or network it may come from; can be repeated.")] = None,
    expires: Annotated[str | None, typer.Option(help="30d, 12h, 90m, or a date such as 2027-01-31T12:00Z.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(help="REST requests, instead of the server's.")] = None,
    connections: Annotated[int | None, typer.Option(help="WebSockets at a time.")] = None,
    subscriptions: Annotated[int | None, typer.Option(help="Subscriptions of one WebSocket.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its secret is shown this once; a hash and an encrypted copy of it are kept."""
    now_ms = _now_ms()
    terms = KeyTerms(
        account=account,
        public_key=_public_key(kind, public_key),
        addresses=tuple(ip or ()),
        expires_ms=None if expires is None else _expiry(expires, now_ms),
        limits=KeyLimits(requests_per_minute, connections, subscriptions),
    )
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    new = _file(data_dir).create(name, wanted, now_ms=now_ms, terms=terms)
    if as_json:
        typer.echo(json.dumps({"key": new.key, "secret": new.secret} if new.secret else {"key": new.key}))
    elif new.secret:
        typer.echo(f"key     {new.key}\nsecret  {new.secret}\n\nSend it as:  Authorization: Bearer <secret>")
        typer.echo("On /ws:      log in with the key, and sign with the secret")
    else:
        typer.echo(f"key     {new.key}\n\nOn /ws:  log in with the key, and sign with your private key")


@keys_app.command("list")
def list_keys(*, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show all keys, without their secrets."""
    now_ms = _now_ms()
    stored = _file(data_dir).read()
    if as_json:
        typer.echo(json.dumps([_row(key, now_ms) for key in stored]))
        return
    for key in stored:
        row = f"{key.id}  {key.state(now_ms):8}{','.join(key.scopes):18}{key.account:12} {_time(key.created_ms)}  "
        typer.echo(row + "  ".join([key.name, *_notes(key)]))
    if not stored:
        typer.echo("no keys yet; make one with: cryptotrader keys create --name NAME --scopes read,trade")


@keys_app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id or name.")],
    *,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a key useless at once; its open WebSockets are closed with 1008."""
    stored = _file(data_dir).revoke(key, now_ms=_now_ms())
    typer.echo(
        json.dumps({"key": stored.id, "state": "revoked"}) if as_json else f"revoked {stored.id} ({stored.name})"
    )


def _file(data_dir: Path | None) -> KeyFile:
    return key_file(load_settings({"data_dir": data_dir}))


def _now_ms() -> int:
    return to_ms(SystemClock().now_ns())


def _public_key(kind: KeyKind, path: Path | None) -> str | None:
    if (kind is KeyKind.ED25519) != (path is not None):
        text = "--type ed25519 needs --public-key FILE, and no other type has one"
        raise InvalidParams(f"{text}; make a pair with: openssl genpkey -algorithm ed25519", param="public-key")
    if path is None:
        return None
    try:
        if path.stat().st_size > MAX_PUBLIC_KEY_BYTES:
            raise ConfigError(f"{path.name} is too large for a public key")
        return path.read_text("ascii")
    except OSError as error:
        raise ConfigError(f"cannot read the public key {path.name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path.name} is no public key in PEM") from None


def _expiry(text: str, now_ms: int) -> int:
    """``30d``, ``12h``, ``90m`` from now, or a date with an optional time and zone (UTC where there is none)."""
    try:
        if found := re.fullmatch(r"([0-9]{1,6})([mhd])", text):
            after = timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})
            return now_ms + after // timedelta(milliseconds=1)
        at = datetime.fromisoformat(text)
        return int((at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp() * 1_000)
    except (ValueError, OverflowError):
        text = f"{text!r} is neither a time from now such as 30d, 12h or 90m nor a date such as 2027-01-31T12:00Z"
        raise InvalidParams(text, param="expires") from None


def _row(key: StoredKey, now_ms: int) -> dict[str, object]:
    return {
        "key": key.id,
        "name": key.name,
        "type": key.kind.value,
        "scopes": list(key.scopes),
        "account": key.account,
        "created": _time(key.created_ms),
        "expires": None if key.expires_ms is None else _time(key.expires_ms),
        "ip": list(key.addresses),
        "limits": {name: value for name, value in _limits(key.limits) if value is not None},
        "can_log_in": key.sealed_secret is not None or key.public_key is not None,
        "state": key.state(now_ms),
    }


def _notes(key: StoredKey) -> list[str]:
    """What is special about a key."""
    notes = [f"{name}={value}" for name, value in _limits(key.limits) if value is not None]
    if key.kind is not KeyKind.HMAC:
        notes.append(key.kind.value)
    if key.addresses:
        notes.append("from " + ",".join(key.addresses))
    if key.expires_ms is not None:
        notes.append(f"until {_time(key.expires_ms)}")
    return notes


def _limits(limits: KeyLimits) -> list[tuple[str, int | None]]:
    return [(name, getattr(limits, name)) for name in KeyLimits.__struct_fields__]


def _time(time_ms: int) -> str:
    try:
        return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return "in the far future"
