"""What comes back after a kill is what was there, whatever kind of record it is in; and a full disk is said."""

from __future__ import annotations

import dataclasses
import errno
import shutil
from pathlib import Path

import apsw
import msgspec
import pytest

from cryptotrader.core.errors import LedgerError
from cryptotrader.core.events import Trade
from cryptotrader.core.orders import OrderType, Side
from cryptotrader.exchange.accounts import PaperAccount
from cryptotrader.exchange.engine.order_lists import ListKind, NewOrderList
from cryptotrader.exchange.engine.orders import AmendOrder, CancelOrder, NewOrder, Stop
from cryptotrader.exchange.venue import PaperVenue
from tests.support.paper import BTC, QuietSource, SignedClient, TestClock, body, paper_venue, running_exchange, units

ACCOUNTS = (PaperAccount(), PaperAccount(id="other", uid=2))


def limit(side: Side, price: str, qty: str = "0.01", *, stp: str = "NONE", stop: Stop | None = None) -> NewOrder:
    kind = OrderType.LIMIT if stop is None else OrderType.STOP_LOSS_LIMIT
    return NewOrder(
        symbol="BTCUSDT",
        side=side,
        type=kind,
        price=units(price),
        qty=units(qty),
        self_trade_prevention_mode=stp,
        stop=stop,
    )


def make_history(venue: PaperVenue) -> None:
    """Something of every kind that is kept."""
    venue.submit("default", NewOrder(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, qty=units("0.7")))
    resting = venue.submit("default", limit(Side.BUY, "44000"))
    venue.amend("default", AmendOrder(symbol="BTCUSDT", order_id=resting.order_id, qty=units("0.005")))
    gone = venue.submit("other", limit(Side.SELL, "46000"))
    venue.cancel("other", CancelOrder("BTCUSDT", order_id=gone.order_id))
    venue.submit("default", limit(Side.SELL, "45000.50"))
    venue.submit("other", limit(Side.BUY, "45000.50", "0.004"))
    venue.submit("default", limit(Side.BUY, "45000.50", "0.02", stp="EXPIRE_MAKER"))
    venue.submit("other", limit(Side.SELL, "43000", stop=Stop(price=units("43500"))))
    trailing = Stop(price=0, trailing_delta=100)
    venue.submit("other", limit(Side.SELL, "43000", stop=trailing))
    legs = (
        NewOrder(symbol="BTCUSDT", side=Side.SELL, type=OrderType.LIMIT_MAKER, price=units("47000"), qty=units("0.01")),
        limit(Side.SELL, "42000", stop=Stop(price=units("42500"))),
    )
    venue.submit_list("default", NewOrderList(symbol="BTCUSDT", kind=ListKind.OCO, legs=legs))
    venue.deposit("other", "USDC", units("7"))
    venue.roster.change(dataclasses.replace(venue.account("other"), maker_bps=3))
    venue.set_realism("other", "optimistic")
    venue.set_status("BTCUSDT", "HALT")


def killed(path: Path, target: Path) -> Path:
    """A copy of the files as ``kill -9`` would leave them."""
    target.mkdir()
    for found in path.parent.glob(f"{path.stem}.*"):
        (shutil.copytree if found.is_dir() else shutil.copy)(found, target / found.name)
    return target / path.name


async def test_every_kind_of_record_comes_back_from_the_journal_and_from_the_store(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    source = QuietSource()
    venue = PaperVenue([BTC], [source], clock=TestClock(), accounts=ACCOUNTS, store_path=path)
    make_history(venue)
    await venue.committed()
    state = venue.engine.state()
    assert all((state.orders, state.fills, state.lists, state.prevented, state.amendments, state.statuses))
    hashed = venue.engine.state_hash()
    copy = killed(path, tmp_path / "copy")
    await venue.close()
    for each in (copy, path):
        again = PaperVenue([BTC], [QuietSource()], clock=TestClock(), accounts=ACCOUNTS, store_path=each)
        assert again.engine.state_hash() == hashed
        assert again.account("other").maker_bps == 3
        assert again.account("other").realism == "optimistic"
        assert (again._keeper.recovery.entries > 0) == (each == copy)
        again.set_status("BTCUSDT", "TRADING")
        await again.close()


async def test_how_far_a_trailing_stop_followed_the_price_comes_back(tmp_path: Path) -> None:
    venue = paper_venue(clock=TestClock(), store_path=tmp_path / "x.db")
    placed = venue.submit("default", limit(Side.SELL, "40000", stop=Stop(price=0, trailing_delta=100)))
    now_ms = venue.now_ms()
    venue._on_market(Trade("BTCUSDT", 101, units("46000"), units("1"), now_ms, False, now_ms), now_ms)
    await venue.committed()
    before = next(order for order in venue.engine.state().orders if order.order_id == placed.order_id)
    hashed = venue.engine.state_hash()
    copy = killed(tmp_path / "x.db", tmp_path / "copy")
    await venue.close()
    again = paper_venue(clock=TestClock(), store_path=copy)
    assert again.engine.state_hash() == hashed
    after = again.order("default", "BTCUSDT", order_id=placed.order_id)
    assert after.trailing_price == before.trailing_price
    await again.close()


async def test_a_data_folder_of_version_1_is_opened_as_it_is(tmp_path: Path) -> None:
    """Before there was a journal: all records in the store, counters of all symbols in one of them."""
    venue = paper_venue(clock=TestClock())
    venue.submit("default", NewOrder(symbol="BTCUSDT", side=Side.BUY, type=OrderType.MARKET, qty=units("0.7")))
    venue.submit("default", limit(Side.BUY, "44000"))
    state = venue.engine.state()
    account = {"id": "default", "uid": 100_001, "balances": {}, "maker_bps": 10, "taker_bps": 10}
    held: list[tuple[str, str, object]] = [
        ("balance", f"default/{asset}", ("default", asset, free, locked))
        for asset, free, locked in state.accounts[0].balances
    ]
    new_fields = {"stop", "iceberg_qty", "peg", "use_sor", "held", "amends", "trailing_ms", "trailing_price"}
    orders = [{k: v for k, v in msgspec.to_builtins(each).items() if k not in new_fields} for each in state.orders]
    rows: list[tuple[str, str, object]] = [
        ("account", "default", account),
        *held,
        *(("order", f"{order['order_id']:020d}", order) for order in orders),
        *(("fill", f"BTCUSDT/{fill.trade_id:020d}/{fill.order_id:020d}", fill) for fill in state.fills),
        ("counters", "", state.counters),
        ("checkpoint", "BTCUSDT", None),
    ]
    db = apsw.Connection(str(tmp_path / "x.db"))
    db.execute(
        "CREATE TABLE records (kind TEXT NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, key))"
        " WITHOUT ROWID"
    )
    db.executemany("INSERT INTO records VALUES (?, ?, ?)", [(k, n, msgspec.json.encode(d)) for k, n, d in rows])
    db.pragma("user_version", 1)
    db.close()
    again = paper_venue(clock=TestClock(), store_path=tmp_path / "x.db")
    assert again.balances("default") == venue.balances("default")
    assert again.engine.counters() == state.counters
    assert [order.order_id for order in again.open_orders("default")] == [2]
    assert again.submit("default", limit(Side.BUY, "44000")).order_id == 3
    again.cancel_all("default", "BTCUSDT")
    hashed = again.engine.state_hash()
    await again.close()
    last = paper_venue(clock=TestClock(), store_path=tmp_path / "x.db")
    assert last.engine.state_hash() == hashed
    await last.close()


async def test_on_a_full_disk_orders_are_refused_and_none_is_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.db"
    async with running_exchange(paper_venue(store_path=path)) as server, SignedClient(server.url) as client:
        kept = body(await client.order(newClientOrderId="kept"))["orderId"]

        def full(descriptor: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as broken:
            broken.setattr("cryptotrader.ledger.files.os.write", full)
            for _ in range(3):
                answer = await client.order(newClientOrderId="lost")
                assert (answer.status_code, body(answer)["code"]) == (500, -1000)
        answer = await client.signed("GET", "/api/v3/openOrders")
        assert answer.status_code == 500, "what was not acknowledged is not shown either"
    assert "No space left on device" in capsys.readouterr().err
    async with running_exchange(paper_venue(store_path=path)) as server, SignedClient(server.url) as client:
        found = msgspec.json.decode((await client.signed("GET", "/api/v3/openOrders")).content)
        assert [order["orderId"] for order in found] == [kept]


async def test_a_damaged_journal_keeps_the_exchange_from_starting(tmp_path: Path) -> None:
    venue = paper_venue(store_path=tmp_path / "x.db")
    for _ in range(3):
        venue.submit("default", limit(Side.BUY, "44000"))
        await venue.committed()
    copy = killed(tmp_path / "x.db", tmp_path / "copy")
    await venue.close()
    segment = min(copy.with_suffix(".journal").iterdir())
    data = bytearray(segment.read_bytes())
    data[len(data) // 3] ^= 1
    segment.write_bytes(data)
    with pytest.raises(LedgerError, match=r"at offset \d+, where entry \d+ should be"):
        paper_venue(store_path=copy)
    assert segment.read_bytes() == data
