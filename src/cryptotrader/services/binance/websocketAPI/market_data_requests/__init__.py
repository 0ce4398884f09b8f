"""market_data_requests."""
