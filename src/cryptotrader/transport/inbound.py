"""Puts fragments together and checks text (RFC 6455, sections 5.4 and 8.1)."""

from __future__ import annotations

from websockets.frames import Frame, Opcode


class MessageAssembler:
    """One per connection. Sizes are limited by the frame parser before anything gets here."""

    __slots__ = ("_is_text", "_parts")

    def __init__(self) -> None:
        self._parts = bytearray()
        self._is_text = False

    def feed(self, frame: Frame) -> str | bytes | None:
        """A data frame goes in; a message comes out where the frame ends one.

        Raises:
            UnicodeDecodeError: A text message is not UTF-8.
        """
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
            if frame.fin:
                data = bytes(frame.data)
                return data.decode() if self._is_text else data
        self._parts += frame.data
        if not frame.fin:
            return None
        data = bytes(self._parts)
        self._parts.clear()
        return data.decode() if self._is_text else data
