"""Fakes that are shipped, so that programs built on this one can be tested without a network or real time."""

from cryptotrader.testing.clock import FakeClock, settle
from cryptotrader.testing.market import FakeMarket
from cryptotrader.testing.network import FaultyNetwork, FaultyWire, LinkPlan
from cryptotrader.testing.proxy import FaultProxy
from cryptotrader.testing.rest import FakeRest
from cryptotrader.testing.simulation import SimulatedClock, SimulationStuckError, run_simulated
from cryptotrader.testing.wire import FakeVenue, FakeWire

__all__ = [
    "FakeClock",
    "FakeMarket",
    "FakeRest",
    "FakeVenue",
    "FakeWire",
    "FaultProxy",
    "FaultyNetwork",
    "FaultyWire",
    "LinkPlan",
    "SimulatedClock",
    "SimulationStuckError",
    "run_simulated",
    "settle",
]
