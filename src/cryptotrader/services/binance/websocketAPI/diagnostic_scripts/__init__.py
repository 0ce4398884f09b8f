"""Scripts that try every request of the WebSocket API against a venue and tell what works; each runs by itself."""
