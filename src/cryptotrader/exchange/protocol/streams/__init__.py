"""Market and user data streams of the paper exchange: ``/ws`` and ``/stream``."""
