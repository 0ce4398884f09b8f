"""The AsyncAPI document: every message of every WebSocket protocol."""
