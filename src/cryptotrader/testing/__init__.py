"""Fakes that are shipped, so that programs built on this one can be tested without a network or real time."""

from cryptotrader.testing.clock import FakeClock, settle
from cryptotrader.testing.market import FakeMarket
from cryptotrader.testing.proxy import FaultProxy
from cryptotrader.testing.rest import FakeRest
from cryptotrader.testing.wire import FakeVenue, FakeWire

__all__ = ["FakeClock", "FakeMarket", "FakeRest", "FakeVenue", "FakeWire", "FaultProxy", "settle"]
