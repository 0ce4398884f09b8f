"""Faults on demand: what a real venue does on a bad day, so that a client's handling of it can be proven."""

from cryptotrader.exchange.protocol.faults.book import MAX_FAULTS, FaultBook, WaitingFault
from cryptotrader.exchange.protocol.faults.model import MAX_DELAY_MS, FaultKind, FaultSpec, Target, problem_of
from cryptotrader.exchange.protocol.faults.rules import FaultRules, decode_fault, read_rules
from cryptotrader.exchange.protocol.faults.skew import ReportedClock

__all__ = [
    "MAX_DELAY_MS",
    "MAX_FAULTS",
    "FaultBook",
    "FaultKind",
    "FaultRules",
    "FaultSpec",
    "ReportedClock",
    "Target",
    "WaitingFault",
    "decode_fault",
    "problem_of",
    "read_rules",
]
