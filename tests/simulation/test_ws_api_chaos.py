"""The WebSocket API client under seeded chaos: cuts at any byte, lost and repeated answers, pauses, clocks that jump.

A failing seed is named with the command that replays it. ``make simulate`` runs ten thousand seeds.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from cryptotrader.net.ws import Wire
from cryptotrader.testing import LinkPlan
from tests.support.ws_api_chaos import EXTRAS, FAMILIES, Chaos
from tests.support.ws_api_checks import violations
from tests.support.ws_api_run import Mutation, run_seed, run_world
from tests.support.ws_api_world import World

SEEDS_A_BLOCK = 25
BLOCKS = 10
SEEDS_A_FAMILY = 8

ONCE_BAD = [
    # A user data subscription that was signed anew went to the connection that was being replaced.
    (1009, ("shutdowns", "steps", "strays")),
    # Copies of events came from the successor after the predecessor was closed.
    (490, ("shutdowns",)),
    (1002, ("shutdowns", "slow")),
    # Events on a slow connection were lost when its successor took over.
    (984, ("shutdowns", "slow")),
    # An answer to ``time`` that could not be read ended the reader.
    (34, ("strays",)),
    # A read that waited for its turn failed when the connection was lost meanwhile.
    (2742, ("pauses", "shutdowns", "slow")),
    # A connection was tried in a pause that was told while the backoff ran, and one without weight for it.
    (4276, ("cuts", "outages", "pauses", "shutdowns", "steps", "tight")),
    (5008, ("failures", "leavers", "outages", "shutdowns", "tight")),
    # "No such order" was believed because the venue's clock jumped, and the order landed afterwards.
    (5052, ("failures", "outages", "shutdowns", "silence", "steps", "strays")),
    # A count told at the edge of a minute was forgotten when the minute began.
    (6364, ("outages", "silence", "slow", "tight")),
    # A subscription made during a replacement came twice, or in the wrong order.
    (7464, ("cuts", "pauses", "shutdowns", "silence", "steps", "strays", "tight")),
    (2560, ("cuts", "leavers", "pauses", "shutdowns", "steps")),
    (737, ("silence", "slow")),
    # A subscription that was never answered stopped the loop that looks after deadlines.
    (20006, ("failures", "halves", "leavers", "silence", "slow", "steps")),
    # A connection could not be subscribed because reads had used up the weight.
    (3047, ("cuts", "silence", "slow", "steps", "tight")),
    # A logon while the connection was being replaced left the successor without one.
    (50011, ("failures", "halves", "session", "shutdowns", "silence", "steps", "wide")),
    (50158, ("outages", "session", "shutdowns", "slow", "steps", "wide")),
    # What became of the cancellation of a list was asked for by a name that no order had.
    (50149, ("failures", "halves", "pauses", "silence", "slow", "strays", "wide")),
    # A connection that was replaced told of an order after its successor had told of a later one.
    (50829, ("leavers", "silence", "slow", "tight")),
    # Requests used up the weight of a connection that was being opened.
    (923, ("halves", "leavers", "session", "shutdowns", "slow", "strays", "tight", "wide")),
    # An order that landed after its answer was given up was not counted until then.
    (4028, ("session", "silence", "slow", "tight", "wide")),
    # A logon that was refused for its timestamp on a successor was not tried again.
    (6308, ("cuts", "pauses", "session", "slow", "strays", "wide")),
    # While clocks were compared anew, nobody remembered how far they might be apart.
    (13742, ("leavers", "session", "slow", "strays", "tight")),
    # A connection that was nearly over brought copies, or was relied on for events though it was dead.
    (27621, ("cuts", "halves", "leavers", "shutdowns", "silence", "wide")),
    (21932, ("halves", "leavers", "shutdowns", "slow", "wide")),
]

ONE_ORDER = (("place", 0.5),)


@pytest.mark.parametrize("block", range(BLOCKS))
def test_nothing_is_lost_doubled_or_invented_whatever_goes_wrong(block: int) -> None:
    """S4-8, S4-16 to S4-18: the mixture of troubles, by seed."""
    first = block * SEEDS_A_BLOCK
    assert_clean(range(first, first + SEEDS_A_BLOCK), None)


@pytest.mark.parametrize(("seed", "families"), ONCE_BAD)
def test_what_once_went_wrong_goes_well(seed: int, families: tuple[str, ...]) -> None:
    verdict = run_seed(seed, only=families)
    assert not verdict.faults


@pytest.mark.parametrize("family", FAMILIES + EXTRAS)
def test_each_trouble_alone_is_survived(family: str) -> None:
    assert_clean(range(100_000, 100_000 + SEEDS_A_FAMILY), (family,))


def assert_clean(seeds: range, only: tuple[str, ...] | None) -> None:
    verdicts = [run_seed(seed, only=only) for seed in seeds]
    family = f" --family {only[0]}" if only else ""
    assert not [f"{fault} ({each.replay}{family})" for each in verdicts for fault in each.faults]


class OneCut(Chaos):
    """Only the first connection is cut, after a given byte."""

    def __init__(self, *, up: int | None = None, down: int | None = None, send_raises: bool = True) -> None:
        super().__init__(1, ())
        self.duration_s = 2.0
        self._cut = LinkPlan(up_bytes=up, down_bytes=down, send_raises=send_raises)

    def plan(self, number: int) -> LinkPlan:
        return self._cut if number == 1 else LinkPlan()


@pytest.fixture(scope="module")
def spoken() -> tuple[int, int]:
    """Bytes up and down of a connection that places one order and lives until the end."""
    world = run_world(OneCut(), script=ONE_ORDER)
    assert not violations(world)
    [wire] = world.network.wires
    return wire.up_total, wire.down_total


@pytest.mark.parametrize("send_raises", [False, True])
def test_a_cut_at_every_byte_of_the_requests_leaves_one_order_and_the_truth(
    spoken: tuple[int, int], send_raises: bool
) -> None:
    ends = [cut_once(OneCut(up=position, send_raises=send_raises)) for position in range(1, spoken[0] + 1)]
    assert {"answer", "unknown"} <= set(ends)


def test_a_cut_at_every_byte_of_the_answers_leaves_one_order_and_the_truth(spoken: tuple[int, int]) -> None:
    ends = [cut_once(OneCut(down=position)) for position in range(1, spoken[1] + 1)]
    assert {"answer", "unknown"} <= set(ends)


def cut_once(chaos: OneCut) -> str:
    world = run_world(chaos, script=ONE_ORDER)
    assert not violations(world), chaos._cut
    [op] = world.ops
    assert sum(order.strategy_id == op.number for order in world.venue.desk.orders()) <= 1
    return op.way


def test_the_same_seed_gives_the_same_run() -> None:
    runs = [run_world(Chaos(7)) for _ in range(2)]
    first, second = ([(each.at_ns, each.wire, each.data) for each in world.network.sent] for world in runs)
    assert first == second


# The harness itself: clients that are broken on purpose must be caught.


class Tampered:
    """A connection that hands everything on; mutants change that."""

    def __init__(self, world: World, wire: Wire) -> None:
        self.world = world
        self.wire = wire

    async def recv(self) -> bytes:
        return await self.wire.recv()

    async def send(self, data: bytes) -> None:
        await self.wire.send(data)

    async def ping(self) -> None:
        await self.wire.ping()

    async def close(self) -> None:
        await self.wire.close()

    def silent_s(self) -> float:
        return self.wire.silent_s()


class SendsOrdersAgain(Tampered):
    """After a reconnect it sends orders again that were not answered."""

    unanswered: dict[str, bytes]

    async def send(self, data: bytes) -> None:
        memory: dict[str, bytes] = self.world.__dict__.setdefault("unanswered", {})
        mine = self.__dict__.setdefault("mine", set())
        for name, frame in list(memory.items()):
            if name not in mine:
                del memory[name]
                await self.wire.send(frame)
        frame_in = msgspec.json.decode(data)
        if frame_in["method"] == "order.place":
            memory[frame_in["id"]] = data
            mine.add(frame_in["id"])
        await self.wire.send(data)

    async def recv(self) -> bytes:
        data = await self.wire.recv()
        self.world.__dict__.get("unanswered", {}).pop(id_of(data), None)
        return data


class MixesAnswersUp(Tampered):
    """It takes every answer for that to the newest request."""

    newest = ""

    async def send(self, data: bytes) -> None:
        self.newest = msgspec.json.decode(data)["id"]
        await self.wire.send(data)

    async def recv(self) -> bytes:
        data = await self.wire.recv()
        name = id_of(data)
        return data.replace(f'"{name}"'.encode(), f'"{self.newest}"'.encode(), 1) if name else data


class LosesAnswers(Tampered):
    """Every fourth message is dropped after it came."""

    count = 0

    async def recv(self) -> bytes:
        data = await self.wire.recv()
        self.count += 1
        return data if self.count % 4 else await self.recv()


class IgnoresPauses(Tampered):
    """It believes that every pause is over."""

    async def recv(self) -> bytes:
        data = await self.wire.recv()
        try:
            reply = msgspec.json.decode(data)
            reply["error"]["data"]["retryAfter"] = reply["error"]["data"]["serverTime"]
        except (msgspec.DecodeError, UnicodeError, KeyError, TypeError):
            return data
        reply["error"]["msg"] = "Too much."
        return msgspec.json.encode(reply)


class HidesLimits(Tampered):
    """It believes that everything is allowed."""

    async def recv(self) -> bytes:
        data = await self.wire.recv()
        try:
            reply = msgspec.json.decode(data)
            for row in reply["rateLimits"]:
                row["limit"], row["count"] = 10**9, 0
        except (msgspec.DecodeError, UnicodeError, KeyError, TypeError):
            return data
        return msgspec.json.encode(reply)


def id_of(data: bytes) -> str:
    try:
        name = msgspec.json.decode(data).get("id")
    except (msgspec.DecodeError, UnicodeError, AttributeError):
        return ""
    return name if isinstance(name, str) else ""


@pytest.mark.parametrize(
    ("mutate", "families", "caught_by"),
    [
        (SendsOrdersAgain, ("cuts",), "never_twice"),
        (MixesAnswersUp, ("slow",), "right_answers"),
        (LosesAnswers, (), "no_answer_lost"),
        (IgnoresPauses, ("pauses",), "pauses_kept"),
        (HidesLimits, ("tight",), "limits_kept"),
    ],
)
def test_a_client_that_is_broken_on_purpose_is_caught(
    mutate: Mutation, families: tuple[str, ...], caught_by: str
) -> None:
    assert any(kind == caught_by for kind in faults_of(mutate, families))


def faults_of(mutate: Mutation, families: tuple[str, ...]) -> Iterator[str]:
    for seed in range(40):
        for fault in run_seed(seed, only=families, mutate=mutate).faults:
            yield fault.partition(":")[0]


def test_false_evidence_is_noticed() -> None:
    """A callback called twice or for another request, an order that was forgotten, a task that was left."""
    world = run_world(Chaos(3, ()), script=(("place", 0.0), ("raw price", 0.0), ("raw place", 1.0)))
    assert violations(world) == []
    placed, price, raw = world.ops
    price.replies *= 2
    raw.replies[0] = {**raw.replies[0], "result": placed.result}
    placed.way, placed.is_reconciled, placed.client_order_id = "unknown", True, placed.result.client_order_id
    world.left_tasks.append("somebody")
    world.network.attempts += [0] * 300
    world.events[:] = [1, 1]
    kinds = {fault.partition(":")[0] for fault in violations(world)}
    assert kinds == {"right_answers", "truth", "ended", "budget_kept", "events_kept"}
