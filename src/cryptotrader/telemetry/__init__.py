"""Metric names and the one registry they live in."""

from cryptotrader.telemetry.metrics import REGISTRY

__all__ = ["REGISTRY"]
