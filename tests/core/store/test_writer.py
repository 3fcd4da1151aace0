"""Rotation, caps, permissions, forks, and the one line when nothing can be kept."""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from remora.store.reader import Reader, Stored
from remora.store.scan import Damaged
from remora.store.writer import Writer
from support.processes import run_python

if TYPE_CHECKING:
    from pathlib import Path


def noise(size_bytes: int) -> bytes:
    """A body that no codec makes smaller."""
    return os.urandom(size_bytes)


def items_of(folder: Path) -> list[int]:
    found = list(Reader(str(folder)).read())
    assert not [each for each in found if isinstance(each, Damaged)]
    return [each.items for each in found if isinstance(each, Stored)]


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_may_read_the_store(folder: Path) -> None:
    before = os.umask(0)
    try:
        assert Writer(str(folder), 1_000_000).write("traces", b"x", 1)
    finally:
        os.umask(before)
    assert mode_of(folder) == 0o700
    assert [mode_of(file) for file in folder.iterdir()] == [0o600]


def test_files_are_rotated_at_their_size_and_stay_in_order(folder: Path) -> None:
    writer = Writer(str(folder), 1_000_000, file_bytes=10_000)
    for number in range(20):
        assert writer.write("traces", noise(2000), number)
    files = list(folder.iterdir())
    assert len(files) == 5
    assert max(file.stat().st_size for file in files) <= 10_000
    assert items_of(folder) == list(range(20))


def test_a_payload_larger_than_a_file_gets_a_file_of_its_own(folder: Path) -> None:
    writer = Writer(str(folder), 1_000_000, file_bytes=1000)
    assert writer.write("traces", noise(100), 1)
    assert writer.write("traces", noise(50_000), 2)
    assert writer.write("traces", noise(100), 3)
    assert items_of(folder) == [1, 2, 3]


def test_an_old_file_is_followed_by_a_new_one(folder: Path) -> None:
    writer = Writer(str(folder), 1_000_000, file_age_s=0.0)
    writer.write("traces", b"x", 1)
    writer.write("traces", b"x", 2)
    assert len(list(folder.iterdir())) == 2


def test_the_cap_holds_and_the_oldest_makes_room_and_is_counted(folder: Path, said: list[str]) -> None:
    writer = Writer(str(folder), 20_000, file_bytes=5000)
    for number in range(1, 41):
        assert writer.write("traces", noise(1000), number)
        assert size_of(folder) <= 20_000
    kept = items_of(folder)
    assert kept == list(range(41 - len(kept), 41))
    assert len(kept) >= 12
    assert writer.evicted.items + sum(kept) == sum(range(1, 41))
    assert writer.evicted.files >= 5
    assert writer.evicted.bytes > 20_000
    assert len(said) == 1
    assert "REMORA_STORE_MAX_BYTES=20000" in said[0]


def test_the_cap_counts_what_other_processes_left(folder: Path) -> None:
    first = Writer(str(folder), 10_000)
    assert first.write("traces", noise(6000), 1)
    first.close()
    second = Writer(str(folder), 10_000)
    assert second.write("traces", noise(6000), 2)
    assert items_of(folder) == [2]
    assert (second.evicted.files, second.evicted.items) == (1, 1)


def test_the_number_of_files_is_bounded_for_short_lived_processes_leave_many(folder: Path) -> None:
    for number in range(10):
        writer = Writer(str(folder), 1_000_000, max_files=4)
        assert writer.write("traces", b"x", number)
        writer.close()
    assert items_of(folder) == [6, 7, 8, 9]


def test_a_payload_beyond_the_cap_is_refused_with_a_line_and_evicts_nothing(folder: Path, said: list[str]) -> None:
    writer = Writer(str(folder), 5000)
    assert writer.write("traces", noise(100), 1)
    assert not writer.write("traces", noise(6000), 2)
    assert items_of(folder) == [1]
    assert "REMORA_STORE_MAX_BYTES=5000" in said[0]


def test_foreign_files_in_the_folder_are_neither_counted_nor_touched(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_bytes(bytes(50_000))
    (folder / "remora-1-x.frames").write_bytes(bytes(50_000))
    writer = Writer(str(folder), 10_000)
    assert writer.write("traces", noise(5000), 1)
    assert (folder / "notes.txt").stat().st_size == 50_000
    assert items_of(folder) == [1]


def test_a_file_that_another_process_evicted_is_not_written_any_more(folder: Path) -> None:
    writer = Writer(str(folder), 1_000_000)
    writer.write("traces", b"x", 1)
    for file in folder.iterdir():
        file.unlink()
    assert writer.write("traces", b"x", 2)
    assert items_of(folder) == [2]


def test_a_symlink_at_the_files_place_is_not_followed(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    folder.mkdir(parents=True)
    now_ns = 1_000_000
    (folder / f"remora-{now_ns:020d}-{os.getpid()}.frames").symlink_to(victim)
    writer = Writer(str(folder), 1_000_000, now_ns=lambda: now_ns)
    assert writer.write("traces", b"x", 7)
    assert victim.read_text() == "precious"
    assert items_of(folder) == [7]


def test_two_writers_that_begin_in_the_same_moment_do_not_share_a_file(folder: Path) -> None:
    writers = [Writer(str(folder), 1_000_000, now_ns=lambda: 5) for _ in range(3)]
    for number, writer in enumerate(writers):
        assert writer.write("traces", b"x", number)
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("place", ["/proc/remora", "/dev/null/remora"])
def test_a_place_that_cannot_be_written_is_named_in_one_line_with_the_variable(place: str, said: list[str]) -> None:
    writer = Writer(place, 1_000_000)
    assert not writer.write("traces", b"x", 1)
    assert not writer.write("traces", b"x", 1)
    assert len(said) == 1
    assert place in said[0]
    assert "REMORA_STORE_DIR" in said[0]


def test_a_folder_of_somebody_else_is_refused(folder: Path, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    if folder.stat().st_uid == 0:
        os.chown(folder, 1234, 1234)
    assert not Writer(str(folder), 1_000_000).write("traces", b"x", 1)
    assert "belongs to somebody else" in said[0]
    assert list(folder.iterdir()) == []


def test_a_full_disk_takes_back_the_torn_frame_and_later_frames_are_whole(
    folder: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(str(folder), 1_000_000)
    assert writer.write("traces", noise(500), 1)
    room_bytes = 200
    write = os.write

    def short(descriptor: int, data: bytes) -> int:
        nonlocal room_bytes
        if room_bytes == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = min(room_bytes, len(data))
        room_bytes -= taken
        return write(descriptor, data[:taken])

    monkeypatch.setattr(os, "write", short)
    assert not writer.write("traces", noise(500), 2)
    monkeypatch.setattr(os, "write", write)
    assert writer.write("traces", noise(500), 3)
    assert items_of(folder) == [1, 3]
    assert "No space left on device" in said[0]


@pytest.mark.parametrize("signal", ["spans", ""])
def test_an_unknown_signal_is_not_kept(folder: Path, signal: str) -> None:
    assert not Writer(str(folder), 1_000_000).write(signal, b"x", 1)


def test_threads_can_share_a_writer(folder: Path) -> None:
    writer = Writer(str(folder), 10_000_000, file_bytes=20_000)

    def work(start: int) -> None:
        for number in range(start, start + 50):
            assert writer.write("traces", noise(500), number)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 200, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(items_of(folder)) == list(range(200))


def test_a_write_inside_a_write_gives_up_instead_of_waiting_for_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remora.store.writer._LOCK_TIMEOUT_S", 0.05)
    writer = Writer(str(folder), 1_000_000)
    inner: list[bool] = []
    makedirs = os.makedirs

    def interrupted(*arguments: Any, **keywords: Any) -> None:
        inner.append(writer.write("traces", b"x", 2))  # as a signal handler does that ends the process
        makedirs(*arguments, **keywords)

    monkeypatch.setattr(os, "makedirs", interrupted)
    assert writer.write("traces", b"x", 1)
    assert set(inner) == {False}
    assert items_of(folder) == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_writes_a_file_of_its_own(folder: Path) -> None:
    writer = Writer(str(folder), 1_000_000)
    assert writer.write("traces", b"parent", 1)
    writer._desk().lock.acquire()  # a thread of the parent is writing at the very moment of the fork
    child = os.fork()
    if child == 0:
        written = False
        try:
            written = writer.write("traces", b"child", 2)
        finally:
            os._exit(0 if written else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    writer._desk().lock.release()
    assert writer.write("traces", b"parent", 3)
    pids = {int(file.stem.rpartition("-")[2]) for file in folder.iterdir()}
    assert pids == {os.getpid(), child}
    assert sorted(items_of(folder)) == [1, 2, 3]


def test_two_processes_never_mix_their_frames(folder: Path) -> None:
    program = """
        import os, sys
        from remora.store.writer import Writer
        writer = Writer(sys.argv[1], 10_000_000, file_bytes=30_000)
        for number in range(100):
            assert writer.write("traces", os.urandom(300), int(sys.argv[2]) + number)
    """
    results: list[Any] = []

    def run(start: int) -> None:
        results.append(run_python(program, str(folder), str(start), launched=False))

    threads = [threading.Thread(target=run, args=(start,)) for start in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.exit_code for result in results] == [0, 0], results
    found = items_of(folder)
    assert sorted(found) == list(range(200))
    assert [number for number in found if number < 100] == list(range(100))


def test_a_process_that_is_killed_loses_nothing_that_it_kept(folder: Path) -> None:
    program = """
        import os, signal, sys
        from remora.store.writer import Writer
        writer = Writer(sys.argv[1], 10_000_000)
        for number in range(20):
            assert writer.write("traces", b"x" * 100, number)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_python(program, str(folder), launched=False).exit_code == -9
    assert items_of(folder) == list(range(20))
