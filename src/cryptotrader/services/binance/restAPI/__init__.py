"""restAPI."""
