"""The append-only journal: framing and checks (pure), files, and the group commit that acknowledges."""
