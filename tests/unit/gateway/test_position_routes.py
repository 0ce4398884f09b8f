"""Positions over REST: S1-14's data, protections, errors that name the field (C-14, C-27, S0-56)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from cryptotrader.core.errors import InvalidParams, VenueTimeout
from cryptotrader.core.scaled import SCALE, parse_scaled
from cryptotrader.gateway.ports import AccountServices
from cryptotrader.portfolio.protections import Cause, Phase, Protection, Terms
from cryptotrader.sessions.auth import Authenticator
from cryptotrader.sessions.keys import DEFAULT_ACCOUNT
from cryptotrader.trading.positions.ports import Change, Discrepancy, NoPosition, PositionView
from tests.support.gateway import Bench

PATH = "/api/v1/positions"

VIEW = PositionView(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    event_ms=1_609_459_200_000,
    amount=SCALE // 2,
    cost=parse_scaled("21325"),
    average_price=parse_scaled("42650"),
    mark=parse_scaled("42900"),
    unrealised_pnl=parse_scaled("125"),
    unrealised_percent=parse_scaled("0.58"),
    realised_pnl=-1,
    fees=(("BNB", parse_scaled("0.00123456")),),
)

DOCUMENTED = {
    "symbol": "BTCUSDT", "exchange": "binance", "timestamp": 1609459200000, "type": "spot", "side": "long",
    "amount": 0.5, "cost": 21325.0, "average_price": 42650.0, "unrealized_pnl": 125.0,
    "unrealized_pnl_percentage": 0.58, "liquidation_price": None, "stop_loss": None, "take_profit": None,
    "trailing_stop": None,
}  # fmt: skip


class Desk:
    """Positions that a test makes up."""

    def __init__(self) -> None:
        self.view = VIEW
        self.changes: list[tuple[str, Change | None]] = []
        self.error: Exception | None = None

    async def all(self) -> Sequence[PositionView]:
        return [await self.one("BTCUSDT")]

    async def one(self, symbol: str) -> PositionView:
        if self.error is not None:
            raise self.error
        if symbol != "BTCUSDT":
            raise NoPosition(f"No position in {symbol}", param="symbol")
        return self.view

    is_ready = True

    def reconciliation(self) -> Sequence[Discrepancy]:
        return [Discrepancy(asset="BTC", positions=SCALE // 2, balance=2 * SCALE)]

    async def protect(self, symbol: str, change: Change) -> PositionView:
        await self.one(symbol)
        self.changes.append((symbol, change))
        return self.view

    async def unprotect(self, symbol: str) -> PositionView:
        await self.one(symbol)
        self.changes.append((symbol, None))
        return self.view


def bench(desk: Desk | None, **options: Any) -> Bench:
    built = Bench()
    account = AccountServices(built.venue, built.orders, desk)
    return Bench(options={"accounts": {DEFAULT_ACCOUNT: account}.__getitem__, **options})


async def test_positions_have_the_documented_data_and_what_else_is_known() -> None:
    """S1-14: cost is amount times average price; 0.586 percent is shown as 0.58."""
    async with bench(Desk()).client() as client:
        answer = await client.get(PATH)
    (shown,) = answer.json()["positions"]
    assert answer.status_code == 200
    assert {name: shown[name] for name in DOCUMENTED} == DOCUMENTED
    assert (shown["mark_price"], shown["protection"], shown["untracked_sold"]) == (42900.0, None, 0.0)
    assert shown["fees"] == [{"currency": "BNB", "cost": 0.00123456}]
    assert answer.json()["reconciliation"] == [{"asset": "BTC", "balance": 2.0, "positions": 0.5, "difference": 1.5}]
    assert '"realized_pnl":-0.00000001' in answer.text, "every digit, and no exponent (C-14)"


@pytest.mark.parametrize("spelling", ["BTCUSDT", "btcusdt", "BTC/USDT", "btc-usdt"])
async def test_a_position_is_found_in_any_spelling(spelling: str) -> None:
    """C-12."""
    async with bench(Desk()).client() as client:
        assert (await client.get(f"{PATH}/{spelling}")).json()["symbol"] == "BTCUSDT"


async def test_what_is_not_there_is_404_and_what_cannot_be_400() -> None:
    """S0-56."""
    async with bench(Desk()).client() as client:
        missing = await client.get(f"{PATH}/ETHUSDT")
        unknown = await client.get(f"{PATH}/NOSUCH")
        extra = await client.get(f"{PATH}/BTCUSDT", params={"limit": "1"})
    assert (missing.status_code, missing.json()) == (404, {"error": "No position in ETHUSDT", "status": 404})
    assert (unknown.status_code, unknown.json()) == (400, {"error": "Invalid symbol", "status": 400})
    assert (extra.status_code, extra.json()["error"]) == (400, "Unknown parameter: limit")


async def test_terms_are_numbers_or_texts_and_null_takes_one_away() -> None:
    """C-14, C-27."""
    desk = Desk()
    async with bench(desk).client() as client:
        body = '{"stop_loss": 41000.12345678, "take_profit": "45000", "trailing_stop": null}'
        headers = {"Content-Type": "application/json"}
        assert (await client.put(f"{PATH}/BTCUSDT", content=body, headers=headers)).status_code == 200
        assert (await client.put(f"{PATH}/BTCUSDT", json={"trailing_stop": 2.5})).status_code == 200
        assert (await client.delete(f"{PATH}/BTCUSDT")).status_code == 200
    exact = Change(stop_loss=parse_scaled("41000.12345678"), take_profit=parse_scaled("45000"), trailing_stop=None)
    assert desk.changes == [
        ("BTCUSDT", exact),
        ("BTCUSDT", Change(trailing_stop=parse_scaled("2.5"))),
        ("BTCUSDT", None),
    ]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{}", "Missing required parameter: stop_loss, take_profit or trailing_stop"),
        ('{"stop": 1}', "Unknown parameter: stop"),
        ('{"stop_loss": "x"}', "Invalid stop_loss: not a plain decimal number"),
        ('{"stop_loss": true}', "Invalid stop_loss: not a plain decimal number"),
        ('{"take_profit": -5}', "Invalid take_profit: not a plain decimal number"),
        ('{"trailing_stop": 0.123456789}', "Invalid trailing_stop: no number of at most eight decimal places"),
        ('{"trailing_stop": 1e400}', "Invalid trailing_stop: not a plain decimal number"),
        ('{"stop_loss": 1, "stop_loss": 2}', "Duplicate parameter: stop_loss"),
        ("[]", "Expected object, got array"),
        ("{", "Request body is not valid JSON"),
    ],
)
async def test_terms_that_make_no_sense_are_refused_by_name(body: str, text: str) -> None:
    """S0-56."""
    desk = Desk()
    async with bench(desk).client() as client:
        headers = {"Content-Type": "application/json"}
        answer = await client.put(f"{PATH}/BTCUSDT", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"error": text, "status": 400})
    assert desk.changes == []


async def test_what_became_of_a_protection_is_shown() -> None:
    """C-27: a refusal is never silence."""
    desk = Desk()
    protection = Protection(
        account="default",
        symbol="BTCUSDT",
        serial=1,
        terms=Terms(stop_loss=41_000 * SCALE),
        set_ms=5,
        phase=Phase.REFUSED,
        cause=Cause.STOP_LOSS,
        trigger_price=40_990 * SCALE,
        fired_ms=9,
        is_late=True,
        qty=SCALE // 2,
        detail="Filter failure: NOTIONAL",
    )
    desk.view = replace_view(protection)
    async with bench(desk).client() as client:
        shown = (await client.get(f"{PATH}/BTCUSDT")).json()
    assert shown["stop_loss"] is None
    assert shown["protection"] == {
        "status": "refused", "stop_loss": 41000.0, "take_profit": None, "trailing_stop": None,
        "trailing_stop_price": None, "set_at": 5, "cause": "stop_loss", "trigger_price": 40990.0, "triggered_at": 9,
        "is_late": True, "amount": 0.5, "filled": 0.0, "client_order_id": protection.client_order_id,
        "detail": "Filter failure: NOTIONAL",
    }  # fmt: skip


def replace_view(protection: Protection) -> PositionView:

    return msgspec.structs.replace(VIEW, protection=protection)


async def test_reading_needs_a_token_and_protecting_the_trade_scope_and_the_switch() -> None:
    """S0-50, DESIGN 4.7."""
    desk = Desk()
    async with bench(desk).client(token=None) as client:
        assert (await client.get(PATH)).status_code == 401
    async with bench(desk, authenticator=ReadOnly()).client() as client:
        assert (await client.get(PATH)).status_code == 200
        for method in ("PUT", "DELETE"):
            refused = await client.request(method, f"{PATH}/BTCUSDT", json={"stop_loss": 1})
            assert (refused.status_code, refused.json()["error"]) == (
                403,
                "Token does not allow this: needs scope trade",
            )
    async with bench(desk, may_trade=False).client() as client:
        refused = await client.put(f"{PATH}/BTCUSDT", json={"stop_loss": 1})
        assert refused.status_code == 403
        assert (await client.delete(f"{PATH}/BTCUSDT")).status_code == 200
    async with bench(None).client() as client:
        assert (await client.get(PATH)).json()["error"] == "No positions are kept for this account"
    assert desk.changes == [("BTCUSDT", None)]


class ReadOnly(Authenticator):
    def __init__(self) -> None:
        super().__init__(["test_token_123"])

    def authenticate(self, *args: Any, **kwargs: Any) -> Any:
        who = super().authenticate(*args, **kwargs)

        return msgspec.structs.replace(who, scopes=frozenset(scope for scope in who.scopes if scope == "read"))


async def test_a_venue_that_does_not_answer_and_terms_that_would_fire_are_told() -> None:
    """S0-55, S0-56."""
    desk = Desk()
    async with bench(desk).client() as client:
        desk.error = VenueTimeout("silence")
        assert (await client.get(PATH)).status_code == 504
        desk.error = InvalidParams("stop_loss must be below the present price 42900", param="stop_loss")
        refused = await client.put(f"{PATH}/BTCUSDT", json={"stop_loss": 50_000})
    assert (refused.status_code, refused.json()["error"]) == (400, "stop_loss must be below the present price 42900")


async def test_a_history_that_is_still_being_read_is_no_error() -> None:
    """C-27: nobody takes a position that is not known yet for one that is not there."""
    desk = Desk()
    desk.is_ready = False
    async with bench(desk).client() as client:
        answer = (await client.get(PATH)).json()
        assert (answer["complete"], answer["reconciliation"], len(answer["positions"])) == (False, [], 1)
        desk.is_ready = True
        assert (await client.get(PATH)).json()["complete"] is True


async def test_answers_are_what_the_document_says() -> None:
    """S0-6, C-26."""
    desk = Desk()
    async with bench(desk).client() as client:
        document = (await client.get("/openapi.json")).json()
        answers = {
            "/api/v1/positions": await client.get(PATH),
            f"{PATH}/{{symbol}}": await client.get(f"{PATH}/BTCUSDT"),
        }
    for path, answer in answers.items():
        operation = document["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())
    change = document["paths"][f"{PATH}/{{symbol}}"]["put"]
    assert change["parameters"][0]["in"] == "path"
    body = change["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema_rs.Draft202012Validator({**body, "components": document["components"]})
    assert validator.is_valid(json.loads('{"stop_loss": 1.5, "take_profit": "2", "trailing_stop": null}'))
    assert not validator.is_valid({})
    assert not validator.is_valid({"symbol": "BTCUSDT", "stop_loss": 1})
    assert {"400", "401", "403", "404", "429", "502", "504"} <= set(change["responses"])
