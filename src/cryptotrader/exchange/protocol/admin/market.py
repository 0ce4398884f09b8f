"""``/admin/market``, ``/admin/symbols`` and ``/admin/latency``: how the market moves, and how far away it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, assert_never

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cryptotrader.core.clock import NS_PER_S
from cryptotrader.exchange.latency import Latency
from cryptotrader.exchange.market.control import MAX_SEED, Player, read_speed
from cryptotrader.exchange.market.source import MarketSource
from cryptotrader.exchange.protocol.admin.guard import Guard, Problem, answer, read
from cryptotrader.exchange.protocol.operations import Desk

MAX_STEPS = 100_000
"""Most events of one step. Reason: they are handed over in slices, and nothing else can be asked for meanwhile."""

MAX_POSITION_S = 31_536_000
"""Furthest place. Unit: seconds. Reason: no recording is longer than a year."""

Symbol = Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{1,20}$")]


class Order(msgspec.Struct, frozen=True, kw_only=True, tag_field="action", forbid_unknown_fields=True):
    """Body of ``POST /admin/market``; ``action`` says which. Without ``symbol`` it goes to every source."""

    symbol: Symbol | None = None


class Pause(Order, frozen=True, tag="pause"):
    """Stop."""


class Play(Order, frozen=True, tag="play"):
    """Go on."""


class Step(Order, frozen=True, tag="step"):
    """Hand over some events while paused."""

    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_STEPS)] = 1


class Seek(Order, frozen=True, tag="seek"):
    """Go to a place of a recording."""

    position_s: Annotated[float, msgspec.Meta(ge=0, le=MAX_POSITION_S)]


class Speed(Order, frozen=True, tag="speed"):
    """Market seconds per second, or ``max``."""

    speed: str


class Seed(Order, frozen=True, tag="seed"):
    """Go on as another seed has it."""

    seed: Annotated[int, msgspec.Meta(ge=0, le=MAX_SEED)]


MarketOrder = Pause | Play | Step | Seek | Speed | Seed

_ORDERS: msgspec.json.Decoder[MarketOrder] = msgspec.json.Decoder(MarketOrder)


class SymbolStatus(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of ``PATCH /admin/symbols/{symbol}``."""

    status: Literal["TRADING", "HALT", "BREAK", "END_OF_DAY", "CANCEL_ONLY"]


class MarketRoutes:
    """Pause, play, step, seek, speed and seed; symbol status; latency of the exchange.

    Args:
        desk: Has the venue.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self, guard: Guard) -> list[Route]:
        """For the exchange's application."""
        return [
            guard.route("/admin/market", get=self._status, post=self._control),
            guard.route("/admin/symbols/{symbol}", patch=self._set_status),
            guard.route("/admin/latency", get=self._latency, post=self._set_latency),
        ]

    async def _status(self, request: Request) -> Response:
        return answer(self._shown(self._desk.venue.sources))

    async def _control(self, request: Request) -> Response:
        order = await read(request, _ORDERS)
        sources = self._sources(order.symbol, is_picky=not isinstance(order, Pause | Play | Speed))
        try:
            self._desk.venue.control(_action(order), sources)
        except ValueError as error:
            raise Problem(f"{str(error)[:1].upper()}{str(error)[1:]}.", 409) from None
        return answer(self._shown(sources))

    async def _set_status(self, request: Request) -> Response:
        wanted = await read(request, SymbolStatus)
        venue, symbol = self._desk.venue, str(request.path_params["symbol"])
        if symbol not in venue.rules:
            raise Problem("No such symbol.", 404)
        venue.set_status(symbol, wanted.status)
        await venue.committed()
        return answer({"symbol": symbol, "status": wanted.status})

    async def _latency(self, request: Request) -> Response:
        return answer(self._desk.roads.default)

    async def _set_latency(self, request: Request) -> Response:
        self._desk.roads.set_default(await read(request, Latency))
        return answer(self._desk.roads.default)

    def _sources(self, symbol: str | None, *, is_picky: bool) -> Sequence[MarketSource]:
        """Who is meant: whoever serves the symbol, or without one everybody.

        Args:
            symbol: Upper case.
            is_picky: Whether not every kind of source can do it; then one has to be named where there are several.
        """
        sources = self._desk.venue.sources
        chosen = [source for source in sources if symbol is None or symbol in source.symbols]
        if not chosen:
            raise Problem("No such symbol.", 404)
        if symbol is None and is_picky and len(chosen) > 1:
            raise Problem("There are several sources; name a symbol.")
        return chosen

    def _shown(self, sources: Sequence[MarketSource]) -> dict[str, object]:
        now_ns = self._desk.venue.market_ns()
        return {"sources": [source.state(now_ns) for source in sources if isinstance(source, Player)]}


def _action(order: MarketOrder) -> Callable[[MarketSource, int], bool]:
    """What to do with a source at a time (epoch nanoseconds); True where its books have to be shown anew.

    Raises:
        ValueError: The source, or the order itself, will not do.
    """

    def act(source: MarketSource, now_ns: int) -> bool:
        if not isinstance(source, Player):
            raise ValueError("this source cannot be controlled")
        match order:
            case Pause():
                source.pause(now_ns)
            case Play():
                source.play(now_ns)
            case Step(count=count):
                source.step(count, now_ns)
            case Seek(position_s=position_s):
                source.seek(round(position_s * NS_PER_S), now_ns)
                return True
            case Speed(speed=speed):
                source.set_speed(read_speed(speed), now_ns)
            case Seed(seed=seed):
                source.reseed(seed, now_ns)
                return True
            case _:
                assert_never(order)
        return False

    return act
