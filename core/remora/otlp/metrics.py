"""Collected metrics to OTLP: points are encoded one by one and put together when they are sent, or cut in two."""

from __future__ import annotations

from remora.otlp.attributes import sized, text
from remora.otlp.envelope import Envelope
from remora.otlp.metric_points import encode_point
from remora.telemetry.points import EXPONENTIAL, GAUGE, HISTOGRAM, SUM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from remora.telemetry.points import Collected
    from remora.telemetry.scope import Scope

_DATA = {GAUGE: b"\x2a", SUM: b"\x3a", HISTOGRAM: b"\x4a", EXPONENTIAL: b"\x52"}
_DELTA, _CUMULATIVE = b"\x10\x01", b"\x10\x02"
_MONOTONIC = b"\x18\x01"
# A hundred points take some 0.7 ms; then other threads get their turn.
_STRETCH = 100


class Run:
    """Encoded points of one metric, in order; ``head`` and ``tail`` are what stands around them in its message."""

    __slots__ = ("data", "head", "points", "scope", "tail")

    def __init__(self, scope: Scope, head: bytes, data: bytes, tail: bytes, points: list[bytes]) -> None:
        self.scope = scope
        self.head = head
        self.data = data
        self.tail = tail
        self.points = points

    @property
    def size_bytes(self) -> int:
        return sum([len(point) for point in self.points])

    def metric(self) -> bytes:
        """The whole as one ``metrics`` field of ScopeMetrics."""
        return sized(b"\x12", self.head + sized(self.data, b"".join(self.points) + self.tail))

    def cut(self, count: int) -> tuple[Run, Run]:
        """The first so many points, and the others."""
        return (
            Run(self.scope, self.head, self.data, self.tail, self.points[:count]),
            Run(self.scope, self.head, self.data, self.tail, self.points[count:]),
        )


class MetricBatch:
    """Some points that are sent together: ``items`` of them."""

    __slots__ = ("_envelope", "_runs", "items", "size_bytes")

    def __init__(self, envelope: Envelope, runs: list[Run]) -> None:
        self._envelope = envelope
        self._runs = runs
        self.items = sum([len(run.points) for run in runs])
        self.size_bytes = sum([run.size_bytes for run in runs])

    def body(self) -> bytes:
        """A whole ExportMetricsServiceRequest: one resource, one ScopeMetrics per scope."""
        metrics = [(run.scope, run.metric()) for run in self._runs]
        return b"".join(self._envelope.pieces([(scope, len(metric), [metric]) for scope, metric in metrics]))

    def halves(self) -> tuple[MetricBatch, MetricBatch] | None:
        """Two batches with the first and the second half of the points; None when there are not two."""
        if self.items < 2:
            return None
        first, second = _cut(self._runs, self.items // 2)
        return MetricBatch(self._envelope, first), MetricBatch(self._envelope, second)


class MetricBuffer:
    """Points that wait to be sent. Used by one thread at a time."""

    def __init__(
        self,
        resource_attributes: dict[str, Any],
        resource_schema_url: str | None = None,
        breathe: Callable[[], object] = bool,
    ) -> None:
        self._envelope = Envelope(resource_attributes, resource_schema_url)
        self._runs: list[Run] = []
        self._breathe = breathe

    def extend(self, metrics: Iterable[Collected]) -> tuple[int, int]:
        """Encodes everything; returns how many points were taken, and how many cannot be encoded."""
        taken = faulty = 0
        for metric in metrics:
            encoded: list[bytes] = []
            for point in metric.points:
                try:
                    encoded.append(encode_point(metric.kind, point))
                    taken += 1
                except Exception:  # a value that OTLP does not have costs its point, not the others
                    faulty += 1
                if (taken + faulty) % _STRETCH == 0:
                    self._breathe()
            if encoded:
                self._runs.append(_run(metric, encoded))
        return taken, faulty

    def take(self, max_items: int, max_bytes: int) -> MetricBatch | None:
        """Removes and returns the oldest points that fit, at least one; None if there are none."""
        count = size_bytes = 0
        for run in self._runs:
            for point in run.points:
                size_bytes += len(point)
                if count and (count >= max_items or size_bytes > max_bytes):
                    break
                count += 1
            else:
                continue
            break
        if not count:
            return None
        taken, self._runs = _cut(self._runs, count)
        return MetricBatch(self._envelope, taken)

    def clear(self) -> None:
        """Forgets all points: those in a forked child are the parent's to send."""
        self._runs = []


def _run(metric: Collected, points: list[bytes]) -> Run:
    head = text(b"\x0a", metric.name) + text(b"\x12", metric.description or "") + text(b"\x1a", metric.unit or "")
    tail = b""
    if metric.kind != GAUGE:
        tail = _DELTA if metric.delta else _CUMULATIVE
    if metric.kind == SUM and metric.monotonic:
        tail += _MONOTONIC
    return Run(metric.scope, head, _DATA[metric.kind], tail, points)


def _cut(runs: list[Run], count: int) -> tuple[list[Run], list[Run]]:
    first: list[Run] = []
    for position, run in enumerate(runs):
        if len(run.points) > count:
            if not count:
                return first, runs[position:]
            head, tail = run.cut(count)
            return [*first, head], [tail, *runs[position + 1 :]]
        first.append(run)
        count -= len(run.points)
    return first, []
