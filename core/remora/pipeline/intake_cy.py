"""Where ended spans arrive, on the thread that ended them: bounded, never blocking, every span counted."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

if cython.compiled:
    from cython.cimports.posix.unistd import usleep
else:
    from time import sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.telemetry.spans_cy import Span

COMPILED = cython.compiled


@cython.final
@cython.cclass
class Intake:
    """Encodes each span into the open buffer and tells the worker when one waits and when a batch is full.

    ``append(span) -> size in bytes or -1`` is the encoder's; ``first()`` is called when the queue stops being empty,
    ``full()`` when a batch is complete. ``waiting`` and ``waiting_bytes`` are what has not been taken yet.
    """

    append = cython.declare(object, visibility="public")
    first = cython.declare(object, visibility="public")
    full = cython.declare(object, visibility="public")
    produced = cython.declare(cython.longlong, visibility="public")
    queue_full = cython.declare(cython.longlong, visibility="public")
    unencodable = cython.declare(cython.longlong, visibility="public")
    waiting = cython.declare(cython.longlong, visibility="public")
    waiting_bytes = cython.declare(cython.longlong, visibility="public")
    max_spans = cython.declare(cython.longlong, visibility="public")
    max_bytes = cython.declare(cython.longlong, visibility="public")
    wake_spans = cython.declare(cython.longlong, visibility="public")
    wake_bytes = cython.declare(cython.longlong, visibility="public")

    def __init__(
        self,
        append: Callable[[Span], int],
        first: Callable[[], Any],
        full: Callable[[], Any],
        max_spans: int,
        max_bytes: int,
        wake_spans: int,
        wake_bytes: int,
    ) -> None:
        self.append = append
        self.first = first
        self.full = full
        self.max_spans = max_spans
        self.max_bytes = max_bytes
        self.wake_spans = wake_spans
        self.wake_bytes = wake_bytes
        self.produced = self.queue_full = self.unencodable = 0
        self.waiting = self.waiting_bytes = 0

    def accept(self, span: Span) -> None:
        """Takes one ended span; drops and counts it when the queue is full."""
        self.produced += 1
        if self.produced & 63 == 0 and (self.waiting_bytes > self.max_bytes >> 2 or self.waiting > self.max_spans >> 2):
            self._let_the_worker_run()
        if self.waiting >= self.max_spans or self.waiting_bytes >= self.max_bytes:
            self.queue_full += 1
            return
        size: cython.longlong = self.append(span)
        if size < 0:
            self.unencodable += 1
            return
        self.waiting += 1
        self.waiting_bytes += size
        if self.waiting == 1:
            self.first()
        if self.waiting == self.wake_spans or self.waiting_bytes >= self.wake_bytes > self.waiting_bytes - size:
            self.full()

    @cython.cfunc
    def _let_the_worker_run(self) -> cython.void:
        """Under pressure a loop that does nothing but make spans would keep the interpreter from the worker.

        Some microseconds now and then: each 256 spans above a quarter of the queue, each 64 above half of it.
        """
        half = self.waiting_bytes > self.max_bytes >> 1 or self.waiting > self.max_spans >> 1
        if half or self.produced & 255 == 0:
            if cython.compiled:
                with cython.nogil:
                    usleep(1)
            else:
                sleep(0.000001)

    def taken(self, spans: int, size_bytes: int) -> None:
        """The worker took that much out of the buffer."""
        self.waiting -= spans
        self.waiting_bytes -= size_bytes

    def forget(self) -> None:
        """A forked child starts with empty books: what waited is the parent's."""
        self.produced = self.queue_full = self.unencodable = 0
        self.waiting = self.waiting_bytes = 0
