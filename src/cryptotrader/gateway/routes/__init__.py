"""The gateway's routes, one module per part of source 0."""
