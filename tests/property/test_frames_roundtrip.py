"""Any message that we frame is read back by an independent parser, compressed or not."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as ParsedFrame
from websockets.frames import Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from cryptotrader.transport.frames import Frame, FrameBatch
from cryptotrader.transport.outbox import Outbox, Put

texts = st.lists(st.text(max_size=300), min_size=1, max_size=8)


def parse(data: bytes, cuts: list[int], *, inflates: bool) -> list[str]:
    protocol = ClientProtocol(parse_uri("ws://test/"), state=OPEN)
    if inflates:
        protocol.extensions = [PerMessageDeflate(True, True, 15, 15)]
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        protocol.receive_data(data[start:end])
    assert protocol.parser_exc is None
    found = [event for event in protocol.events_received() if isinstance(event, ParsedFrame)]
    assert all(event.opcode is Opcode.TEXT and event.fin for event in found)
    return [bytes(event.data).decode() for event in found]


@given(texts, st.lists(st.integers(min_value=0), max_size=10), st.booleans())
def test_frames_are_read_back_however_the_network_cuts_them(messages: list[str], cuts: list[int], packed: bool) -> None:
    frames = [Frame.text(message.encode()) for message in messages]
    batch = FrameBatch(frames)
    data = batch.deflated if packed else batch.wire
    assert data == b"".join(frame.deflated if packed else frame.wire for frame in frames)
    assert parse(data, cuts, inflates=packed) == messages


@given(
    st.lists(st.tuples(st.binary(max_size=20), st.sampled_from([None, "a", "b", "c"])), max_size=40),
    st.integers(min_value=1, max_value=10),
    st.integers(min_value=1, max_value=200),
)
def test_an_outbox_loses_nothing_silently(puts: list[tuple[bytes, str | None]], max_frames: int, limit: int) -> None:
    """Every frame leaves, or was replaced by a newer one of its key, or was refused aloud."""
    outbox = Outbox(max_frames=max_frames, max_bytes=limit)
    expected: list[Frame] = []
    newest: dict[str, int] = {}
    for payload, key in puts:
        frame = Frame.binary(payload)
        match outbox.put(frame, key=key):
            case Put.QUEUED:
                if key is not None:
                    newest[key] = len(expected)
                expected.append(frame)
            case Put.CONFLATED:
                assert key is not None
                expected[newest[key]] = frame
            case Put.OVERFLOW:
                assert len(expected) >= max_frames or sum(map(len, [*expected, frame])) > limit
        assert outbox.byte_count == sum(map(len, expected))
    assert outbox.drain() == expected
