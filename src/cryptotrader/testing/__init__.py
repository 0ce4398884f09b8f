"""For tests of programs built on this one: fakes, virtual time, and a paper exchange on a port or without one."""

from typing import TYPE_CHECKING

from cryptotrader.testing.lazy import attributes_of

if TYPE_CHECKING:
    from cryptotrader.testing.clock import FakeClock, PaperClock, settle
    from cryptotrader.testing.market import FakeMarket
    from cryptotrader.testing.network import FaultyNetwork, FaultyWire, LinkPlan
    from cryptotrader.testing.paper.exchange import ExchangeOptions, PaperAccess, RunningExchange, run_exchange
    from cryptotrader.testing.paper.in_process import InProcessExchange, InProcessReply, simulate
    from cryptotrader.testing.paper.socket import ClosedByExchange, InProcessSocket
    from cryptotrader.testing.proxy import FaultProxy
    from cryptotrader.testing.rest import FakeRest
    from cryptotrader.testing.simulation import SimulatedClock, SimulationStuckError, run_simulated
    from cryptotrader.testing.wire import FakeVenue, FakeWire

__all__ = [
    "ClosedByExchange",
    "ExchangeOptions",
    "FakeClock",
    "FakeMarket",
    "FakeRest",
    "FakeVenue",
    "FakeWire",
    "FaultProxy",
    "FaultyNetwork",
    "FaultyWire",
    "InProcessExchange",
    "InProcessReply",
    "InProcessSocket",
    "LinkPlan",
    "PaperAccess",
    "PaperClock",
    "RunningExchange",
    "SimulatedClock",
    "SimulationStuckError",
    "run_exchange",
    "run_simulated",
    "settle",
    "simulate",
]

__getattr__ = attributes_of(
    __name__,
    {
        "ClosedByExchange": "paper.socket",
        "ExchangeOptions": "paper.exchange",
        "FakeClock": "clock",
        "FakeMarket": "market",
        "FakeRest": "rest",
        "FakeVenue": "wire",
        "FakeWire": "wire",
        "FaultProxy": "proxy",
        "FaultyNetwork": "network",
        "FaultyWire": "network",
        "InProcessExchange": "paper.in_process",
        "InProcessReply": "paper.in_process",
        "InProcessSocket": "paper.socket",
        "LinkPlan": "network",
        "PaperAccess": "paper.exchange",
        "PaperClock": "clock",
        "RunningExchange": "paper.exchange",
        "SimulatedClock": "simulation",
        "SimulationStuckError": "simulation",
        "run_exchange": "paper.exchange",
        "run_simulated": "simulation",
        "settle": "clock",
        "simulate": "paper.in_process",
    },
)
