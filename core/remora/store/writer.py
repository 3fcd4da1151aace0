"""Appending to the local store: rotating files inside a cap, one at a time per process, nobody else may read them."""

from __future__ import annotations

import os
from _thread import allocate_lock
from time import time_ns

from remora import diagnostics
from remora.store import codecs
from remora.store.file import AppendedFile
from remora.store.frames import FILE_HEADER_BYTES, MAX_BODY_BYTES, SIGNALS, FrameHeader, frame
from remora.store.shelf import discard, files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

FILE_BYTES: Final = 4 * 1024 * 1024
FILE_AGE_S: Final = 3600.0  # so that the oldest file holds nothing recent when room is made
MAX_FILES: Final = 512  # many short-lived processes leave many small files
_LOCK_TIMEOUT_S: Final = 1.0


class Evicted:
    """What had to make room, since this process first wrote."""

    __slots__ = ("bytes", "files", "items")

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self.items = 0


class _Desk:
    """What one process writes with. A forked child gets another: the file is its parent's, the lock may be held."""

    __slots__ = ("evicted", "file", "lock")

    def __init__(self) -> None:
        self.lock = allocate_lock()
        self.file = AppendedFile()
        self.evicted = Evicted()


class Writer:
    """Writes frames below `folder`, at most `max_bytes` altogether; for any thread, before and after a fork."""

    def __init__(
        self,
        folder: str,
        max_bytes: int,
        *,
        file_bytes: int = FILE_BYTES,
        file_age_s: float = FILE_AGE_S,
        max_files: int = MAX_FILES,
        now_ns: Callable[[], int] = time_ns,
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._file_bytes = min(file_bytes, max_bytes)
        self._file_age_s = file_age_s
        self._max_files = max_files
        self._now_ns = now_ns
        self._desks: dict[int, _Desk] = {}  # by process id

    @property
    def evicted(self) -> Evicted:
        return self._desk().evicted

    def write(self, signal: str, body: bytes, items: int) -> bool:
        """Keep one OTLP request of so many items; False, with one line said, when that fails. Never raises."""
        try:
            if signal not in SIGNALS or len(body) > MAX_BODY_BYTES:
                return False
            codec, data = codecs.compress(body)
            whole = frame(FrameHeader(signal, codec, items, len(data), len(body), self._now_ns()), data)
            desk = self._desk()
            if not desk.lock.acquire(True, _LOCK_TIMEOUT_S):
                return False  # a signal handler interrupted the very thread that writes
            try:
                return self._append(desk, whole)
            finally:
                desk.lock.release()
        except OSError as error:
            diagnostics.say(
                "store.unwritable",
                f"cannot keep telemetry in {self._folder}: {error.strerror or error}; "
                "set REMORA_STORE_DIR to a folder that can be written",
            )
        except Exception as error:
            diagnostics.say("store.fault", f"cannot keep telemetry: {diagnostics.fault_text(error)}", level="error")
        return False

    def close(self) -> None:
        """Let the file go; the next write begins another."""
        self._desk().file.close()

    def _desk(self) -> _Desk:
        """This process's; of two threads that come first only one makes it."""
        pid = os.getpid()
        return self._desks.get(pid) or self._desks.setdefault(pid, _Desk())

    def _append(self, desk: _Desk, whole: bytes) -> bool:
        for pid in [pid for pid in self._desks if pid != os.getpid()]:
            self._desks.pop(pid).file.close()  # our copy of a parent's descriptor
        needed_bytes = FILE_HEADER_BYTES + len(whole)
        if needed_bytes > self._max_bytes:
            diagnostics.say(
                "store.cap", f"{len(whole)} bytes of telemetry do not fit into REMORA_STORE_MAX_BYTES={self._max_bytes}"
            )
            return False
        if not desk.file.takes(len(whole), self._file_bytes, self._file_age_s):
            desk.file.close()
        self._make_room(desk, needed_bytes)
        if not desk.file.is_open:
            desk.file.begin(self._folder, self._now_ns())
        desk.file.append(whole)
        return True

    def _make_room(self, desk: _Desk, size_bytes: int) -> None:
        found = files(self._folder)
        total_bytes = sum(file.size_bytes for file in found) + size_bytes
        count = len(found) + (not desk.file.is_open)
        for file in found:
            if total_bytes <= self._max_bytes and count <= self._max_files:
                return
            if file.path == desk.file.path:
                desk.file.close()
            items = discard(file)
            total_bytes -= file.size_bytes
            count -= 1
            if items is not None:
                desk.evicted.files += 1
                desk.evicted.bytes += file.size_bytes
                desk.evicted.items += items
                diagnostics.say(
                    "store.full",
                    f"the local store is full (REMORA_STORE_MAX_BYTES={self._max_bytes}): "
                    "its oldest telemetry makes room",
                    level="info",
                )
