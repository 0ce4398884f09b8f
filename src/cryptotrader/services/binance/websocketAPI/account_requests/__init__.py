"""account_requests."""
