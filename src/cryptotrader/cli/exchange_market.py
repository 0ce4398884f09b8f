"""``cryptotrader exchange market``: how the market of a running paper exchange moves."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cryptotrader.cli.backdoor import BackDoor, Json, Token, Url, show

market_app = typer.Typer(help="Control the market of a running paper exchange.", no_args_is_help=True)

Symbol = Annotated[str | None, typer.Option(help="Only the source that serves this symbol.")]


@market_app.command()
def status(*, url: Url = None, token: Token = None, as_json: Json = False) -> None:
    """Show every source of the market."""
    found = BackDoor(url, token).ask("GET", "/market")
    show(found, _lines(found), as_json=as_json)


@market_app.command()
def pause(*, symbol: Symbol = None, url: Url = None, token: Token = None, as_json: Json = False) -> None:
    """Let the market stand still; orders are matched all the same."""
    _control({"action": "pause"}, symbol, door=BackDoor(url, token), as_json=as_json)


@market_app.command()
def play(*, symbol: Symbol = None, url: Url = None, token: Token = None, as_json: Json = False) -> None:
    """Go on."""
    _control({"action": "play"}, symbol, door=BackDoor(url, token), as_json=as_json)


@market_app.command()
def step(
    count: Annotated[int, typer.Argument(help="How many events.")] = 1,
    *,
    symbol: Symbol = None,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Hand over the next events of a paused market."""
    _control({"action": "step", "count": count}, symbol, door=BackDoor(url, token), as_json=as_json)


@market_app.command()
def seek(
    position_s: Annotated[float, typer.Argument(help="Seconds from the beginning of the recording.")],
    *,
    symbol: Symbol = None,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Go to a place of a recording; in the next loop where it lies behind."""
    _control({"action": "seek", "position_s": position_s}, symbol, door=BackDoor(url, token), as_json=as_json)


@market_app.command()
def speed(
    factor: Annotated[str, typer.Argument(help="Market seconds per second, or max (recordings only).")],
    *,
    symbol: Symbol = None,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Play faster or slower."""
    _control({"action": "speed", "speed": factor}, symbol, door=BackDoor(url, token), as_json=as_json)


@market_app.command()
def seed(
    number: Annotated[int, typer.Argument(help="Another number, another market.")],
    *,
    symbol: Symbol = None,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Draw the synthetic market from another seed, from the present prices on."""
    _control({"action": "seed", "seed": number}, symbol, door=BackDoor(url, token), as_json=as_json)


@market_app.command()
def halt(
    symbol: Annotated[str, typer.Argument(help="BTCUSDT and the like.")],
    *,
    status: Annotated[str, typer.Option(help="HALT, BREAK or END_OF_DAY.")] = "HALT",
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Stop the trading of a symbol."""
    _set_status(symbol, status, door=BackDoor(url, token), as_json=as_json)


@market_app.command()
def resume(
    symbol: Annotated[str, typer.Argument(help="BTCUSDT and the like.")],
    *,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Let a symbol trade again."""
    _set_status(symbol, "TRADING", door=BackDoor(url, token), as_json=as_json)


@market_app.command()
def latency(
    fixed_ms: Annotated[int | None, typer.Argument(help="Way of an order to the engine, and back again.")] = None,
    *,
    jitter_ms: Annotated[int, typer.Option(help="Up to so much more, each way.")] = 0,
    seed: Annotated[int, typer.Option(help="Same seed, same jitter.")] = 1,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Show or set how far away the exchange is for accounts that have no latency of their own."""
    door = BackDoor(url, token)
    if fixed_ms is None:
        found = door.ask("GET", "/latency")
    else:
        found = door.ask("POST", "/latency", {"fixed_ms": fixed_ms, "jitter_ms": jitter_ms, "seed": seed})
    lines = f"{found['fixed_ms']} ms each way, and up to {found['jitter_ms']} ms more"
    show(found, lines, as_json=as_json)


def _control(order: dict[str, object], symbol: str | None, *, door: BackDoor, as_json: bool) -> None:
    if symbol is not None:
        order["symbol"] = symbol.upper()
    found = door.ask("POST", "/market", order)
    show(found, _lines(found), as_json=as_json)


def _set_status(symbol: str, status: str, *, door: BackDoor, as_json: bool) -> None:
    found = door.ask("PATCH", f"/symbols/{symbol.upper()}", {"status": status.upper()})
    show(found, f"{found['symbol']}  {found['status']}", as_json=as_json)


def _lines(found: dict[str, Any]) -> str:
    return "\n".join(_line(source) for source in found["sources"])


def _line(source: dict[str, Any]) -> str:
    parts = [source["kind"], "paused" if source.get("paused") else "playing"]
    if source.get("speed") is not None:
        parts.append(f"speed {source['speed']}")
    if source.get("seed") is not None:
        parts.append(f"seed {source['seed']}")
    if source.get("position_s") is not None:
        parts.append(f"at {source['position_s']:.1f} of {source['length_s']:.1f} s, loop {source['loop']}")
    if source.get("venue") is not None:
        parts.append(f"{source['venue']} ({'live' if source['live'] else 'not reached'})")
    symbols = source["symbols"]
    named = ",".join(symbols[:5]) + (f" and {len(symbols) - 5} more" if len(symbols) > 5 else "")
    return f"{'  '.join(parts)}  {named}"
