"""pytest fixtures: a running paper exchange, its clock, and an exchange on virtual time without sockets.

Loaded by pytest in every project that has this package installed, so nothing of the exchange is imported here before
a test asks for it. See ``docs/testing-with-paper-exchange.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cryptotrader.testing.clock import PaperClock
    from cryptotrader.testing.paper.exchange import ExchangeOptions, RunningExchange
    from cryptotrader.testing.paper.in_process import InProcessExchange

MARKER = "paper_exchange"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "paper_exchange(market=..., balances={...}, limits=True, latency='0'): how the paper exchange of a test is set "
        "up; see cryptotrader.testing.ExchangeOptions",
    )


@pytest.fixture
def paper_exchange_options(request: pytest.FixtureRequest) -> ExchangeOptions:
    """How the exchange is set up: by the marker ``paper_exchange``. Override it for a whole module or project."""
    from cryptotrader.testing.paper.exchange import ExchangeOptions

    marker = request.node.get_closest_marker(MARKER)
    return ExchangeOptions(**(marker.kwargs if marker is not None else {}))


@pytest.fixture
def paper_clock() -> PaperClock:
    """Time of ``paper_exchange`` where a test asks for both: stands still until ``paper_clock.advance(seconds)``."""
    from cryptotrader.testing.clock import PaperClock

    return PaperClock()


@pytest.fixture
def paper_exchange(
    request: pytest.FixtureRequest, paper_exchange_options: ExchangeOptions
) -> Iterator[RunningExchange]:
    """A paper exchange of its own on a free port, with a funded account and its key."""
    from cryptotrader.testing.paper.exchange import run_exchange

    clock = request.getfixturevalue("paper_clock") if "paper_clock" in request.fixturenames else None
    with run_exchange(paper_exchange_options, clock=clock) as exchange:
        yield exchange


@pytest.fixture
def paper_simulation(
    paper_exchange_options: ExchangeOptions,
) -> Callable[[Callable[[InProcessExchange], Coroutine[Any, Any, Any]]], Any]:
    """Runs ``async def scenario(exchange)`` on virtual time, without sockets and threads; the same every time."""
    from cryptotrader.testing.paper.in_process import simulate

    return lambda scenario: simulate(scenario, paper_exchange_options)
