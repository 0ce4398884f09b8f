"""Recorded markets: columns in memory, the raw format they come in, and the compact ``.tape`` format."""
