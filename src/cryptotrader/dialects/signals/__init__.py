"""Source 3's open protocol on ``/ws``: aggregated prices, merged books, trading signals, server status. Pure."""
