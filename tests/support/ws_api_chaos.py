"""What may go wrong in one simulated run of the WebSocket API client: drawn from a seed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from cryptotrader.core.errors import VenueBanned, VenueError, VenueRateLimited, VenueRejected, VenueUnreachable
from cryptotrader.exchange.protocol.limits import LimitPolicy
from cryptotrader.testing.network import LinkPlan
from cryptotrader.testing.ws_api import PLACING, Fault, Receipt

FAMILIES = (
    "cuts",  # connections cut at any byte
    "halves",  # connections that die without a word
    "outages",  # handshakes that fail
    "slow",  # messages that take seconds
    "failures",  # 5xx, with and without effect
    "silence",  # requests without an answer, with and without effect; answers that come late
    "pauses",  # 429 and 418 out of the blue
    "tight",  # limits that the client must not reach
    "shutdowns",  # serverShutdown
    "steps",  # clocks that jump by a minute
    "strays",  # answers twice, answers to nobody, rubbish
    "leavers",  # callers that do not wait for their answer
)

EXTRAS = (
    "wide",  # order lists, amendments, replacements
    "session",  # session.logon with an Ed25519 key, on every connection anew
)
"""What a program may do beyond the simple requests. Drawn apart from the troubles, so that a seed keeps its own."""

CHAOS_S = 40.0
"""How long things go wrong. Unit: virtual seconds."""

ERRORS = ((500, -1000), (500, -1001), (500, -1006), (504, -1007), (502, 0))
"""Status and code of answers after which nobody knows what happened ("Status codes"; ``errors.md``)."""

RUBBISH = (
    b"{}",
    b"[]",
    b"null",
    b"not json",
    b"\xff\xfe",
    b'{"id":null,"status":400,"error":{"code":-1135,"msg":"Invalid JSON Request"}}',
    b'{"id":"nobody","status":200,"result":{}}',
    b'{"id":987654321987654321,"status":200,"result":{}}',
    b'{"id":{"a":1},"status":200,"result":{}}',
    b'{"subscriptionId":77,"event":{"e":"executionReport"}}',
    b'{"event":{"e":"somethingNew"}}',
)


@dataclass
class Chaos:
    """One seed's bad luck.

    Args:
        seed: Everything follows from it.
        only: The families that take part; drawn where not given.
    """

    seed: int
    only: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        random = self.random("families")
        drawn = tuple(family for family in FAMILIES if random.random() < 0.35)
        self.families = frozenset(drawn if self.only is None else self.only)
        extras = tuple(extra for extra in EXTRAS if self.random(extra).random() < 0.5)
        self.extras = frozenset(extras if self.only is None else set(self.only) & set(EXTRAS))
        self.families -= frozenset(EXTRAS)
        self.duration_s = CHAOS_S
        self.is_calm = False
        """Nothing goes wrong any more."""
        self._plans, self._faults = self.random("plans"), self.random("faults")
        self.is_direct = random.random() < 0.5
        """Whether the client writes without waiting and is called with what comes."""
        self.fault_rate = random.choice((0.1, 0.3, 0.6))

    def random(self, purpose: str) -> Random:
        """Random numbers of their own for each purpose, so that one does not shift the other."""
        return Random(f"{self.seed}/{purpose}")

    def has(self, family: str) -> bool:
        """Whether a family takes part, now."""
        return family in self.families and not self.is_calm

    # Clocks and limits

    def clock_offset_s(self) -> float:
        """How wrong the client's clock is at first."""
        return self.random("offset").choice((0.0, 0.3, -0.4, 60.0, -60.0)) if "steps" in self.families else 0.0

    def limits(self) -> LimitPolicy:
        """What the venue allows; Binance's own numbers unless they shall matter."""
        if "tight" in self.families:
            return LimitPolicy(request_weight=self.random("limits").choice((180, 250)), orders_10s=5)
        return LimitPolicy()

    # Connections

    def plan(self, number: int) -> LinkPlan:
        """What will happen to a connection."""
        random = self._plans
        delay_s = random.choice((0.001, 0.02, 0.2))
        way = (delay_s / 2, delay_s)
        if self.is_calm:
            return LinkPlan(up_s=way, down_s=way)
        refusal, hangs = (self._refusal(random) if self.has("outages") else None), False
        if self.has("outages") and random.random() < 0.1:
            hangs = True
        cut = random.choice(("up", "down", "time", "none")) if self.has("cuts") or self.has("halves") else "none"
        return LinkPlan(
            refusal=refusal,
            hangs=hangs,
            open_s=random.choice((0.0, delay_s, 2.0)),
            up_bytes=random.randint(1, 4_000) if cut == "up" else None,
            down_bytes=random.randint(1, 6_000) if cut == "down" else None,
            breaks_after_s=random.uniform(0, 20) if cut == "time" else None,
            is_silent=self.has("halves") and random.random() < 0.5,
            notice_s=random.choice((0.0, 0.0, 0.3, 3.0)),
            send_raises=random.random() < 0.5,
            stall=random.choice((0.0, 0.1)),
            up_s=way,
            down_s=way,
            slow=0.1 if self.has("slow") else 0.0,
        )

    def _refusal(self, random: Random) -> VenueError | None:
        if random.random() < 0.6:
            return None
        kind = random.choice(("gone", "gone", "busy", "limited"))
        if kind == "busy":
            return VenueRejected("the upgrade was refused with 503", venue_code=0, http_status=503)
        if kind == "limited" and "pauses" in self.families:
            pause_s = float(random.randint(1, 15))
            told = VenueBanned if random.random() < 0.5 else VenueRateLimited
            return told("the upgrade was refused", retry_after_s=pause_s)
        return VenueUnreachable("no connection")

    # Requests

    def fault(self, receipt: Receipt) -> Fault:
        """What will happen to a request."""
        random = self._faults
        work_s = random.choice((0.0005, 0.005, 0.05))
        if self.is_calm:
            return Fault(work_s=work_s)
        makers: list[Callable[[Random, Receipt], Fault]] = [
            maker
            for family, maker in (
                ("failures", _failure),
                ("silence", _silence),
                ("pauses", _pause),
                ("strays", _stray),
                ("slow", _slow),
            )
            if self.has(family)
        ]
        if not makers or random.random() > self.fault_rate:
            return Fault(work_s=work_s, reply_s=random.choice((0.0, 0.01, 0.1)))
        return random.choice(makers)(random, receipt)


def _failure(random: Random, receipt: Receipt) -> Fault:
    if random.random() < 0.2:
        return Fault(executes=False, status=503, code=-1008, text="Server is currently overloaded.")
    status, code = random.choice(ERRORS)
    text = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."
    return Fault(executes=random.random() < 0.5, status=status, code=code, text=text, reply_s=random.uniform(0, 1))


def _silence(random: Random, receipt: Receipt) -> Fault:
    if random.random() < 0.5:
        return Fault(executes=random.random() < 0.5, is_answered=False, work_s=random.choice((0.001, 4.0, 9.5)))
    return Fault(work_s=random.choice((0.001, 4.0, 9.5)), reply_s=random.uniform(0, 25))


def _pause(random: Random, receipt: Receipt) -> Fault:
    wait_s = round(random.uniform(0.5, 15), 3)
    kind = random.choice(("weight", "weight", "orders", "ban"))
    if kind == "orders" and receipt.method in PLACING:
        return Fault(executes=False, status=429, code=-1015, text="Too many new orders.", retry_after_s=wait_s)
    if kind == "ban" and random.random() < 0.3:
        text = "Way too much request weight used; IP banned."
        return Fault(executes=False, status=418, code=-1003, text=text, retry_after_s=wait_s * 4, bans=True)
    return Fault(executes=False, status=429, code=-1003, text="Too much request weight used.", retry_after_s=wait_s)


def _stray(random: Random, receipt: Receipt) -> Fault:
    if random.random() < 0.2 and "timestamp" in receipt.params:
        return Fault(executes=False, status=400, code=-1021, text="Timestamp for this request is outside.")
    if random.random() < 0.15:
        return Fault(mangles=True)
    return Fault(
        copies=random.choice((1, 2, 3)), stray=random.choice((b"", *RUBBISH)), reply_s=random.choice((0.0, 0.3))
    )


def _slow(random: Random, receipt: Receipt) -> Fault:
    return Fault(work_s=random.uniform(0, 3), reply_s=random.uniform(0, 3))
