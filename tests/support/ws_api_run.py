"""Run one seed of the chaos against the real client, or against one that is broken on purpose."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

from cryptotrader.net import supervise
from cryptotrader.net.ws import Wire
from cryptotrader.services.binance.signing import Credentials
from cryptotrader.services.binance.websocketAPI.base_operations import BinanceWebSocketConnection
from cryptotrader.services.binance.wsapi.limits import RateLimits
from cryptotrader.testing import SimulationStuckError, run_simulated
from cryptotrader.testing.ws_api import API_KEY, SECRET
from tests.support.ws_api_chaos import Chaos
from tests.support.ws_api_checks import violations
from tests.support.ws_api_extras import PRIVATE_PEM
from tests.support.ws_api_world import World

URL = "ws://venue/ws-api/v3"

Mutation = Callable[[World, Wire], Wire]
"""Breaks the client on purpose, by what it puts between the client and the network."""


@dataclass(frozen=True)
class Verdict:
    """How a run went."""

    seed: int
    families: tuple[str, ...]
    faults: tuple[str, ...]
    requests: int
    connections: int
    unknown: int
    found: int
    """Unknown outcomes that turned out to have landed."""

    @property
    def replay(self) -> str:
        """How to see it again."""
        return f"python -m tests.simulation.ws_api_chaos --seed {self.seed}"


def run_seed(seed: int, *, only: tuple[str, ...] | None = None, mutate: Mutation | None = None) -> Verdict:
    """Everything that follows from a seed."""
    return verdict_of(run_world(Chaos(seed, only), mutate=mutate))


def run_world(chaos: Chaos, *, mutate: Mutation | None = None, script: tuple[tuple[str, float], ...] = ()) -> World:
    """A whole run; its traces are in the world afterwards."""
    worlds: list[World] = []

    async def main() -> None:
        world = World(chaos, mutate, script)
        worlds.append(world)
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: world.crashes.append(f"{context.get('message')}: {context.get('exception')!r}")
        )
        await world.run(_client(world))

    with patch.object(supervise, "log", _Crashes(worlds)):
        try:
            run_simulated(main)
        except SimulationStuckError as error:
            worlds[0].crashes.append(str(error))
    return worlds[0]


class _Crashes:
    """Takes the place of the supervisor's log, which nothing should be written to."""

    def __init__(self, worlds: list[World]) -> None:
        self._worlds = worlds

    def exception(self, text: str) -> None:
        """A job failed."""
        self._worlds[0].crashes.append(f"{text}: {traceback.format_exc(limit=-3)}")

    def error(self, text: str) -> None:
        """A job did not end."""
        self._worlds[0].crashes.append(text)


def verdict_of(world: World) -> Verdict:
    """How a run went."""
    unknown = [op for op in world.ops if op.way == "unknown"]
    return Verdict(
        world.chaos.seed,
        tuple(sorted(world.chaos.families | world.chaos.extras)),
        tuple(violations(world)),
        requests=len(world.network.sent),
        connections=len(world.network.attempts),
        unknown=len(unknown),
        found=sum(op.truth is not None for op in unknown),
    )


def _client(world: World) -> BinanceWebSocketConnection:
    limits = RateLimits(weight_per_minute=world.venue.policy.request_weight)
    # As after ``exchangeInfo``: the client knows what is allowed.
    limits.orders_of(API_KEY)[0].limit = world.venue.policy.orders_10s
    return BinanceWebSocketConnection(
        url=URL,
        credentials=Credentials.of(API_KEY, PRIVATE_PEM if "session" in world.chaos.extras else SECRET),
        limits=limits,
        clock=world.clock,
        connect=world.connect,
        draw=world.chaos.random("draw").random,
    )
