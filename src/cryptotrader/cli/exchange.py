"""``cryptotrader exchange``: starts the paper exchange, or with a subcommand talks to a running one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cryptotrader.cli.exchange_accounts import accounts_app
from cryptotrader.cli.exchange_faults import faults_app
from cryptotrader.cli.exchange_market import market_app
from cryptotrader.config import configure_logging
from cryptotrader.config.settings import load_settings

exchange_app = typer.Typer(invoke_without_command=True)
exchange_app.add_typer(accounts_app, name="accounts")
exchange_app.add_typer(market_app, name="market")
exchange_app.add_typer(faults_app, name="faults")


@exchange_app.callback()
def exchange(
    context: typer.Context,
    *,
    market: Annotated[
        str | None, typer.Option(help="default, synthetic[?seed=N], tape:FILE[,FILE...][?speed=N], mirror:VENUE.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    latency: Annotated[str | None, typer.Option(help="Way of an order in ms: MS[+JITTER_MS][@SEED].")] = None,
    limits: Annotated[str | None, typer.Option(help="binance, or off: count requests and refuse none.")] = None,
    faults: Annotated[Path | None, typer.Option(help="TOML file with faults to have.")] = None,
    market_latency: Annotated[str | None, typer.Option(help="How late market data is: MS[+JITTER_MS][@SEED].")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder for accounts, keys and the journal.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="TOML file with settings.")] = None,
) -> None:
    """Start the paper exchange alone: a local Binance to test a bot against. Subcommands talk to a running one."""
    if context.invoked_subcommand is not None:
        return
    # Imported here: the subcommands talk to an exchange and are none.
    from cryptotrader.runtime.exchange import run_exchange

    flags = {
        "market": market,
        "exchange_host": host,
        "exchange_port": port,
        "exchange_latency": latency,
        "exchange_limits": limits,
        "exchange_faults": faults,
        "exchange_market_latency": market_latency,
        "data_dir": data_dir,
    }
    settings = load_settings(flags, config_file=config)
    configure_logging(settings.log_level)
    raise typer.Exit(run_exchange(settings))
