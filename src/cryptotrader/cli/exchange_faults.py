"""``cryptotrader exchange faults``: bad days of a venue, on demand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cryptotrader.cli.backdoor import BackDoor, Json, Token, Url, show
from cryptotrader.core.errors import ConfigError

faults_app = typer.Typer(help="Faults that wait for requests to a running paper exchange.", no_args_is_help=True)


@faults_app.command()
def add(
    kind: Annotated[str, typer.Argument(help="error, land_and_silence, rate_limit, cut, stream_drop and so on.")],
    *,
    operation: Annotated[str | None, typer.Option(help="Of requests: a method of the WebSocket API, or *.")] = None,
    stream: Annotated[str | None, typer.Option(help="Of streams: depth, trade, user and so on, or *.")] = None,
    connections: Annotated[str | None, typer.Option(help="Of connections: streams, ws-api or *.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Of streams: whose.")] = None,
    account: Annotated[str | None, typer.Option(help="Whose requests or events.")] = None,
    count: Annotated[int | None, typer.Option(help="How often it happens.")] = None,
    probability: Annotated[float | None, typer.Option(help="How likely each is hit that could be.")] = None,
    after_s: Annotated[float | None, typer.Option(help="When it begins.")] = None,
    for_s: Annotated[float | None, typer.Option(help="How long it lasts.")] = None,
    code: Annotated[int | None, typer.Option(help="Error code.")] = None,
    msg: Annotated[str | None, typer.Option(help="Error text.")] = None,
    delay_ms: Annotated[int | None, typer.Option(help="How late, for delays.")] = None,
    field: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of anything else that the fault takes; repeat for several.")
    ] = None,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Let a fault wait for the requests that it is to befall."""
    named: dict[str, object] = {
        "operation": operation,
        "stream": stream,
        "connections": connections,
        "symbol": symbol,
        "account": account,
        "count": count,
        "probability": probability,
        "after_s": after_s,
        "for_s": for_s,
        "code": code,
        "msg": msg,
        "delay_ms": delay_ms,
    }
    body: dict[str, object] = {"kind": kind, **{name: value for name, value in named.items() if value is not None}}
    for text in field or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"{text!r}: expected NAME=VALUE")
        body[name] = _value(value)
    made = BackDoor(url, token).ask("POST", "/faults", body)
    show(made, _line(made), as_json=as_json)


@faults_app.command("list")
def list_faults(*, url: Url = None, token: Token = None, as_json: Json = False) -> None:
    """Show the faults that wait."""
    found = BackDoor(url, token).ask("GET", "/faults")
    show(found, "\n".join(_line(each) for each in found), as_json=as_json)


@faults_app.command()
def clear(
    fault: Annotated[int | None, typer.Argument(help="Its number; without one all are forgotten.")] = None,
    *,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Forget one fault or all."""
    done = BackDoor(url, token).ask("DELETE", "/faults" if fault is None else f"/faults/{fault}")
    show(done, f"cleared {done['cleared']}", as_json=as_json)


@faults_app.command()
def rules(
    file: Annotated[Path, typer.Argument(help="TOML file with faults.")],
    *,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Let all faults of a rules file wait; none may be waiting yet."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"cannot read {file}") from None
    found = BackDoor(url, token).ask("POST", "/faults/rules", {"text": text})
    show(found, "\n".join(_line(each) for each in found), as_json=as_json)


def _value(text: str) -> object:
    """A number or truth where it is one, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _line(fault: dict[str, Any]) -> str:
    told = "  ".join(f"{name}={value}" for name, value in fault["spec"].items())
    return f"{fault['id']:>4}  {told}  left={'any' if fault['left'] is None else fault['left']}  hits={fault['hits']}"
