"""The ``cryptotrader`` command: reads flags, hands settings to the runtime, prints what comes back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cryptotrader import __version__
from cryptotrader.cli.diagnose import diagnose
from cryptotrader.cli.doctor import doctor
from cryptotrader.cli.exchange import exchange_app
from cryptotrader.cli.keys import keys_app
from cryptotrader.config import configure_logging
from cryptotrader.config.settings import load_settings
from cryptotrader.core.errors import CryptotraderError
from cryptotrader.runtime.serve import run_serve

app = typer.Typer(
    name="cryptotrader",
    help="One server between your programs and crypto exchanges, with a paper exchange inside.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(keys_app, name="keys")
app.add_typer(exchange_app, name="exchange")
app.command()(doctor)
app.command()(diagnose)

Config = Annotated[Path | None, typer.Option("--config", help="TOML file with settings.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder for keys, the token and the paper exchange's journal.")]
Market = Annotated[
    str | None,
    typer.Option(
        help="Who moves the paper market: default, synthetic[?seed=N], tape:FILE[,FILE...][?speed=N&loop=true], "
        "mirror:VENUE."
    ),
]


@app.command()
def serve(  # one parameter per flag
    *,
    venue: Annotated[str | None, typer.Option(help="paper, binance, binance-testnet or binance-us.")] = None,
    market: Market = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the gateway; 0 takes a free one.")] = None,
    exchange_port: Annotated[int | None, typer.Option(help="Port of the paper exchange; 0 takes a free one.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
    live_trading: Annotated[bool | None, typer.Option("--live-trading", help="Allow orders with real money.")] = None,
    binance_rest_url: Annotated[str | None, typer.Option(help="Another REST address than the venue's own.")] = None,
    binance_stream_url: Annotated[str | None, typer.Option(help="Another stream address.")] = None,
    binance_ws_api_url: Annotated[str | None, typer.Option(help="Another WebSocket API address.")] = None,
) -> None:
    """Start the gateway, and with the venue ``paper`` the paper exchange behind it."""
    flags = dict(locals())
    path = flags.pop("config")
    settings = load_settings(flags, config_file=path)
    configure_logging(settings.log_level)
    raise typer.Exit(run_serve(settings))


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Entry point; an error of ours is one clear line and exit code 1, not a traceback."""
    try:
        app()
    except CryptotraderError as error:
        print(f"cryptotrader: {error.message}", file=sys.stderr)
        sys.exit(1)
