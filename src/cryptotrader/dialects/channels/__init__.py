"""Source 1's channel protocol: authenticated market data, orders and positions on ``/ws``. Pure."""
