"""The WebSocket API of the paper exchange: ``/ws-api/v3``."""
