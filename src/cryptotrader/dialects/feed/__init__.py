"""Source 2's price feed on ``/stream``: each exchange's price as it arrives. Pure."""
