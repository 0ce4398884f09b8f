"""What must hold after every simulated run of the WebSocket API client, whatever went wrong in it."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.core.errors import (
    NotConnected,
    UnknownOutcome,
    VenueBanned,
    VenueRateLimited,
    VenueRejected,
    VenueTimeout,
    VenueUnreachable,
)
from cryptotrader.services.binance.wsapi.reconcile import OPEN_STATES
from cryptotrader.services.binance.wsapi.reconnect import ConnectionPolicy
from cryptotrader.services.binance.wsapi.replies import VenueRefusal
from cryptotrader.testing.network import Passed
from cryptotrader.testing.ws_api import MANGLED, PLACING
from tests.support.ws_api_extras import TRADES
from tests.support.ws_api_world import Op, World, key_of

MAX_ATTEMPTS = 300
ATTEMPT_WINDOW_NS = 300 * NS_PER_S
"""Source: ``web-socket-api.md``, "Connection limits"."""

SLACK_NS = 1_000
"""What seconds as floats lose."""

LATE_S = 1.0
"""How late a request may leave that waited. Reason: a pause is counted from when its answer arrives."""

OVERLOADED = -1008
"""The one 5xx that says that nothing was done."""

NEW = frozenset({"place", "raw place", "replace", "list"})
"""Kinds that bring a new order, marked with their number."""

LOST = (UnknownOutcome, VenueTimeout, VenueUnreachable, NotConnected)
"""Ends that say that no answer came."""


@dataclass(frozen=True)
class Sent:
    """A request that the client handed to the network."""

    at_ns: int
    wire: int
    id: str
    method: str
    key: str


@dataclass(frozen=True)
class Got:
    """An answer that the client got."""

    at_ns: int
    wire: int
    id: str
    status: int
    code: int
    body: dict[str, Any]

    @property
    def is_certain(self) -> bool:
        """Whether it says what happened: a result or a refusal, not a failure of the venue."""
        return 200 <= self.status < 500 and self.body.get("result") != MANGLED

    @property
    def is_refusal(self) -> bool:
        """Whether it says that nothing was done, so that the request may be sent again."""
        return 400 <= self.status < 500 or self.code == OVERLOADED


class Evidence:
    """The frames of a run, read."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.sent = [sent for passed in world.network.sent if (sent := _sent(passed))]
        self.by_key: dict[str, list[Sent]] = defaultdict(list)
        for sent in self.sent:
            if sent.key:
                self.by_key[sent.key].append(sent)
        self.got: dict[tuple[int, str], list[Got]] = defaultdict(list)
        for passed in world.network.delivered:
            if (got := _got(passed)) is not None:
                self.got[got.wire, got.id].append(got)

        self.mangled_ns = {got.at_ns for each in self.got.values() for got in each if got.body.get("result") == MANGLED}

    def newest_answers(self, op: Op, until_ns: int) -> list[Got]:
        """What came for the last frame of a wish until then: earlier ones may have been refused and sent again."""
        frames = self.by_key[op.key][-1:]
        return [got for sent in frames for got in self.got[sent.wire, sent.id] if got.at_ns < until_ns]


def violations(world: World) -> list[str]:
    """Everything that does not hold; empty is good."""
    evidence = Evidence(world)
    checks = (
        _ended,
        _never_twice,
        _right_answers,
        _no_answer_lost,
        _truth,
        _reads_answered,
        _limits_kept,
        _pauses_kept,
        _pauses_exact,
        _budget_kept,
        _events_kept,
        _session_kept,
    )
    return [f"{check.__name__.strip('_')}: {fault}" for check in checks for fault in check(evidence)]


def _ended(evidence: Evidence) -> Iterator[str]:
    world = evidence.world
    for op in world.ops:
        if op.way in ("", "stuck"):
            yield f"{_name(op)} never ended"
    if world.left_tasks:
        yield f"tasks are left: {world.left_tasks}"
    if world.network.open_wires:
        yield "connections are left"
    if world.last_answer != "answer":
        yield f"in the calm a question got: {world.last_answer}"
    yield from world.reconcile_failures
    yield from world.crashes


def _never_twice(evidence: Evidence) -> Iterator[str]:
    for key, frames in evidence.by_key.items():
        if key.partition(":")[0] not in TRADES:
            continue
        for earlier, later in itertools.pairwise(frames):
            answers = [got for got in evidence.got[earlier.wire, earlier.id] if got.at_ns <= later.at_ns]
            if not any(got.is_refusal for got in answers):
                yield f"{key} was sent again without a refusal of the first"
    executed: dict[str, int] = defaultdict(int)
    for receipt in evidence.world.venue.executed:
        executed[key_of(receipt.method, receipt.params)] += 1
    for key, count in executed.items():
        # A second cancellation could do no harm; the frames above tell of it.
        if count > 1 and key.startswith(("place:", "replace:", "list:", "amend:")):
            yield f"{key} was carried out {count} times"


def _right_answers(evidence: Evidence) -> Iterator[str]:
    for op in evidence.world.ops:
        if len(op.replies) > 1:
            yield f"{_name(op)}: its callback was called {len(op.replies)} times"
        for reply in op.replies:
            if op.message_id and str(reply.get("id")) != op.message_id:
                yield f"{_name(op)}: its callback got the answer to {reply.get('id')}"
            result = reply.get("result")
            if reply.get("status") == 200 and isinstance(result, dict) and result != MANGLED:
                yield from _fits(op, result.get("symbol"), result.get("origQty"), result.get("clientOrderId"))
        if op.way == "answer" and op.result is not None and op.kind in ("price", "place"):
            yield from _fits(
                op, *(getattr(op.result, name, None) for name in ("symbol", "orig_qty", "client_order_id"))
            )


def _fits(op: Op, symbol: object, qty: object, client_order_id: object) -> Iterator[str]:
    if op.kind.endswith("price") and symbol != f"S{op.number}":
        yield f"{_name(op)} got the price of {symbol}"
    if op.kind.endswith("place"):
        if qty is None or Decimal(str(qty)) != op.number:
            yield f"{_name(op)} got an order over {qty}"
        if op.client_order_id and client_order_id != op.client_order_id:
            yield f"{_name(op)} got the order {client_order_id}"


def _session_kept(evidence: Evidence) -> Iterator[str]:
    world = evidence.world
    if world.has_session and world.last_answer == "answer" and not world.is_logged_on:
        wire = max(sent.wire for sent in evidence.sent)
        tries = [sent for sent in evidence.sent if sent.wire == wire and sent.method == "session.logon"]
        # One that is under way, or was refused, is told of in the log and tried again.
        answers = evidence.got[wire, tries[-1].id] if tries else []
        if not tries or any(got.status == 200 and got.at_ns < world.closed_ns for got in answers):
            yield "the last connection is not logged on"


def _no_answer_lost(evidence: Evidence) -> Iterator[str]:
    for op in evidence.world.ops:
        if not op.key:
            continue
        if op.message_id:
            if not op.replies:
                yield f"{_name(op)}: its callback was never called"
            elif op.replies[0]["status"] == 0 and any(map(_is_final, evidence.newest_answers(op, op.replied_ns))):
                yield f"{_name(op)}: its callback was told that no answer came although it had come"
        elif isinstance(op.error, LOST) and any(map(_is_final, evidence.newest_answers(op, op.ended_ns))):
            yield f"{_name(op)} ended with {type(op.error).__name__} although its answer had come"


def _is_final(got: Got) -> bool:
    """Whether it ends a request: not where it may be sent again."""
    return got.is_certain and got.status not in (418, 429) and got.code != -1021


def _truth(evidence: Evidence) -> Iterator[str]:
    """What the client believes is what the venue knows."""
    desk = evidence.world.venue.desk
    by_tag = {order.strategy_id: order for order in desk.orders()}
    for op in evidence.world.ops:
        order = by_tag.get(op.number)
        if op.kind == "place" and op.way == "answer" and (order is None or order.order_id != op.result.order_id):
            yield f"{_name(op)} was answered but the venue does not have it"
        if op.kind in ("replace", "list") and op.way == "answer" and order is None:
            yield f"{_name(op)} was answered but the venue does not have it"
        if op.kind in NEW and op.way == "error" and order is not None and not _is_half_done(op):
            yield f"{_name(op)} was told as refused ({type(op.error).__name__} {op.error}) but the venue has it"
        if op.way != "unknown" or not op.is_reconciled:
            continue
        if op.kind not in TRADES:
            yield f"{_name(op)} cannot trade but ended as unknown"
            continue
        is_done = op.client_order_id in desk.list_cancels
        if op.kind == "unlist" and is_done and (op.truth is None or op.truth.status in OPEN_STATES):
            yield f"{_name(op)}: reconciled as {op.truth}, but it was carried out"
        order = desk.numbered(op.target) if op.target else desk.find(op.client_order_id)
        if order is not None and op.kind == "cancel" and _began_ns(evidence.world, order.order_id) > op.told_ns:
            # The cancellation overtook the order, and the answer came before it as well.
            order = None
        if (op.truth is None) != (order is None):
            yield f"{_name(op)}: reconciled as {op.truth} but the venue knows {order}"
        elif op.truth is not None:
            said = (
                op.truth.order_id,
                str(op.truth.status),
                Decimal(str(op.truth.orig_qty)),
                Decimal(str(op.truth.executed_qty)),
            )
            known = _states(evidence.world, op, op.truth.order_id)
            if said not in known:
                yield f"{_name(op)}: reconciled as {said} but the venue knew {known}"


def _is_half_done(op: Op) -> bool:
    """Whether the refusal itself says that the new order of a replacement was placed."""
    return isinstance(op.error, VenueRefusal) and op.error.data.get("newOrderResult") == "SUCCESS"


def _began_ns(world: World, order_id: int) -> int:
    return next(each.at_ns for each in world.venue.history if each.order.order_id == order_id)


def _states(world: World, op: Op, order_id: int) -> list[tuple[int, str, Decimal, Decimal]]:
    """What was true of an order from when the client asked until it was told."""
    states = [each for each in world.venue.history if each.order.order_id == order_id]
    before = [each.order for each in states if each.at_ns <= op.asked_ns][-1:]
    during = [each.order for each in states if op.asked_ns < each.at_ns <= op.told_ns]
    return [
        (each.order_id, each.status.value, Decimal(each.qty) / 10**8, Decimal(each.executed) / 10**8)
        for each in before + during
    ]


def _reads_answered(evidence: Evidence) -> Iterator[str]:
    families = evidence.world.chaos.families
    harmless = families <= {"strays", "leavers", "steps", "cuts", "shutdowns"}
    for op in evidence.world.ops:
        if op.kind in TRADES - {"cancel"} | {"raw place"} or op.key.startswith("cancel:") or op.way != "error":
            continue
        error = op.error
        if isinstance(error, VenueRejected):
            continue
        if isinstance(error, VenueRateLimited):
            if not families & {"pauses", "tight"}:
                yield f"{_name(op)} was held back although nobody asked for it: {error}"
            continue
        is_mangled = "cannot be read" in str(error) and any(
            op.started_ns < at_ns <= op.ended_ns for at_ns in evidence.mangled_ns
        )
        is_excused = is_mangled or not harmless or _tries(evidence, op) >= ConnectionPolicy().max_repeats - 1
        if not isinstance(error, (VenueTimeout, VenueUnreachable, NotConnected)) or not is_excused:
            yield f"{_name(op)} was not answered: {type(error).__name__} {error}"


def _tries(evidence: Evidence, op: Op) -> int:
    """How many connections were tried while it was under way: so often may it have been sent again."""
    return sum(op.started_ns <= at_ns <= op.ended_ns for at_ns in evidence.world.network.attempts)


def _limits_kept(evidence: Evidence) -> Iterator[str]:
    if "steps" in evidence.world.chaos.families:
        return
    for overrun in evidence.world.venue.overruns:
        yield f"{overrun.method} broke a limit at {overrun.at_ns / NS_PER_S:.3f} s ({overrun.status})"


def _pauses_kept(evidence: Evidence) -> Iterator[str]:
    world = evidence.world
    for pause in world.venue.pauses:
        answers = evidence.got[pause.receipt.wire, _id(msgspec.json.decode(pause.receipt.id))]
        heard_ns = min((got.at_ns for got in answers if got.status == pause.status), default=None)
        if heard_ns is None:
            continue
        for sent in evidence.sent:
            concerns = pause.code == -1003 or sent.method in PLACING
            if concerns and heard_ns < sent.at_ns < pause.until_ns - SLACK_NS:
                early_s = (pause.until_ns - sent.at_ns) / NS_PER_S
                yield f"{sent.method} was sent {early_s:.3f} s before the end of a pause ({pause.status} {pause.code})"
        if pause.status == 418:
            yield from _early_attempts(world, heard_ns, pause.until_ns)
    for at_ns, error in world.network.refusals:
        if isinstance(error, VenueRateLimited) and error.retry_after_s is not None:
            until_ns = at_ns + int(error.retry_after_s * NS_PER_S)
            yield from _early_attempts(world, at_ns, until_ns)
            if isinstance(error, VenueBanned):
                for sent in evidence.sent:
                    if at_ns < sent.at_ns < until_ns - SLACK_NS:
                        yield f"{sent.method} was sent during a ban told by a handshake"


def _pauses_exact(evidence: Evidence) -> Iterator[str]:
    """What waits for the end of a pause leaves soon after it, where nothing else is in the way."""
    world = evidence.world
    if not world.chaos.families <= {"pauses"} or any(pause.status == 418 for pause in world.venue.pauses):
        return
    for op in world.ops:
        frames = evidence.by_key[op.key] if op.key else []
        if op.way != "answer" or not frames:
            continue
        ready_ns, sent_ns = op.started_ns, frames[0].at_ns
        pauses = [pause.until_ns for pause in world.venue.pauses if pause.said_ns < sent_ns]
        late_s = (sent_ns - max([ready_ns, *(until_ns for until_ns in pauses if until_ns <= sent_ns)])) / NS_PER_S
        if late_s > LATE_S:
            yield f"{_name(op)} left {late_s:.3f} s after it could"


def _early_attempts(world: World, heard_ns: int, until_ns: int) -> Iterator[str]:
    for at_ns in world.network.attempts:
        if heard_ns < at_ns < until_ns - SLACK_NS:
            yield f"a connection was tried {(until_ns - at_ns) / NS_PER_S:.3f} s before the end of a pause"


def _budget_kept(evidence: Evidence) -> Iterator[str]:
    attempts = evidence.world.network.attempts
    for first, last in zip(attempts, attempts[MAX_ATTEMPTS:], strict=False):
        if last - first < ATTEMPT_WINDOW_NS:
            yield f"more than {MAX_ATTEMPTS} connections within five minutes"
            return


def _events_kept(evidence: Evidence) -> Iterator[str]:
    """No event twice or out of order, and none missing where nothing was said."""
    world = evidence.world
    order = {each.execution_id: place for place, each in enumerate(world.venue.history)}
    newest, has_gap = -1, True
    seen: set[int] = set()
    for told in world.events:
        if told is None:
            has_gap = True
            continue
        place = order[told]
        if told in seen:
            yield f"event {told} was told again"
        elif place <= newest:
            yield f"event {told} was told after a later one"
        elif place != newest + 1 and not has_gap:
            yield f"before event {told} some are missing and nobody was told"
        seen.add(told)
        newest, has_gap = max(newest, place), False
    if world.listens and world.last_execution and newest < order[world.last_execution] and not has_gap:
        yield "in the calm an event did not arrive"


def _name(op: Op) -> str:
    return f"{op.kind} {op.number}"


def _id(value: object) -> str:
    return str(value)


def _sent(passed: Passed) -> Sent | None:
    frame = msgspec.json.decode(passed.data, type=dict[str, Any])
    method = str(frame["method"]).removeprefix("v3/")
    return Sent(passed.at_ns, passed.wire, _id(frame["id"]), method, key_of(method, frame.get("params") or {}))


def _got(passed: Passed) -> Got | None:
    try:
        body = msgspec.json.decode(passed.data, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError):
        return None
    if not isinstance(body.get("status"), int):
        return None
    code = body["error"]["code"] if "error" in body else 0
    return Got(passed.at_ns, passed.wire, _id(body.get("id")), body["status"], code, body)
