"""websocketAPI."""
