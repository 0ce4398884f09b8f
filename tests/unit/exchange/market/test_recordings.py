"""Reading and writing recordings."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from cryptotrader.core.errors import ConfigError
from cryptotrader.exchange.market.convert import beginning, convert
from cryptotrader.exchange.market.recordings import compact
from cryptotrader.exchange.market.recordings.columns import Recording
from cryptotrader.exchange.market.recordings.raw import read_raw
from cryptotrader.exchange.market.spec import PACKAGED_TAPE, read_recording
from tests.support.recording import FILES, needs_recording
from tests.support.recordings import small_recording

DEPTH_LINE = (
    b'1000000 {"stream":"x@depth","data":{"e":"depthUpdate","E":5,"s":"XUSDT","U":2,"u":3,"b":[["1.5","2"]],"a":[]}}\n'
)
SNAPSHOT_LINE = b'1500000 {"lastUpdateId":2,"bids":[["1.0","1"]],"asks":[["2.0","1"]]}\n'
TRADE_LINE = (
    b'2000000 {"stream":"x@trade","data":{"e":"trade","E":7,"s":"XUSDT","t":9,"p":"1.5","q":"2",'
    b'"T":6,"m":true,"M":true}}\n'
)
TOP_LINE = b'3000000 {"stream":"x@bookTicker","data":{"u":4,"s":"XUSDT","b":"1.5","B":"2","a":"2","A":"1"}}\n'
OTHER_LINE = b'3500000 {"stream":"x@kline_1m","data":{"e":"kline","s":"XUSDT"}}\n'


def same(one: Recording, other: Recording) -> bool:
    return (one.symbol, one.opening, one.columns) == (other.symbol, other.opening, other.columns)


def test_raw_lines_of_all_kinds_are_read_from_plain_and_gzipped_files_in_order(tmp_path: Path) -> None:
    first, second = tmp_path / "a.gz", tmp_path / "b.txt"
    first.write_bytes(gzip.compress(DEPTH_LINE + SNAPSHOT_LINE))
    second.write_bytes(TRADE_LINE + TOP_LINE + OTHER_LINE)
    recording = read_raw([first, second])
    assert recording.symbol == "XUSDT"
    assert recording.opening.last_id == 2
    assert list(recording.columns["offset_us"]) == [0, 1000, 2000]
    assert recording.levels(0) == (((150_000_000, 200_000_000),), ())
    assert list(recording.columns["trade_buyer_is_maker"]) == [1]
    assert recording.length_us == 2000
    with pytest.raises(ConfigError, match="order of their receipt"):
        read_raw([second, first])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (DEPTH_LINE, "no order book snapshot"),
        (SNAPSHOT_LINE, "no order book snapshot or no events"),
        (b"hello\n", "line 1"),
        (SNAPSHOT_LINE + b'1 {"data":{"s":7}}\n', "line 2"),
        (SNAPSHOT_LINE + DEPTH_LINE + TRADE_LINE.replace(b"XUSDT", b"YUSDT"), "more than one symbol"),
        (gzip.compress(SNAPSHOT_LINE + DEPTH_LINE)[:-20], "Compressed|end-of-stream|Error"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_its_name(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message) as caught:
        read_raw([path])
    assert "broken" in caught.value.message


def test_a_missing_file_is_a_configuration_error(tmp_path: Path) -> None:
    for read in (lambda path: read_raw([path]), compact.load, lambda path: read_recording([path])):
        with pytest.raises(ConfigError, match="none"):
            read(tmp_path / "none")


def test_a_compact_tape_holds_exactly_what_was_written_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    recording = small_recording()
    path.write_bytes(compact.dump(recording))
    restored = compact.load(path)
    assert same(restored, recording)
    assert restored.provenance == "made up"
    assert compact.dump(restored) == path.read_bytes()


def test_a_damaged_compact_tape_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    good = compact.dump(small_recording())
    for bad in (b"", good[:20], good[:-30], b"X" + good, good[:-9] + b"123456789", compact.MAGIC + b"\xff" * 30):
        path.write_bytes(bad)
        with pytest.raises(ConfigError, match=r"x\.tape"):
            compact.load(path)


def test_the_beginning_of_a_recording_is_cut_by_time_of_receipt() -> None:
    part = beginning(small_recording(), 0.25)
    assert list(part.columns["kind"]) == [0, 2, 1, 0, 2]
    assert list(part.columns["depth_last_id"]) == [10, 14]
    assert part.levels(1) == small_recording().levels(1)
    assert part.trade_count == 1
    assert len(part) == 5


def test_the_shipped_tape_is_small_and_says_where_it_comes_from() -> None:
    assert PACKAGED_TAPE.stat().st_size < 1_000_000
    recording = compact.load(PACKAGED_TAPE)
    assert recording.symbol == "BTCUSDT"
    assert "nkaz001/hftbacktest" in recording.provenance
    notice = PACKAGED_TAPE.with_name("NOTICE").read_text()
    assert "5f3ec40b2afb764e0fea112f941ed85523ef4e88" in notice
    assert "The above copyright notice and this permission notice shall be included" in notice


@needs_recording
def test_the_shipped_tape_can_be_made_again_from_the_raw_recording(tmp_path: Path) -> None:
    made = tmp_path / "made.tape"
    assert convert(list(FILES), made, seconds=300, provenance="again") == made.stat().st_size
    assert same(compact.load(made), compact.load(PACKAGED_TAPE))
