"""Frames and the outbox."""

from __future__ import annotations

import zlib

import pytest

from cryptotrader.transport.frames import Frame, FrameBatch, cut_reason, ping_frame
from cryptotrader.transport.outbox import Outbox, Put


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_frame_has_the_shortest_header_for_its_length(size: int, head: bytes) -> None:
    """RFC 6455, section 5.2."""
    frame = Frame.text(b"x" * size)
    assert frame.wire == head + b"x" * size
    assert frame.payload == b"x" * size


def test_the_compressed_form_is_made_once_and_only_where_it_pays() -> None:
    small = Frame.text(b"x" * 100)
    assert small.deflated is small.wire
    large = Frame.binary(b"price " * 100)
    assert large.deflated is large.deflated
    assert large.deflated[0] == 0xC2
    assert len(large.deflated) < len(large.wire)
    unpacked = zlib.decompressobj(wbits=-12).decompress(large.deflated[2:] + b"\x00\x00\xff\xff")
    assert unpacked == b"price " * 100


def test_a_batch_is_its_frames_in_order() -> None:
    frames = [Frame.text(b"a" * 200), Frame.text(b"b")]
    batch = FrameBatch(frames)
    assert batch.wire == frames[0].wire + frames[1].wire
    assert batch.deflated == frames[0].deflated + frames[1].wire


def test_control_frames_stay_within_their_limit() -> None:
    """RFC 6455, section 5.5."""
    assert ping_frame(b"hi") == b"\x89\x02hi"
    with pytest.raises(ValueError):
        ping_frame(b"x" * 126)
    assert len(cut_reason("€" * 100).encode()) <= 123
    assert cut_reason("fine") == "fine"


def test_an_outbox_replaces_state_and_keeps_events_in_order() -> None:
    """DESIGN 4.5: state-like messages conflate, others never do."""
    outbox = Outbox(max_frames=3, max_bytes=1000)
    frames = [Frame.text(b"%d" % number) for number in range(5)]
    assert outbox.put(frames[0], key="price") is Put.QUEUED
    assert outbox.put(frames[1]) is Put.QUEUED
    assert outbox.put(frames[2], key="price") is Put.CONFLATED
    assert outbox.put(frames[3]) is Put.QUEUED
    assert outbox.put(frames[4]) is Put.OVERFLOW
    assert (len(outbox), outbox.byte_count) == (3, 9)
    assert outbox.drain() == [frames[2], frames[1], frames[3]]
    assert (len(outbox), outbox.byte_count, outbox.conflated, outbox.overflowed) == (0, 0, 1, 1)


def test_an_outbox_is_bounded_in_bytes_but_takes_one_frame_of_any_size() -> None:
    outbox = Outbox(max_frames=10, max_bytes=10)
    assert outbox.put(Frame.text(b"x" * 100)) is Put.QUEUED
    assert outbox.put(Frame.text(b"y")) is Put.OVERFLOW
    with pytest.raises(ValueError):
        Outbox(max_frames=0, max_bytes=1)
