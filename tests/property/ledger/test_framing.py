"""Whatever happens to the bytes of a journal: what is read is a prefix of what was written, or it is refused."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cryptotrader.ledger.entries import pack_entry, unpack_entry
from cryptotrader.ledger.framing import (
    Clean,
    DamagedMiddle,
    DamagedTail,
    Position,
    SegmentReader,
    encode_frame,
    payloads_of,
)

BATCHES = [[b"one", b"two"], [b"three"], [b"", b"\xf5CJ1 looks like a frame", b"six"], [b"seven" * 20]]


START = Position(1, 0)


def written(batches: list[list[bytes]], position: Position = START) -> tuple[list[bytes], Position]:
    frames = []
    for batch in batches:
        frame, position = encode_frame(position, batch)
        frames.append(frame)
    return frames, position


def read(data: bytes, position: Position = START, *, is_last: bool = True) -> tuple[list[bytes], object]:
    reader = SegmentReader(data, position, is_last=is_last)
    return [payload for frame in reader.frames for payload in payloads_of(data, frame)], reader.verdict


FRAMES, END = written(BATCHES)
DATA = b"".join(FRAMES)
ENTRIES = [entry for batch in BATCHES for entry in batch]
ENDS = [len(b"".join(FRAMES[:count])) for count in range(len(FRAMES) + 1)]


def whole(offset: int) -> list[bytes]:
    """The entries whose frames end at or before an offset."""
    count = sum(end <= offset for end in ENDS) - 1
    return [entry for batch in BATCHES[:count] for entry in batch]


@given(st.lists(st.lists(st.binary(max_size=60), min_size=1, max_size=5), max_size=8))
def test_what_was_written_is_read_again(batches: list[list[bytes]]) -> None:
    frames, end = written(batches)
    data = b"".join(frames)
    entries = [entry for batch in batches for entry in batch]
    reader = SegmentReader(data, Position(1), is_last=True)
    assert [payload for frame in reader.frames for payload in payloads_of(data, frame)] == entries
    assert reader.verdict == Clean()
    assert reader.position.sequence == end.sequence == 1 + len(entries)


def test_cut_at_any_byte_the_whole_frames_before_are_read_and_the_rest_is_a_damaged_tail() -> None:
    for length in range(len(DATA)):
        entries, verdict = read(DATA[:length])
        assert entries == whole(length)
        start = max(end for end in ENDS if end <= length)
        if start == length:
            assert verdict == Clean()
        else:
            assert isinstance(verdict, DamagedTail)
            assert (verdict.offset, verdict.lost_bytes) == (start, length - start)
            expected = len(BATCHES[ENDS.index(start)]) if length - start >= 28 else None
            assert verdict.entries == expected


def test_cut_at_any_byte_with_a_segment_after_it_nothing_is_accepted_silently() -> None:
    for length in range(len(DATA)):
        entries, verdict = read(DATA[:length], is_last=False)
        assert entries == whole(length)
        assert isinstance(verdict, Clean if length in ENDS else DamagedMiddle)


def test_any_flipped_bit_is_noticed_and_is_a_damaged_middle_unless_it_is_in_the_last_frame() -> None:
    for bit in range(len(DATA) * 8):
        damaged = bytearray(DATA)
        damaged[bit // 8] ^= 1 << bit % 8
        entries, verdict = read(bytes(damaged))
        assert entries == whole(bit // 8)
        if bit // 8 >= ENDS[-2]:
            assert isinstance(verdict, DamagedTail)
        else:
            assert isinstance(verdict, DamagedMiddle)
            assert verdict.sequence == 1 + len(whole(bit // 8))
            assert verdict.offset == max(end for end in ENDS if end <= bit // 8)


def test_a_frame_that_is_missing_repeated_or_elsewhere_is_a_damaged_middle() -> None:
    one, two, three, four = FRAMES
    for order in ([one, three, four], [one, two, four], [one, one, two], [two, one, three], [one, three, two, four]):
        entries, verdict = read(b"".join(order))
        assert isinstance(verdict, DamagedMiddle)
        assert entries == ENTRIES[: len(entries)]
    assert isinstance(read(b"".join([two, three, four]))[1], DamagedMiddle)


def test_a_frame_of_another_journal_with_the_right_number_is_noticed_by_the_chain() -> None:
    others, _ = written([[b"ONE", b"two"], *BATCHES[1:]])
    entries, verdict = read(FRAMES[0] + others[1] + others[2] + others[3])
    assert entries == BATCHES[0]
    assert isinstance(verdict, DamagedMiddle)
    assert "follow" in verdict.problem


@given(st.binary(max_size=200))
def test_garbage_after_the_last_frame_is_cut(garbage: bytes) -> None:
    entries, verdict = read(DATA + garbage)
    assert entries == ENTRIES
    assert verdict == (DamagedTail(len(DATA), len(garbage), None) if garbage else Clean())


@given(
    st.text(max_size=20),
    st.integers(min_value=0, max_value=2**53),
    st.dictionaries(st.binary(max_size=20), st.binary(max_size=50), max_size=6),
)
def test_an_entry_is_read_as_it_was_packed_and_a_cut_one_is_refused(
    name: str, time_ms: int, records: dict[bytes, bytes]
) -> None:
    packed = pack_entry(name, time_ms, records)
    entry = unpack_entry(packed)
    assert (entry.command, entry.time_ms, entry.records) == (name, time_ms, records)
    for length in range(len(packed)):
        try:
            shorter = unpack_entry(packed[:length])
        except ValueError:
            continue
        assert list(shorter.records.items()) == list(records.items())[: len(shorter.records)]
