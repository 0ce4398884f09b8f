"""Diagnostics of the trading requests."""
