"""What is written comes back, a torn end is an end, and damage costs the damaged frame only."""

from __future__ import annotations

import os
import struct
import sys
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remora.store.codecs import AS_IT_IS, UndecodableError, compress, decompress
from remora.store.frames import (
    FILE_HEADER_BYTES,
    FRAME_HEADER_BYTES,
    FRAME_MAGIC,
    FrameHeader,
    file_header,
    file_name,
    frame,
)
from remora.store.reader import Reader, Stored
from remora.store.scan import Damaged
from remora.store.writer import Writer

if TYPE_CHECKING:
    from pathlib import Path

BODIES = [b"first" * 20, b"", b"second body", bytes(range(256))]


def write_all(folder: Path, bodies: list[bytes]) -> Path:
    """One file with these bodies; item counts tell them apart."""
    writer = Writer(str(folder), 10_000_000)
    for number, body in enumerate(bodies, 1):
        assert writer.write("traces", body, number)
    writer.close()
    (file,) = folder.iterdir()
    return file


def read_all(folder: Path) -> tuple[list[tuple[int, bytes]], list[Damaged]]:
    """(items, body) of what can be read, and the damage."""
    found = list(Reader(str(folder)).read())
    sound = [(each.items, each.body) for each in found if isinstance(each, Stored)]
    return sound, [each for each in found if isinstance(each, Damaged)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["traces", "metrics", "logs", "profiles"]),
            st.binary(max_size=500),
            st.integers(0, 2**32 - 1),
        ),
        max_size=8,
    )
)
def test_what_is_written_comes_back_in_order(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[str, bytes, int]]
) -> None:
    folder = str(tmp_path_factory.mktemp("store"))
    writer = Writer(folder, 10_000_000)
    for signal, body, items in written:
        assert writer.write(signal, body, items)
    writer.close()
    found = list(Reader(folder).read())
    assert [(each.signal, each.body, each.items) for each in found if isinstance(each, Stored)] == written
    assert len(found) == len(written)


def test_a_file_cut_at_any_byte_gives_the_frames_before_the_cut_and_no_complaint(folder: Path) -> None:
    file = write_all(folder, BODIES)
    whole = file.read_bytes()
    expected = list(enumerate(BODIES, 1))
    counts = []
    for size in range(len(whole) + 1):
        file.write_bytes(whole[:size])
        sound, damage = read_all(folder)
        assert sound == expected[: len(sound)], f"cut at {size}"
        assert damage == [], f"cut at {size}"
        counts.append(len(sound))
    assert counts == sorted(counts)
    assert counts[-1] == len(BODIES)
    assert counts[FILE_HEADER_BYTES] == 0


def test_a_flipped_bit_is_never_a_wrong_payload_and_costs_one_frame_at_most(folder: Path) -> None:
    bodies = [b"first", b"", b"the third body"]
    file = write_all(folder, bodies)
    whole = file.read_bytes()
    expected = list(enumerate(bodies, 1))
    with file.open("r+b", buffering=0) as raw:
        for position, byte in enumerate(whole):
            for bit in range(8):
                os.pwrite(raw.fileno(), bytes([byte ^ 1 << bit]), position)
                sound, damage = read_all(folder)
                where = f"byte {position}, bit {bit}: {damage}"
                assert [each for each in sound if each not in expected] == [], where
                assert len(expected) - len(sound) == (0 if position < FILE_HEADER_BYTES else 1), where
                assert [(each.file, each.offset <= position) for each in damage] == [(str(file), True)], where
            os.pwrite(raw.fileno(), bytes([byte]), position)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_any_damage_at_all_never_gives_a_wrong_payload_nor_raises(folder: Path, data: st.DataObject) -> None:
    for old in folder.glob("*") if folder.exists() else ():
        old.unlink()
    file = write_all(folder, BODIES)
    broken = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(broken)))
        end = min(len(broken), start + data.draw(st.integers(0, 60)))
        broken[start:end] = data.draw(st.binary(max_size=60))
    file.write_bytes(broken)
    sound, _ = read_all(folder)
    assert [each for each in sound if each not in list(enumerate(BODIES, 1))] == []


def test_a_frame_cut_short_in_the_middle_of_a_file_costs_itself_only(folder: Path) -> None:
    file = write_all(folder, [b"one", b"two" * 50, b"three"])
    whole = file.read_bytes()
    second = whole.index(FRAME_MAGIC, FILE_HEADER_BYTES + 1)
    third = whole.index(FRAME_MAGIC, second + 1)
    file.write_bytes(whole[: third - 10] + whole[third:])
    sound, damage = read_all(folder)
    assert sound == [(1, b"one"), (3, b"three")]
    assert [each.offset for each in damage] == [second]


def test_damage_names_file_and_place(folder: Path) -> None:
    file = write_all(folder, [b"one"])
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    _, (damage,) = read_all(folder)
    assert str(damage) == f"{file}, offset {FILE_HEADER_BYTES}: the checksum does not match"


def test_a_file_of_a_newer_format_is_named_and_left_alone(folder: Path) -> None:
    file = write_all(folder, [b"one"])
    content = bytearray(file.read_bytes())
    content[8:10] = struct.pack("<H", 2)
    content[FILE_HEADER_BYTES - 4 : FILE_HEADER_BYTES] = struct.pack("<I", zlib.crc32(content[: FILE_HEADER_BYTES - 4]))
    file.write_bytes(content)
    sound, (damage,) = read_all(folder)
    assert sound == []
    assert "format version 2" in damage.reason


def handmade(folder: Path, header: FrameHeader, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file_name(1, 1)).write_bytes(file_header(1, 1) + frame(header, data))


@pytest.mark.parametrize("announced", [1000, 100_000_000])
def test_a_decompression_bomb_is_defused(folder: Path, announced: int) -> None:
    codec, data = compress(bytes(100_000_000))
    handmade(folder, FrameHeader("traces", codec, 1, len(data), announced, 1), data)
    sound, (damage,) = read_all(folder)
    assert sound == []
    assert "more than" in damage.reason


def test_a_zlib_bomb_is_defused_too() -> None:
    with pytest.raises(UndecodableError, match="more than"):
        decompress(1, zlib.compress(bytes(50_000_000)), 1000)


@pytest.mark.parametrize("codec", [1, 2])
def test_data_that_its_codec_does_not_know_is_damage(folder: Path, codec: int) -> None:
    handmade(folder, FrameHeader("traces", codec, 1, 8, 100, 1), b"nonsense")
    sound, (damage,) = read_all(folder)
    assert sound == []
    assert "cannot be decompressed" in damage.reason


def test_a_codec_of_the_future_is_named(folder: Path) -> None:
    handmade(folder, FrameHeader("traces", 9, 1, 3, 3, 1), b"abc")
    _, (damage,) = read_all(folder)
    assert "codec 9 is unknown" in damage.reason


def test_without_zstandard_zlib_is_written_and_zstd_frames_say_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all(folder, [b"with zstd"])
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    writer = Writer(str(folder), 1_000_000)
    assert writer.write("traces", b"with zlib", 2)
    writer.close()
    sound, (damage,) = read_all(folder)
    assert sound == [(2, b"with zlib")]
    assert "pip install zstandard" in damage.reason


def test_a_whole_frame_inside_the_data_of_a_damaged_one_is_not_taken_for_real(folder: Path) -> None:
    inner = frame(FrameHeader("traces", AS_IT_IS, 66, 4, 4, 1), b"fake")
    folder.mkdir(parents=True)
    outer = bytearray(frame(FrameHeader("traces", AS_IT_IS, 1, len(inner), len(inner), 1), inner))
    outer[-1] ^= 1
    after = frame(FrameHeader("traces", AS_IT_IS, 2, 4, 4, 2), b"real")
    (folder / file_name(1, 1)).write_bytes(file_header(1, 1) + outer + after)
    sound, damage = read_all(folder)
    assert sound == [(2, b"real")]
    assert len(damage) == 1


def test_headers_have_the_documented_sizes() -> None:
    assert (FILE_HEADER_BYTES, FRAME_HEADER_BYTES) == (28, 32)
    assert len(frame(FrameHeader("logs", AS_IT_IS, 1, 3, 3, 1), b"abc")) == 32 + 3 + 4
