"""``cryptotrader diagnose``: does every request of the WebSocket API work, here and now?"""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from colorama import init

from cryptotrader.core.errors import ConfigError


def diagnose(
    *,
    testnet: Annotated[bool, typer.Option("--testnet", help="Run against Binance's testnet.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Run against Binance; reads only, never places an order.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Run against the WebSocket API at this address.")] = None,
    orders: Annotated[
        bool, typer.Option("--orders", help="With --url: place and cancel orders there as well.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; what happens is told on stderr.")] = False,
) -> None:
    """Try every request of the WebSocket API, and time it beside REST; exit code 1 where something fails.

    Without a flag it starts a paper exchange for itself and needs no network and no key.
    """
    # Imported here: no other command needs all requests.
    from cryptotrader.runtime.diagnose import diagnose_all
    from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._common import Suite, exit_code_of, run_script
    from cryptotrader.services.binance.websocketAPI.diagnostic_scripts._venues import Choice

    if testnet + live + (url is not None) > 1:
        raise ConfigError("give one of --testnet, --live and --url")
    init(autoreset=True)
    suites: list[Suite] = []

    async def main() -> int:
        print(f"{datetime.now(UTC).isoformat(timespec='seconds')}  Python {sys.version.split()[0]}")
        suites.extend(await diagnose_all(Choice(testnet=testnet, live=live, url=url, orders=orders)))
        return exit_code_of(suites)

    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        code = run_script(main)
    if as_json:
        typer.echo(json.dumps({"ok": code == 0, "suites": msgspec.to_builtins(suites)}))
    raise typer.Exit(code)
