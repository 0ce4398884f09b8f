"""The estimate of the venue's clock, which the WebSocket API client uses as well."""

from cryptotrader.services.binance.clock_offset import DATE_RESOLUTION_MS, MAX_SAMPLES, ClockOffset

__all__ = ["DATE_RESOLUTION_MS", "MAX_SAMPLES", "ClockOffset"]
