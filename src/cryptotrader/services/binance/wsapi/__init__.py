"""The WebSocket API client, inside: pure parts that decide, and thin shells that wait and send.

``websocketAPI.base_operations`` is the door.
"""
