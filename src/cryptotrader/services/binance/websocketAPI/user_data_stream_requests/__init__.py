"""user_data_stream_requests."""
