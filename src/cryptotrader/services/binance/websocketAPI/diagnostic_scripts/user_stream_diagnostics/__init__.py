"""Diagnostics of the user data stream requests."""
