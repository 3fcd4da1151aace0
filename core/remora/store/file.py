"""One file of the store while it is being written, by this process alone."""

from __future__ import annotations

import os
from time import monotonic

from remora.store.frames import file_header, file_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_OPEN: Final = (
    os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)


class AppendedFile:
    """Closed until `begin`; frames are in it whole or not at all."""

    __slots__ = ("_descriptor", "_opened_at", "_size_bytes", "path")

    def __init__(self) -> None:
        self.path = ""
        self._descriptor = -1
        self._size_bytes = 0
        self._opened_at = 0.0

    @property
    def is_open(self) -> bool:
        return self._descriptor >= 0

    def takes(self, size_bytes: int, limit_bytes: int, max_age_s: float) -> bool:
        """Whether that many bytes more fit in; never into a file that another process evicted."""
        if self._descriptor < 0 or monotonic() - self._opened_at > max_age_s:
            return False
        return self._size_bytes + size_bytes <= limit_bytes and os.fstat(self._descriptor).st_nlink > 0

    def begin(self, folder: str, created_ns: int) -> None:
        """Create it below `folder`, which is made if need be."""
        os.makedirs(folder, mode=0o700, exist_ok=True)
        _refuse_strangers(folder)
        while True:
            self.path = os.path.join(folder, file_name(created_ns, os.getpid()))
            try:
                self._descriptor = os.open(self.path, _OPEN, 0o600)
            except FileExistsError:
                created_ns += 1  # another writer of this process began in the same moment
            else:
                break
        self._size_bytes = 0
        self._opened_at = monotonic()
        self.append(file_header(os.getpid(), created_ns))

    def append(self, data: bytes) -> None:
        """All of `data`, or none of it: what a full disk cut short is taken back."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:] if written else data)
        except OSError:
            try:
                os.ftruncate(self._descriptor, self._size_bytes)
            finally:
                self.close()
            raise
        self._size_bytes += len(data)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def _refuse_strangers(folder: str) -> None:
    """A folder that somebody else made, in /tmp for instance, could hand our files to them."""
    own = os.geteuid()
    if own != 0 and os.stat(folder).st_uid not in (own, 0):
        raise PermissionError(1, "the folder belongs to somebody else")
