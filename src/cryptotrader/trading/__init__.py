"""The order path: what may be sent, sending it once, and finding out what became of it."""
