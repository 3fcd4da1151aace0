"""Reading over all files in order of time, once or while they grow."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from remora.store.reader import Reader, Stored
from remora.store.scan import Damaged
from remora.store.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.now_ns = 1_000

    def __call__(self) -> int:
        return self.now_ns


def test_an_absent_store_is_empty(folder: Path) -> None:
    assert list(Reader(str(folder)).read()) == []


def test_files_of_several_processes_are_merged_by_time(folder: Path) -> None:
    clock = Clock()
    writers = [Writer(str(folder), 1_000_000, now_ns=clock) for _ in range(3)]
    for number in range(30):
        clock.now_ns += 10
        assert writers[number * 7 % 3].write("traces", b"x", number)
    found = [each for each in Reader(str(folder)).read() if isinstance(each, Stored)]
    assert [each.items for each in found] == list(range(30))
    assert [each.time_ns for each in found] == sorted(each.time_ns for each in found)
    assert len({each.file for each in found}) == 3


def test_only_what_was_written_since_can_be_asked_for(folder: Path) -> None:
    clock = Clock()
    writer = Writer(str(folder), 1_000_000, now_ns=clock)
    for number in range(5):
        clock.now_ns = 1000 + number
        writer.write("logs", b"x", number)
    assert [each.items for each in Reader(str(folder)).read(since_ns=1003) if isinstance(each, Stored)] == [3, 4]


def test_damage_in_one_file_does_not_hide_the_others(folder: Path) -> None:
    clock = Clock()
    for number in range(3):
        clock.now_ns += 10
        writer = Writer(str(folder), 1_000_000, now_ns=clock)
        writer.write("traces", b"x" * 50, number)
        writer.close()
    middle = sorted(folder.iterdir())[1]
    middle.write_bytes(b"overwritten by something else entirely, and long enough for a header")
    found = list(Reader(str(folder)).read())
    assert [each.items for each in found if isinstance(each, Stored)] == [0, 2]
    (damage,) = [each for each in found if isinstance(each, Damaged)]
    assert (damage.file, damage.offset) == (str(middle), 0)


def test_a_file_that_may_not_be_opened_is_reported(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "remora-00000000000000000001-1.frames").write_bytes(b"x" * 100)
    (folder / "remora-00000000000000000002-1.frames").symlink_to("/etc/passwd")  # no file of ours
    os.mkfifo(folder / "remora-00000000000000000003-1.frames")  # would block whoever opens it
    found = list(Reader(str(folder)).read())
    assert [str(each).partition(": ")[2] for each in found] == ["the file header is damaged"]


def test_reading_twice_gives_the_same(folder: Path) -> None:
    Writer(str(folder), 1_000_000).write("traces", b"x", 1)
    reader = Reader(str(folder))
    assert len(list(reader.read())) == len(list(reader.read())) == 1


def followed(folder: Path, until: int, timeout_s: float = 2.0) -> tuple[threading.Thread, list[Stored]]:
    found: list[Stored] = []
    end = time.monotonic() + timeout_s

    def follow() -> None:
        ended = lambda: len(found) >= until or time.monotonic() > end  # noqa: E731
        for each in Reader(str(folder)).follow(poll_s=0.01, ended=ended):
            assert isinstance(each, Stored)
            found.append(each)

    thread = threading.Thread(target=follow)
    thread.start()
    return thread, found


def test_following_gives_what_is_there_and_what_is_appended_in_old_and_new_files(folder: Path) -> None:
    writer = Writer(str(folder), 1_000_000, file_bytes=3000)
    writer.write("traces", os.urandom(1000), 0)
    thread, found = followed(folder, until=12)
    for number in range(1, 12):
        time.sleep(0.005)
        assert writer.write("traces", os.urandom(1000), number)
    thread.join()
    assert [each.items for each in found] == list(range(12))
    assert len(list(folder.iterdir())) > 3


def test_following_may_begin_before_there_is_a_store(folder: Path) -> None:
    thread, found = followed(folder, until=1)
    time.sleep(0.05)
    Writer(str(folder), 1_000_000).write("traces", b"x", 5)
    thread.join()
    assert [each.items for each in found] == [5]


def test_a_frame_that_is_still_being_written_is_waited_for(folder: Path) -> None:
    Writer(str(folder), 1_000_000).write("traces", os.urandom(1000), 1)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    for size in (0, 10, 40, 200, len(whole) - 1):
        file.write_bytes(whole[:size])
        thread, found = followed(folder, until=1)
        time.sleep(0.03)
        assert found == []
        with file.open("ab") as rest:
            rest.write(whole[size:])
        thread.join()
        assert [each.items for each in found] == [1]


def test_a_file_that_is_evicted_while_it_is_followed_is_forgotten(folder: Path) -> None:
    writer = Writer(str(folder), 1_000_000)
    writer.write("traces", b"x", 1)
    reader = Reader(str(folder)).follow(poll_s=0.001)
    assert next_stored(reader).items == 1
    for file in folder.iterdir():
        file.unlink()
    writer.write("traces", b"x", 2)
    assert next_stored(reader).items == 2


def next_stored(found: Iterator[Stored | Damaged]) -> Stored:
    each = next(found)
    assert isinstance(each, Stored)
    return each
