"""The only place that connects outwards, plus the supervisor and the clock that such code needs."""

from cryptotrader.net.clock import SystemClock
from cryptotrader.net.supervise import Supervisor

__all__ = ["Supervisor", "SystemClock"]
