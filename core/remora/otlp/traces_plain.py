"""Spans to OTLP bytes in plain Python; the compiled twin with the same behaviour is ``traces_c``."""

from __future__ import annotations

from _thread import RLock

from remora.otlp.batch import Batch
from remora.otlp.envelope import Envelope
from remora.otlp.span_plain import encode_span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from typing import Any

    from remora.telemetry.scope import Scope
    from remora.telemetry.spans_cy import Span
else:
    from _collections import deque  # the package around it would make the boot longer


class Segment:
    """Consecutive spans of one scope, encoded; ``buffer`` is its TraceBuffer while it is open."""

    __slots__ = ("buffer", "encoded", "scope", "size_bytes")

    def __init__(self, scope: Scope, buffer: TraceBuffer | None = None) -> None:
        self.scope = scope
        self.buffer = buffer
        self.encoded: list[bytes] = []
        self.size_bytes = 0

    @property
    def spans(self) -> int:
        """How many spans it holds."""
        return len(self.encoded)

    def pieces(self) -> list[bytes]:
        """The spans, each a whole field."""
        return self.encoded


class TraceBuffer:
    """Encodes each span when it ends, on the thread that ended it, into per-scope segments.

    Ints beyond 64 bits, which OTLP cannot hold, become strings of digits; lone surrogates become "?".
    """

    __slots__ = (
        "_envelope", "_lock", "_open", "_segment_bytes", "_segment_spans", "_segments", "size_bytes", "spans",
    )  # fmt: skip

    def __init__(
        self,
        resource_attributes: dict[str, Any],
        resource_schema_url: str | None = None,
        segment_bytes: int = 65536,
        segment_spans: int = 8192,
    ) -> None:
        self._segment_bytes = max(1, segment_bytes)
        self._segment_spans = max(1, segment_spans)
        self._envelope = Envelope(resource_attributes, resource_schema_url)
        # Reentrant: a signal handler or a finaliser may end a span at any point.
        self._lock = RLock()
        # All segments, oldest first, and the open one of each scope (the scope's slot is a short cut to it).
        self._segments: deque[Segment] = deque()
        self._open: dict[Scope, Segment] = {}
        self.spans = 0
        self.size_bytes = 0

    def append(self, span: Span) -> int:
        """Encodes the span and returns the bytes it took; -1, with nothing changed, if it cannot be encoded."""
        try:
            encoded = encode_span(span)
            scope: Any = span.scope
            size = len(encoded)
            with self._lock:
                segment = scope.slot
                if segment.__class__ is not Segment or segment.buffer is not self:
                    segment = self._open_segment(scope)
                segment.encoded.append(encoded)
                segment.size_bytes += size
                self.spans += 1
                self.size_bytes += size
                if segment.size_bytes >= self._segment_bytes or len(segment.encoded) >= self._segment_spans:
                    self._close(segment)
        except Exception:  # whatever is wrong with a span must not reach the program
            return -1
        return size

    def take(self, max_spans: int, max_bytes: int) -> Batch | None:
        """Removes and returns the oldest spans, None if there are none.

        Whole segments as long as they fit; the first one is cut if it does not. At least one span, whatever its size.
        """
        taken: list[Segment] = []
        with self._lock:
            while self._segments and max_spans > 0:
                segment = self._segments[0]
                fits = len(segment.encoded) <= max_spans and segment.size_bytes <= max_bytes
                if taken and not fits:
                    break
                self._close(segment)
                if not fits:
                    taken.append(self._cut(segment, max_spans, max_bytes))
                    break
                self._segments.popleft()
                max_spans -= len(segment.encoded)
                max_bytes -= segment.size_bytes
                if segment.encoded:
                    taken.append(segment)
            self._recount()
        return Batch(self._envelope, taken, b"".join) if taken else None

    def give_back(self, batch: Batch) -> None:
        """Puts a batch that was not delivered back at the front. The batch is empty afterwards."""
        with self._lock:
            self._segments.extendleft(reversed(batch.release()))
            self._recount()

    def clear(self) -> int:
        """Forgets all spans and returns how many: those in a forked child are the parent's to send."""
        # Another thread may have held the lock when the process forked.
        self._lock = RLock()
        with self._lock:
            dropped = self.spans
            while self._segments:
                self._close(self._segments.pop())
            self._recount()
        return dropped

    def _open_segment(self, scope: Scope) -> Segment:
        segment = self._open.get(scope)
        if segment is None:
            segment = self._open[scope] = Segment(scope, self)
            self._segments.append(segment)
        scope.slot = segment
        return segment

    def _close(self, segment: Segment) -> None:
        """No more spans go into the segment. The scope lets go of it, or its memory would wait for the next span."""
        if segment.buffer is not None:
            segment.buffer = None
            self._open.pop(segment.scope, None)
            if segment.scope.slot is segment:
                segment.scope.slot = None

    def _cut(self, segment: Segment, max_spans: int, max_bytes: int) -> Segment:
        """The first spans of the segment that fit, at least one, as a segment; the rest stays at the front."""
        head = Segment(segment.scope)
        for encoded in segment.encoded:
            if head.encoded and (len(head.encoded) >= max_spans or head.size_bytes + len(encoded) > max_bytes):
                break
            head.encoded.append(encoded)
            head.size_bytes += len(encoded)
        if len(head.encoded) == len(segment.encoded):
            self._segments.popleft()
        else:
            del segment.encoded[: len(head.encoded)]
            segment.size_bytes -= head.size_bytes
        return head

    def _recount(self) -> None:
        # Counted afresh, because a KeyboardInterrupt can fall between an append and its counting.
        self.spans = sum([len(segment.encoded) for segment in self._segments])
        self.size_bytes = sum([segment.size_bytes for segment in self._segments])
