"""``cryptotrader doctor``: prints one verdict a line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cryptotrader.config.settings import load_settings
from cryptotrader.runtime.doctor import examine


def doctor(
    *,
    venue: Annotated[str | None, typer.Option(help="paper, binance, binance-testnet or binance-us.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the gateway.")] = None,
    exchange_port: Annotated[int | None, typer.Option(help="Port of the paper exchange.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="TOML file with settings.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check clock, network, streams, credentials and the gateway; exit code 1 where something is wrong."""
    settings = load_settings({"venue": venue, "port": port, "exchange_port": exchange_port}, config_file=config)
    verdicts = asyncio.run(examine(settings))
    if as_json:
        typer.echo(json.dumps(msgspec.to_builtins(verdicts)))
    else:
        for verdict in verdicts:
            mark = typer.style("ok  ", fg="green") if verdict.ok else typer.style("FAIL", fg="red")
            typer.echo(f"{mark}  {verdict.check:14} {verdict.text}")
            if verdict.hint:
                typer.echo(f"{'':20} {verdict.hint}")
    raise typer.Exit(0 if all(verdict.ok for verdict in verdicts) else 1)
