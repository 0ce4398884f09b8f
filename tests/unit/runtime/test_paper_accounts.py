"""Accounts that come to be on the embedded paper exchange when a key of them is first used."""

from __future__ import annotations

from pathlib import Path

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.accounts import KeyKind, PaperAccount, Permission
from cryptotrader.exchange.accounts.office import BackOffice, KeyTerms, make_material
from cryptotrader.exchange.store import StoreBroken
from cryptotrader.exchange.venue import PaperVenue
from cryptotrader.runtime.accounts import GATEWAY_KEY, PaperAccounts, credentials_for
from cryptotrader.services.binance.signing import Credentials
from tests.support.paper import paper_venue, units


def test_an_account_is_made_once_with_money_and_one_key() -> None:
    venue = paper_venue()
    accounts = PaperAccounts(venue)
    first = accounts.credentials("alice")
    assert venue.balances("alice")
    assert accounts.credentials("alice").api_key == first.api_key
    assert PaperAccounts(venue).credentials("alice").api_key == first.api_key
    assert accounts.credentials("bob").api_key != first.api_key
    assert [key.name for key in venue.keys if key.account == "alice"] == [GATEWAY_KEY]


def test_an_account_that_is_there_keeps_what_it_has_and_gets_a_key_that_may_do_everything() -> None:
    venue = paper_venue()
    office = BackOffice(venue)
    office.open(PaperAccount(id="alice", balances={"USDT": units("7")}))
    half = KeyTerms(permissions=frozenset({Permission.USER_DATA}), name=GATEWAY_KEY)
    less = office.add_key("alice", make_material(KeyKind.HMAC), half)
    made = PaperAccounts(venue).credentials("alice")
    assert made.api_key != less.id
    assert venue.balances("alice") == (("USDT", units("7"), 0),)


async def test_the_key_outlives_the_process(tmp_path: Path) -> None:
    venue = paper_venue(store_path=tmp_path / "exchange.sqlite")
    made = PaperAccounts(venue).credentials("alice")
    await venue.committed()
    await venue.close()
    again = paper_venue(store_path=tmp_path / "exchange.sqlite")
    assert PaperAccounts(again).credentials("alice").api_key == made.api_key
    await again.close()


def test_a_disk_that_takes_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    venue = paper_venue()

    def broken(self: PaperVenue) -> None:
        raise StoreBroken

    monkeypatch.setattr(PaperVenue, "require_store", broken)
    with pytest.raises(ConfigError, match="disk"):
        PaperAccounts(venue).credentials("alice")


def test_configured_credentials_come_before_made_ones_and_default_is_itself() -> None:
    default, configured = Credentials.of("d", "made-up-secret"), Credentials.of("c", "made-up-secret")
    find = credentials_for(default, {"alice": configured}, paper_venue())
    assert find("default") is default
    assert find("alice") is configured
    assert find("bob") is not None
    nowhere = credentials_for(None, {"alice": configured}, None)
    assert nowhere("default") is nowhere("bob") is None
