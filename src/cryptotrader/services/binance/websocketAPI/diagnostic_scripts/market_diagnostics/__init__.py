"""Diagnostics of the market data requests."""
