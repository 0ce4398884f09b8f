"""Binance as a venue: requests as values, signing, REST client, streams, and the way from wire messages to events."""
