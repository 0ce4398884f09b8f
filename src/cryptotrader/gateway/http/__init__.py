"""HTTP itself: tracing, tokens and limits, parameters, errors."""
