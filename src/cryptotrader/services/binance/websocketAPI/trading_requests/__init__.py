"""trading_requests."""
