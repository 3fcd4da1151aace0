"""Frame after frame of one file, over torn ends and damaged places."""

from __future__ import annotations

import os

from remora.store.frames import (
    FILE_HEADER_BYTES,
    FRAME_HEADER_BYTES,
    FRAME_MAGIC,
    TRAILER_BYTES,
    fault_of_file,
    is_sound,
    parse_header,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from remora.store.frames import FrameHeader

_CHUNK_BYTES: Final = 1024 * 1024
_OPEN: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


class Damaged:
    """A place that cannot be read: the frame there is lost, those around it are not."""

    __slots__ = ("file", "offset", "reason")

    def __init__(self, file: str, offset: int, reason: str) -> None:
        self.file = file
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.file}, offset {self.offset}: {self.reason}"

    def __repr__(self) -> str:
        return f"Damaged({self})"


class Raw:
    """A sound frame, its data still compressed."""

    __slots__ = ("data", "header", "offset")

    def __init__(self, offset: int, header: FrameHeader, data: bytes) -> None:
        self.offset = offset
        self.header = header
        self.data = data


class Scan:
    """A reader's place in one file; `frames` goes on where it stopped, for the file may have grown."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.offset = 0
        self._lost = False  # in the middle of damage: look for the next frame first
        self._unreadable = False
        self._descriptor = -1
        self._size_bytes = 0

    def frames(self) -> Iterator[Raw | Damaged]:
        """What is there now. A frame that is not whole yet, or never will be, is the end."""
        if self._unreadable:
            return
        try:
            self._descriptor = os.open(self.path, _OPEN)
        except FileNotFoundError:
            return  # evicted
        except OSError as error:
            self._unreadable = True
            yield Damaged(self.path, 0, f"cannot be opened: {error.strerror}")
            return
        try:
            self._size_bytes = os.fstat(self._descriptor).st_size
            while (found := self._next()) is not None:
                yield found
        except OSError as error:
            self._unreadable = True
            yield Damaged(self.path, self.offset, f"cannot be read: {error.strerror}")
        finally:
            os.close(self._descriptor)
            self._descriptor = -1

    def _next(self) -> Raw | Damaged | None:
        if self._unreadable:
            return None
        if self.offset == 0 and not self._lost:
            head = self._read(0, FILE_HEADER_BYTES)
            if len(head) < FILE_HEADER_BYTES:
                return None
            fault, self._unreadable = fault_of_file(head)
            if fault:
                self._lost = True
                return Damaged(self.path, 0, fault)
            self.offset = FILE_HEADER_BYTES
        if self._lost:
            found = self._find(self.offset, self._size_bytes)
            if found is None:
                return None
            self.offset, self._lost = found, False
        at = self.offset
        head = self._read(at, FRAME_HEADER_BYTES)
        if len(head) < FRAME_HEADER_BYTES:
            return None
        header = parse_header(head)
        if header is None:
            self.offset, self._lost = at + 1, True
            return Damaged(self.path, at, "no sound frame begins here")
        end = at + header.frame_bytes
        data = self._read(at + FRAME_HEADER_BYTES, header.data_bytes + TRAILER_BYTES)
        if len(data) < header.data_bytes + TRAILER_BYTES:
            next_frame = self._find(at + 1, self._size_bytes)
            if next_frame is None:
                return None  # torn, or being written
            self.offset = next_frame
            return Damaged(self.path, at, "the frame was cut short")
        if not is_sound(head, data):
            self.offset = end if self._begins(end) else self._find(at + 1, end) or end
            return Damaged(self.path, at, "the checksum does not match")
        self.offset = end
        return Raw(at, header, data[:-TRAILER_BYTES])

    def _begins(self, offset: int) -> bool:
        """Whether a frame begins there, or the file ends before that can be told."""
        head = self._read(offset, FRAME_HEADER_BYTES)
        return len(head) < FRAME_HEADER_BYTES or parse_header(head) is not None

    def _find(self, start: int, end: int) -> int | None:
        """The first sound frame header from `start` on."""
        offset = start
        while offset < end:
            chunk = self._read(offset, _CHUNK_BYTES)
            at = chunk.find(FRAME_MAGIC)
            while at >= 0:
                head = self._read(offset + at, FRAME_HEADER_BYTES)
                if len(head) == FRAME_HEADER_BYTES and parse_header(head) is not None:
                    return offset + at if offset + at < end else None
                at = chunk.find(FRAME_MAGIC, at + 1)
            if len(chunk) < _CHUNK_BYTES:
                return None
            offset += len(chunk) - len(FRAME_MAGIC) + 1
        return None

    def _read(self, offset: int, size_bytes: int) -> bytes:
        """As much as there is; pread may return less than is there."""
        data = b""
        while len(data) < size_bytes:
            more = os.pread(self._descriptor, size_bytes - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data
