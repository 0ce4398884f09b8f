"""Which reply belongs to which request, and what repeating one would mean."""

from __future__ import annotations

import msgspec
import pytest

from cryptotrader.core.errors import CryptotraderError
from cryptotrader.services.binance.registry import SPECS, AnySpec
from cryptotrader.services.binance.request import SecurityType
from cryptotrader.services.binance.wsapi.correlation import (
    ORDER_NAMES,
    READS,
    Call,
    Kind,
    Pending,
    PendingTable,
    kind_of,
)
from cryptotrader.services.binance.wsapi.limits import Cost
from cryptotrader.services.binance.wsapi.replies import Reply

METHODS = [spec for spec in SPECS if spec.method]


class Nowhere:
    """A sink that keeps nothing."""

    message_id = ""

    def answered(self, reply: Reply, data: bytes) -> None: ...

    def unsure(self, reply: Reply, data: bytes, lost: CryptotraderError) -> None: ...

    def failed(self, error: CryptotraderError) -> None: ...


def pending(wire_id: str, link: int = 1) -> Pending:
    call = Call("ping", {}, kind=Kind.READ, cost=Cost(1))
    entry = Pending(call, Nowhere(), wire_id, wire_id, final_ns=100, deadline_ns=100)
    entry.link = link
    return entry


@pytest.mark.parametrize("spec", METHODS, ids=lambda spec: spec.method)
def test_only_what_changes_nothing_is_ever_repeated(spec: AnySpec) -> None:
    """S4-13. A GET of the REST API reads; tests of orders change nothing; everything else is sent once."""
    kind = kind_of(spec.method, spec.security)
    harmless = spec.is_idempotent or spec.method in {"order.test", "sor.order.test"}
    harmless = harmless or spec.method in {"session.status", "session.subscriptions"}
    assert (kind is Kind.READ) == harmless
    if spec.security is SecurityType.TRADE and not harmless:
        assert kind is Kind.TRADE


@pytest.mark.parametrize("spec", [spec for spec in METHODS if spec.method in ORDER_NAMES], ids=lambda spec: spec.method)
def test_the_names_made_before_sending_are_parameters_of_the_request(spec: AnySpec) -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(spec.params)}
    assert set(ORDER_NAMES[spec.method]) <= fields


def test_every_request_that_takes_a_name_of_an_order_gets_one() -> None:
    for spec in METHODS:
        fields = {field.encode_name for field in msgspec.structs.fields(spec.params)}
        named = {name for name in fields if name.endswith("lientOrderId") and not name.lower().count("orig")}
        if kind_of(spec.method, spec.security) is Kind.TRADE:
            given = set(ORDER_NAMES.get(spec.method, ()))
            assert named - given <= {"listClientOrderId"}, spec.method


def test_what_nobody_knows_is_never_repeated() -> None:
    assert kind_of("order.teleport", SecurityType.NONE) is Kind.TRADE
    assert kind_of("v3/order.place", SecurityType.NONE) is Kind.TRADE
    assert kind_of("v3/order.status", SecurityType.USER_DATA) is Kind.READ
    assert kind_of("something.new", SecurityType.NONE) is Kind.STATE
    assert kind_of("something.new", SecurityType.TRADE) is Kind.TRADE
    assert not READS & set(ORDER_NAMES)


def test_s4_11_a_reply_ends_its_request_once_and_its_copy_is_counted() -> None:
    table = PendingTable()
    entry = pending("a-1")
    table.add(entry)
    assert table.match("a-1", 1) is entry
    assert table.match("a-1", 1) is None
    assert (len(table), table.unmatched) == (0, 1)


@pytest.mark.parametrize("strange", ["a-2", "", None, 1])
def test_s4_11_replies_to_nothing_are_ignored_and_counted(strange: str | int | None) -> None:
    table = PendingTable()
    table.add(pending("a-1"))
    assert table.match(strange, 1) is None
    assert (len(table), table.unmatched) == (1, 1)


def test_s4_11_another_connections_reply_is_no_reply() -> None:
    table = PendingTable()
    table.add(pending("a-1", link=2))
    assert table.match("a-1", 1) is None
    assert len(table) == 1


def test_requests_of_a_connection_are_told_oldest_first() -> None:
    table = PendingTable()
    for number, link in enumerate((1, 2, 1)):
        table.add(pending(f"a-{number}", link))
    assert [entry.wire_id for entry in table.on_link(1)] == ["a-0", "a-2"]
    assert (table.count_on(2), len(table.due(99)), len(table.due(100))) == (1, 0, 3)


def test_no_parameter_shows_in_a_repr() -> None:
    assert "secret" not in repr(Call("order.place", {"x": "secret"}, kind=Kind.TRADE, cost=Cost(1)))
