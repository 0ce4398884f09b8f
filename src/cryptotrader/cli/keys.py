"""``cryptotrader keys``: bearer tokens that are made, listed and revoked while the server runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cryptotrader.config.settings import load_settings
from cryptotrader.core.clock import to_ms
from cryptotrader.net import SystemClock
from cryptotrader.runtime.paths import key_file
from cryptotrader.sessions.keys import KeyTerms

keys_app = typer.Typer(help="Create, list and revoke bearer tokens.", no_args_is_help=True)

DataDir = Annotated[Path | None, typer.Option(help="Folder that holds the keys; the same as the server's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@keys_app.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="Who or what the key is for.")],
    scopes: Annotated[str, typer.Option(help="Comma-separated: read, trade, admin.")] = "read",
    account: Annotated[str, typer.Option(help="Account at the venue that the key acts for.")] = "default",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its secret is the bearer token; it is shown this once and kept only as a hash."""
    file = key_file(load_settings({"data_dir": data_dir}))
    wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
    new = file.create(name, wanted, now_ms=to_ms(SystemClock().now_ns()), terms=KeyTerms(account=account))
    if as_json:
        typer.echo(json.dumps({"key": new.key, "secret": new.secret}))
    else:
        typer.echo(f"key     {new.key}\nsecret  {new.secret}\n\nSend it as:  Authorization: Bearer <secret>")


@keys_app.command("list")
def list_keys(*, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Show all keys, without their secrets."""
    stored = key_file(load_settings({"data_dir": data_dir})).read()
    rows = [
        {
            "key": key.id,
            "name": key.name,
            "scopes": list(key.scopes),
            "account": key.account,
            "created": datetime.fromtimestamp(key.created_ms / 1000, UTC).isoformat(timespec="seconds"),
            "state": "active" if key.revoked_ms is None else "revoked",
        }
        for key in stored
    ]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(f"{row['key']}  {row['state']:8}{','.join(row['scopes']):18}{row['created']}  {row['name']}")
    if not rows:
        typer.echo("no keys yet; make one with: cryptotrader keys create --name NAME --scopes read,trade")


@keys_app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id or name.")],
    *,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a key useless at once; its open WebSockets are closed with 1008."""
    file = key_file(load_settings({"data_dir": data_dir}))
    stored = file.revoke(key, now_ms=to_ms(SystemClock().now_ns()))
    typer.echo(
        json.dumps({"key": stored.id, "state": "revoked"}) if as_json else f"revoked {stored.id} ({stored.name})"
    )
