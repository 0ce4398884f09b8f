"""Faults on demand: who is hit, when, how often, and what is said about a fault that makes no sense."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.protocol.faults import (
    MAX_FAULTS,
    FaultBook,
    FaultKind,
    FaultSpec,
    ReportedClock,
    decode_fault,
    read_rules,
)
from cryptotrader.exchange.protocol.faults.rules import BadFault
from cryptotrader.exchange.protocol.faults.streams import StreamFaults
from cryptotrader.exchange.protocol.stream_names import StreamKind, StreamName, parse_stream_name
from cryptotrader.exchange.protocol.streams.shared import SharedEvent
from tests.support.paper import TestClock


def error(**fields: object) -> FaultSpec:
    return decode_fault(json.dumps({"kind": "error", "operation": "order.place"} | fields).encode())


def fault(kind: str, **fields: object) -> FaultSpec:
    return decode_fault(json.dumps({"kind": kind} | fields).encode())


def test_a_fault_befalls_the_next_request_of_its_operation_once() -> None:
    book = FaultBook()
    book.add(error())
    assert book.take("order.cancel") is None
    assert book.take("order.place") is not None
    assert book.take("order.place") is None
    assert book.list() == []


def test_the_oldest_fault_that_suits_comes_first() -> None:
    book = FaultBook()
    for code in (-1001, -1008):
        book.add(error(operation="*", code=code))
    taken = [book.take("depth"), book.take("depth")]
    assert [spec.code for spec in taken if spec is not None] == [-1001, -1008]


def test_a_fault_can_be_for_one_account_only() -> None:
    book = FaultBook()
    book.add(error(account="bob"))
    assert book.take("order.place", "alice") is None
    assert book.take("order.place", "bob") is not None


def test_a_fault_can_last_for_a_time() -> None:
    book = FaultBook()
    book.add(error(after_s=1, for_s=2.5), 10_000)
    hit = [book.take("order.place", now_ms=now_ms) is not None for now_ms in (10_999, 11_000, 13_499, 13_500)]
    assert hit == [False, True, True, False]
    assert book.list(13_500) == []


def test_a_count_ends_a_time_early() -> None:
    book = FaultBook()
    book.add(error(for_s=60, count=2))
    assert [book.take("order.place", now_ms=1) is not None for _ in range(3)] == [True, True, False]


def chances(book: FaultBook) -> list[bool]:
    return [book.take("order.place") is not None for _ in range(1_000)]


def test_chance_follows_the_seed() -> None:
    runs = []
    for seed in (1, 1, 2):
        book = FaultBook(seed)
        book.add(error(probability=0.25))
        runs.append(chances(book))
    assert runs[0] == runs[1] != runs[2]
    assert 200 < sum(runs[0]) < 300


def test_a_seed_of_its_own_and_a_new_beginning() -> None:
    book = FaultBook()
    book.add(error(probability=0.5, seed=5))
    first = chances(book)
    book.reseed(9)
    assert book.list() == []
    assert book.add(error(probability=0.5, seed=5)) is not None
    assert chances(book) == first


def test_the_book_is_bounded_and_can_be_cleared() -> None:
    book = FaultBook()
    ids = [added.id for _ in range(MAX_FAULTS) if (added := book.add(error())) is not None]
    assert book.add(error()) is None
    assert (book.clear(ids[0]), book.clear(ids[0]), book.clear()) == (1, 0, MAX_FAULTS - 1)


def test_kinds_do_not_meddle_with_each_other() -> None:
    book = FaultBook()
    for spec in (fault("stream_drop", stream="*"), fault("half_open"), fault("cut"), error(operation="*")):
        book.add(spec)
    taken = book.take("depth")
    assert taken is not None
    assert taken.kind is FaultKind.ERROR
    assert [each.spec.kind for each in book.due_actions(0)] == [FaultKind.CUT]
    opened = book.take_opening("ws-api", 0)
    assert opened is not None
    assert opened.kind is FaultKind.HALF_OPEN
    assert book.has_streams


def test_faults_of_connections_aim_at_one_kind_of_connection() -> None:
    book = FaultBook()
    book.add(fault("refuse_connection", connections="streams"))
    assert book.take_opening("ws-api", 0) is None
    assert book.take_opening("streams", 0) is not None


def test_actions_come_when_their_time_has_come_and_may_repeat() -> None:
    book = FaultBook()
    book.add(fault("shutdown_notice", after_s=1, every_s=2, count=2))
    seen = [len(book.due_actions(now_ms)) for now_ms in (999, 1_000, 1_500, 3_000, 9_000)]
    assert seen == [0, 1, 0, 1, 0]


def test_the_told_time_is_off_while_the_skew_lasts() -> None:
    clock, book = TestClock(), FaultBook()
    told = ReportedClock(clock, book)
    now_ms = clock.now_ns() // 1_000_000
    book.add(fault("clock_skew", skew_ms=-7_000, for_s=10), now_ms)
    book.add(fault("clock_skew", skew_ms=500), now_ms)
    assert told.now_ns() - clock.now_ns() == -6_500 * 1_000_000
    clock.turn(10_000)
    assert told.now_ns() - clock.now_ns() == 500 * 1_000_000
    assert told.monotonic_ns() == clock.monotonic_ns()


def name(text: str) -> StreamName:
    found = parse_stream_name(text)
    assert found is not None
    return found


def update(first: int, last: int) -> SharedEvent:
    return SharedEvent(lambda unit: f'{{"e":"depthUpdate","E":{unit},"U":{first},"u":{last}}}'.encode())


def test_messages_are_dropped_duplicated_and_delayed_by_stream_and_symbol() -> None:
    book = FaultBook()
    assert StreamFaults(book).is_idle
    faults = StreamFaults(book)
    for spec in (
        fault("stream_drop", stream="trade", symbol="BTCUSDT"),
        fault("stream_duplicate", stream="trade", symbol="BTCUSDT", copies=2),
        fault("stream_delay", stream="ticker", delay_ms=300),
    ):
        book.add(spec)
    event = update(1, 1)
    assert not faults.is_idle
    assert faults.judge(name("ethusdt@trade"), event, 0).copies == 1
    fates = [faults.judge(name("btcusdt@trade"), event, 0).copies for _ in range(3)]
    assert fates == [0, 3, 1]
    assert faults.judge(name("btcusdt@ticker"), event, 0).delay_ms == 300
    assert faults.is_idle


@pytest.mark.parametrize(("gap", "seen"), [(True, [(3, 4)]), (False, [(1, 4)])])
def test_a_loss_shows_in_the_ids_of_a_book_or_does_not(gap: bool, seen: list[tuple[int, int]]) -> None:
    book = FaultBook()
    book.add(fault("stream_drop", stream="depth", gap=gap))
    faults, stream = StreamFaults(book), name("btcusdt@depth@100ms")
    fates = [faults.judge(stream, event, 0) for event in (update(1, 2), update(3, 4))]
    told = [json.loads(fate.event.payload(1_000)) for fate in fates if fate.copies]
    assert [(message["U"], message["u"]) for message in told] == seen
    assert told[0]["E"] == 1_000
    assert faults.is_idle


WRONG = [
    ("{}", "kind"),
    ('{"kind":"error"}', "operation: error needs it"),
    ('{"kind":"nosuch"}', "kind: Invalid enum value"),
    ('{"kind":"error","operation":"nosuch"}', "operation: no such operation"),
    ('{"kind":"error","operation":"depth","probability":1.5}', "probability: Expected `float` <= 1.0"),
    ('{"kind":"error","operation":"depth","count":0}', "count: Expected `int` >= 1"),
    ('{"kind":"error","operation":"depth","cuont":1}', "unknown field `cuont`"),
    ('{"kind":"error","operation":"depth","stream":"trade"}', "stream: does not belong to error"),
    ('{"kind":"cut","every_s":0}', "every_s: Expected `float` > 0"),
    ('{"kind":"cut","code":-1000}', "code: does not belong to cut"),
    ('{"kind":"stream_drop"}', "stream: stream_drop needs it"),
    ('{"kind":"stream_drop","stream":"nosuch"}', "stream: no such kind; there are *, aggTrade"),
    ('{"kind":"stream_drop","stream":"trade","gap":false}', "gap: only the ids of depth"),
    ('{"kind":"stream_drop","stream":"trade","account":"a"}', "account: only the stream user"),
    ('{"kind":"stream_delay","stream":"trade"}', "delay_ms: stream_delay needs it"),
    ('{"kind":"clock_skew"}', "skew_ms: clock_skew needs it"),
    ('{"kind":"half_open","connections":"all"}', "connections: Invalid enum value 'all'"),
    ("nonsense", "malformed"),
]


@pytest.mark.parametrize(("body", "problem"), WRONG)
def test_a_fault_that_makes_no_sense_is_refused_by_the_name_of_its_field(body: str, problem: str) -> None:
    with pytest.raises(BadFault) as caught:
        decode_fault(body.encode())
    assert problem in str(caught.value)


RULES = """
seed = 7

[market_latency]
fixed_ms = 20
jitter_ms = 5

[[fault]]
kind = "error"
operation = "order.place"
code = -1013
probability = 0.1

[[fault]]
kind = "stream_drop"
stream = "depth"
symbol = "BTCUSDT"
gap = false
"""


def test_a_rules_file_is_the_same_model_in_toml() -> None:
    rules = read_rules(RULES, "bad-day.toml")
    assert (rules.seed, rules.market_latency.fixed_ms) == (7, 20)
    assert rules.fault[0] == error(code=-1013, probability=0.1)
    assert rules.fault[1] == fault("stream_drop", stream="depth", symbol="BTCUSDT", gap=False)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("seed = ", "bad-day.toml is no TOML"),
        ("sead = 1", "unknown field `sead`"),
        ("[market_latency]\nfixed_ms = -1", "bad-day.toml: market_latency.fixed_ms: Expected `int` >= 0"),
        (
            '[[fault]]\nkind = "cut"\n[[fault]]\nkind = "cut"\ncount = "3"',
            "bad-day.toml: fault 2: count: Expected `int",
        ),
        ('[[fault]]\nkind = "error"\noperation = "nosuch"', "bad-day.toml: fault 1: operation: no such operation"),
        ('[[fault]]\nkind = "cut"\n' * (MAX_FAULTS + 1), "bad-day.toml: fault: more than 100"),
    ],
)
def test_a_rules_file_is_refused_by_the_name_of_the_field(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_rules(text, "bad-day.toml")
    assert problem in str(caught.value)


def test_the_document_names_every_kind_and_its_example_is_a_rules_file() -> None:
    document = (Path(__file__).parents[4] / "docs" / "paper-exchange-faults.md").read_text("utf-8")
    unnamed = [kind for kind in (*FaultKind, *StreamKind, *FaultSpec.__struct_fields__) if f"`{kind}`" not in document]
    assert unnamed == []
    example = document.partition("```toml\n")[2].partition("```")[0]
    assert len(read_rules(example, "example").fault) == 3
