"""Encoded telemetry that was taken from a buffer and can be sent or given back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from remora.otlp.envelope import Envelope
    from remora.telemetry.scope import Scope

    class Segment(Protocol):
        """Consecutive encoded items of one scope that no longer changes."""

        scope: Scope

        @property
        def spans(self) -> int: ...
        @property
        def size_bytes(self) -> int: ...
        def pieces(self) -> list[Any]: ...


class Batch:
    """Some spans and their size without what surrounds them. ``join`` makes one bytes object of the pieces."""

    __slots__ = ("_envelope", "_join", "_segments", "size_bytes", "spans")

    def __init__(self, envelope: Envelope, segments: list[Any], join: Callable[[list[Any]], bytes]) -> None:
        self._envelope = envelope
        self._segments: list[Segment] = segments
        self._join = join
        self.spans: int = sum([segment.spans for segment in segments])
        self.size_bytes = sum([segment.size_bytes for segment in segments])

    @property
    def items(self) -> int:
        """What every signal's batch calls what it holds."""
        return self.spans

    def body(self) -> bytes:
        """A whole ExportTraceServiceRequest: one resource, one ScopeSpans per scope."""
        parts = [(segment.scope, segment.size_bytes, segment.pieces()) for segment in self._segments]
        return self._join(self._envelope.pieces(parts))

    def release(self) -> list[Any]:
        """Hands out the segments, once: a batch that was given back is empty."""
        segments = self._segments
        self._segments = []
        self.spans = self.size_bytes = 0
        return segments
