"""Reading the local store: every process's frames in order of time, once or as they arrive."""

from __future__ import annotations

from heapq import heappop, heappush
from time import sleep

from remora.store.codecs import UndecodableError, decompress
from remora.store.frames import MAX_BODY_BYTES
from remora.store.scan import Damaged, Raw, Scan
from remora.store.shelf import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    Found = tuple[int, int, Scan, Raw | Damaged]  # time, tie-break, where from, what

POLL_S: Final = 0.2


class Stored:
    """One OTLP request of `signal` with `items` spans, points or records, as it was written at `time_ns` (Unix)."""

    __slots__ = ("body", "file", "items", "offset", "signal", "time_ns")

    def __init__(self, signal: str, time_ns: int, items: int, body: bytes, file: str, offset: int) -> None:
        self.signal = signal
        self.time_ns = time_ns
        self.items = items
        self.body = body
        self.file = file
        self.offset = offset

    def __repr__(self) -> str:
        return f"Stored({self.signal!r}, {self.items} items, {len(self.body)} bytes)"


class Reader:
    """Reads what is below `folder`. Files may come, grow and go meanwhile; damage is reported where it lies."""

    def __init__(self, folder: str, *, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._folder = folder
        self._max_body_bytes = max_body_bytes
        self._scans: dict[str, Scan] = {}

    def read(self, *, since_ns: int = 0) -> Iterator[Stored | Damaged]:
        """What is stored now and was written at `since_ns` (Unix) or later, then the end."""
        self._scans = {}
        yield from self._in_order(since_ns)

    def follow(
        self, *, since_ns: int = 0, poll_s: float = POLL_S, ended: Callable[[], bool] = lambda: False
    ) -> Iterator[Stored | Damaged]:
        """What is stored now, then what is appended, until `ended`; in order of time within each look."""
        self._scans = {}
        while True:
            yield from self._in_order(since_ns)
            if ended():
                return
            sleep(poll_s)

    def _in_order(self, since_ns: int) -> Iterator[Stored | Damaged]:
        """Merge the files by time; a file is opened no earlier than its age demands."""
        waiting = self._grown()
        heap: list[Found] = []
        sources: dict[int, Iterator[Raw | Damaged]] = {}
        while waiting or heap:
            while waiting and (not heap or waiting[-1][0] <= heap[0][0]):
                created_ns, scan = waiting.pop()
                number = len(sources)
                sources[number] = scan.frames()
                _push(heap, sources[number], created_ns, number, scan)
            if not heap:
                continue
            time_ns, number, scan, found = heappop(heap)
            _push(heap, sources[number], time_ns, number, scan)
            if isinstance(found, Damaged):
                yield found
            elif found.header.time_ns >= since_ns:
                yield self._stored(scan.path, found)

    def _grown(self) -> list[tuple[int, Scan]]:
        """The files with something unread, youngest first; forgets those that are gone."""
        found = files(self._folder)
        self._scans = {file.path: self._scans.get(file.path) or Scan(file.path) for file in found}
        unread = [(file.created_ns, self._scans[file.path]) for file in found]
        sizes = {file.path: file.size_bytes for file in found}
        return [(created_ns, scan) for created_ns, scan in reversed(unread) if sizes[scan.path] > scan.offset]

    def _stored(self, path: str, raw: Raw) -> Stored | Damaged:
        header = raw.header
        if header.body_bytes > self._max_body_bytes:
            reason = f"the frame announces {header.body_bytes} bytes, more than the {self._max_body_bytes} allowed"
            return Damaged(path, raw.offset, reason)
        try:
            body = decompress(header.codec, raw.data, header.body_bytes)
        except UndecodableError as error:
            return Damaged(path, raw.offset, f"the frame cannot be decompressed: {error}")
        return Stored(header.signal, header.time_ns, header.items, body, path, raw.offset)


def _push(heap: list[Found], source: Iterator[Raw | Damaged], time_ns: int, number: int, scan: Scan) -> None:
    """The source's next find, at its own time; damage has none and keeps its place in the file."""
    found = next(source, None)
    if found is not None:
        heappush(heap, (found.header.time_ns if isinstance(found, Raw) else time_ns, number, scan, found))
