"""Diagnostics of the account requests."""
