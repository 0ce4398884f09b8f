"""Every request that Binance's WebSocket and REST APIs understand, one module each, by category."""
