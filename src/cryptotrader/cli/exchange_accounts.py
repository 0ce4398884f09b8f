"""``cryptotrader exchange accounts``: accounts and keys of a running paper exchange."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cryptotrader.cli.backdoor import BackDoor, Json, Token, Url, pairs, show
from cryptotrader.core.errors import ConfigError

accounts_app = typer.Typer(help="Accounts of a running paper exchange.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys of an account.", no_args_is_help=True)
accounts_app.add_typer(keys_app, name="keys")

Account = Annotated[str, typer.Argument(help="The account's name.")]
Balances = Annotated[
    list[str] | None, typer.Option("--balance", help="ASSET=AMOUNT; repeat for several. By default those of the start.")
]
Kinds = Annotated[list[str] | None, typer.Option("--key", help="hmac, ed25519 or rsa; repeat for several.")]
Permissions = Annotated[list[str] | None, typer.Option("--permission", help="USER_DATA or TRADE; repeat for both.")]
Addresses = Annotated[
    list[str] | None, typer.Option("--address", help="Address or network that may use the key; repeat for several.")
]


@accounts_app.command()
def create(
    account: Account,
    *,
    balance: Balances = None,
    key: Kinds = None,
    maker_bps: Annotated[int | None, typer.Option(help="Maker commission in hundredths of a percent.")] = None,
    taker_bps: Annotated[int | None, typer.Option(help="Taker commission in hundredths of a percent.")] = None,
    realism: Annotated[str | None, typer.Option(help="optimistic, realistic or pessimistic fills.")] = None,
    permission_set: Annotated[
        list[str] | None, typer.Option(help="SPOT, TRD_GRP_004 and so on; repeat for several.")
    ] = None,
    latency_ms: Annotated[int | None, typer.Option(help="Way of an order to the engine, and back again.")] = None,
    jitter_ms: Annotated[int, typer.Option(help="Up to so much more, each way.")] = 0,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Open an account. Its secrets are shown this once."""
    body: dict[str, object] = {"account": account}
    optional = {
        "balances": pairs(balance, "ASSET=AMOUNT"),
        "keys": key or None,
        "maker_bps": maker_bps,
        "taker_bps": taker_bps,
        "realism": realism,
        "permissions": permission_set or None,
        "latency": None if latency_ms is None else {"fixed_ms": latency_ms, "jitter_ms": jitter_ms},
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    made = BackDoor(url, token).ask("POST", "/accounts", body)
    lines = [_line(made), *(_key_lines(each) for each in made["keys"])]
    show(made, "\n".join(lines), as_json=as_json)


@accounts_app.command("list")
def list_accounts(*, url: Url = None, token: Token = None, as_json: Json = False) -> None:
    """Show all accounts with what they hold."""
    found = BackDoor(url, token).ask("GET", "/accounts")
    show(found, "\n".join(_line(each) for each in found), as_json=as_json)


@accounts_app.command()
def fills(
    account: Account,
    symbol: Annotated[str, typer.Argument(help="BTCUSDT and so on.")],
    *,
    limit: Annotated[int, typer.Option(help="Most fills, the latest.", min=1, max=1000)] = 100,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Show the latest fills and why each of them happened."""
    found = BackDoor(url, token).ask("GET", f"/accounts/{account}/fills?symbol={quote(symbol)}&limit={limit}")
    lines = (f"{each['order_id']}  {each['side']} {each['qty']} at {each['price']}  {each['why']}" for each in found)
    show(found, "\n".join(lines) or "no fills", as_json=as_json)


@accounts_app.command()
def deposit(
    account: Account,
    asset: Annotated[str, typer.Argument(help="USDT, BTC and so on.")],
    amount: Annotated[str, typer.Argument(help="How much.")],
    *,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Add paper money; the account's streams tell of it."""
    _move(account, asset, amount, door=BackDoor(url, token), as_json=as_json)


@accounts_app.command()
def withdraw(
    account: Account,
    asset: Annotated[str, typer.Argument(help="USDT, BTC and so on.")],
    amount: Annotated[str, typer.Argument(help="How much.")],
    *,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Take paper money away, at most what is free."""
    _move(account, asset, f"-{amount}", door=BackDoor(url, token), as_json=as_json)


@accounts_app.command()
def reset(
    account: Account, *, balance: Balances = None, url: Url = None, token: Token = None, as_json: Json = False
) -> None:
    """Cancel all open orders and set the balances; those not named become zero."""
    balances = pairs(balance, "ASSET=AMOUNT")
    body = {} if balances is None else {"balances": balances}
    shown = BackDoor(url, token).ask("POST", f"/accounts/{account}/reset", body)
    show(shown, f"{_line(shown)}\ncancelled {shown['cancelled']}", as_json=as_json)


@accounts_app.command("set")
def change(
    account: Account,
    *,
    maker_bps: Annotated[int | None, typer.Option(help="Maker commission in hundredths of a percent.")] = None,
    taker_bps: Annotated[int | None, typer.Option(help="Taker commission in hundredths of a percent.")] = None,
    realism: Annotated[str | None, typer.Option(help="optimistic, realistic or pessimistic fills.")] = None,
    can_trade: Annotated[bool | None, typer.Option(help="Whether it may place and cancel orders.")] = None,
    pays_in_bnb: Annotated[bool | None, typer.Option(help="Whether commission is paid in BNB at a discount.")] = None,
    permission_set: Annotated[list[str] | None, typer.Option(help="SPOT, TRD_GRP_004 and so on.")] = None,
    latency_ms: Annotated[int | None, typer.Option(help="Way of an order to the engine, and back again.")] = None,
    jitter_ms: Annotated[int, typer.Option(help="Up to so much more, each way.")] = 0,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Change an account's fees and terms."""
    optional = {
        "maker_bps": maker_bps,
        "taker_bps": taker_bps,
        "realism": realism,
        "can_trade": can_trade,
        "pays_in_bnb": pays_in_bnb,
        "permissions": permission_set or None,
        "latency": None if latency_ms is None else {"fixed_ms": latency_ms, "jitter_ms": jitter_ms},
    }
    body = {name: value for name, value in optional.items() if value is not None}
    shown = BackDoor(url, token).ask("PATCH", f"/accounts/{account}", body)
    show(shown, _line(shown), as_json=as_json)


@keys_app.command("create")
def create_key(
    account: Account,
    *,
    kind: Annotated[str, typer.Option(help="hmac, ed25519 or rsa.")] = "hmac",
    public_key: Annotated[Path | None, typer.Option(help="PEM file of a key pair that you made.")] = None,
    permission: Permissions = None,
    address: Addresses = None,
    name: Annotated[str, typer.Option(help="Who or what it is for.")] = "",
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Make a key. Its secret is shown this once."""
    body: dict[str, object] = {"kind": kind, "name": name, "addresses": address or []}
    if permission:
        body["permissions"] = permission
    if public_key is not None:
        try:
            body["public_key"] = public_key.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"cannot read {public_key}") from None
    made = BackDoor(url, token).ask("POST", f"/accounts/{account}/keys", body)
    show(made, _key_lines(made), as_json=as_json)


@keys_app.command("list")
def list_keys(account: Account, *, url: Url = None, token: Token = None, as_json: Json = False) -> None:
    """Show an account's keys, without their secrets."""
    found = BackDoor(url, token).ask("GET", f"/accounts/{account}/keys")
    lines = [
        f"{each['key']}  {each['kind']:8}{','.join(each['permissions']):18}"
        f"{','.join(each['addresses']) or 'anywhere'}  {each['name']}"
        for each in found
    ]
    show(found, "\n".join(lines), as_json=as_json)


@keys_app.command("set")
def change_key(
    account: Account,
    key: Annotated[str, typer.Argument(help="The key's id.")],
    *,
    permission: Permissions = None,
    address: Addresses = None,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Change what a key may do, and from where."""
    body = {name: value for name, value in (("permissions", permission), ("addresses", address)) if value}
    changed = BackDoor(url, token).ask("PATCH", f"/accounts/{account}/keys/{key}", body)
    show(changed, _key_lines(changed), as_json=as_json)


@keys_app.command()
def revoke(
    account: Account,
    key: Annotated[str, typer.Argument(help="The key's id.")],
    *,
    url: Url = None,
    token: Token = None,
    as_json: Json = False,
) -> None:
    """Make a key useless at once."""
    done = BackDoor(url, token).ask("DELETE", f"/accounts/{account}/keys/{key}")
    show(done, f"revoked {done['revoked']}", as_json=as_json)


def _move(account: str, asset: str, amount: str, *, door: BackDoor, as_json: bool) -> None:
    shown = door.ask("POST", f"/accounts/{account}/deposit", {"asset": asset.upper(), "amount": amount})
    show(shown, _line(shown), as_json=as_json)


def _line(account: dict[str, Any]) -> str:
    held = [
        f"{asset} {each['free']}" + (f" (+{each['locked']} locked)" if each["locked"].strip("0.") else "")
        for asset, each in account["balances"].items()
        if (each["free"] + each["locked"]).strip("0.")
    ]
    return f"{account['account']:20} uid {account['uid']}  {', '.join(held) or 'holds nothing'}"


def _key_lines(key: dict[str, Any]) -> str:
    lines = [f"key     {key['key']}   {key['kind']}  {','.join(key['permissions'])}"]
    if "secret" in key:
        lines.append(f"secret  {key['secret']}")
    if "private_key" in key:
        lines.append(str(key["private_key"]).rstrip())
    return "\n".join(lines)
