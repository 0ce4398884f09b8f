"""What users feel, measured beside peers in the same run. ``python -m benchmarks``."""
