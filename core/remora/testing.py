"""For tests of programs and plugins: what telemetry does a piece of code make?

from remora.testing import collect

def test_the_price_is_asked_from_the_stock_service():
    with collect() as spans:
        shop.price("cup")
    (call,) = spans.named("GET")
    assert call.attributes["http.response.status_code"] == 200
    (duration,) = spans.metrics.named("http.client.request.duration")
    assert duration.count == 1
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from remora import bootstrap
from remora.host import quarantine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from remora.telemetry.metering import Metering
    from remora.telemetry.points import Collected
    from remora.telemetry.spans_cy import Span

KINDS = ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_FOR_TESTS = {
    "REMORA_ENABLED": "true",
    "OTEL_SDK_DISABLED": "",
    "OTEL_TRACES_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
}
STATUSES = ("UNSET", "OK", "ERROR")


class PluginFaultError(AssertionError):
    """A plugin failed while it described a call: a program goes on all the same, a test fails."""


class CollectedSpan:
    """A finished span as plain data: ids are lower-case hex, times Unix nanoseconds."""

    def __init__(self, span: Span) -> None:
        self.name: str = span.span_name
        self.kind = KINDS[span.kind_code]
        self.trace_id = f"{span.trace_hi:016x}{span.trace_lo:016x}"
        self.span_id = f"{span.span_id:016x}"
        self.parent_id = f"{span.parent_id:016x}" if span.parent_id else None
        self.parent_is_remote = bool(span.parent_remote)
        self.tracestate: str = span.tracestate
        self.start_ns: int = span.start_ns
        self.end_ns: int = span.end_ns
        self.attributes: dict[str, Any] = dict(span.attribute_values or {})
        self.status = STATUSES[span.status_code]
        self.status_description: str | None = span.status_message
        self.events = [CollectedEvent(*record) for record in span.event_records or ()]
        self.links = [CollectedLink(record) for record in span.link_records or ()]
        self.scope: str = span.scope.name if span.scope is not None else ""

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name!r} {self.attributes!r}>"


class CollectedEvent:
    """An event of a span."""

    def __init__(self, name: str, time_ns: int, attributes: dict[str, Any] | None, dropped: int) -> None:
        self.name = name
        self.time_ns = time_ns
        self.attributes = dict(attributes or {})
        self.dropped_attributes = dropped

    def __repr__(self) -> str:
        return f"<event {self.name!r} {self.attributes!r}>"


class CollectedLink:
    """A link of a span."""

    def __init__(self, record: tuple[Any, ...]) -> None:
        self.trace_id = f"{record[0]:016x}{record[1]:016x}"
        self.span_id = f"{record[2]:016x}"
        self.is_remote = bool(record[3])
        self.attributes = dict(record[4] or {})


class CollectedPoint:
    """What a metric holds for one set of attributes; ``value`` of a counter, the others of a histogram."""

    def __init__(self, metric: Collected, point: Any) -> None:
        self.name = metric.name
        self.unit = metric.unit
        self.kind = metric.kind
        self.scope = metric.scope.name
        self.attributes: dict[str, Any] = dict(point.attributes)
        self.value: float | None = getattr(point, "value", None)
        self.count: int | None = getattr(point, "count", None)
        self.sum: float | None = getattr(point, "sum", None)
        self.boundaries: tuple[float, ...] = tuple(getattr(point, "explicit_bounds", ()))
        self.bucket_counts: list[int] = list(getattr(point, "bucket_counts", ()))

    def __repr__(self) -> str:
        held = self.value if self.count is None else f"{self.count} in {self.sum} {self.unit}"
        return f"<{self.name} {held} {self.attributes!r}>"


class Metrics(list[CollectedPoint]):
    """The points of metrics at one moment."""

    def named(self, name: str) -> Metrics:
        """Those of the metric ``name``."""
        return Metrics(point for point in self if point.name == name)


class Spans(list[CollectedSpan]):
    """Finished spans in the order they ended; ``metrics`` are what was measured beside them."""

    _metering: Metering | None = None
    _metrics: Metrics | None = None

    @property
    def metrics(self) -> Metrics:
        """The points of the conventions' metrics now, or at the end of the block."""
        if self._metrics is not None:
            return self._metrics
        collected = self._metering.snapshot() if self._metering is not None else []
        return Metrics(CollectedPoint(metric, point) for metric in collected for point in metric.points)

    def named(self, name: str) -> Spans:
        """Those whose name is ``name``."""
        return Spans(span for span in self if span.name == name)

    def of_kind(self, kind: str) -> Spans:
        """Those of a kind: INTERNAL, SERVER, CLIENT, PRODUCER or CONSUMER."""
        return Spans(span for span in self if span.kind == kind)

    def children_of(self, parent: CollectedSpan) -> Spans:
        """The direct children of a span."""
        return Spans(span for span in self if span.parent_id == parent.span_id and span.trace_id == parent.trace_id)


@contextmanager
def collect() -> Iterator[Spans]:
    """Yields a list that finished spans are added to as long as the block lasts, from every thread.

    Its ``metrics`` are what the instrumentations measured in the block.

    Where Remora does not run yet it is started, exporting nothing; libraries that are imported already are patched.
    What the block collects is not exported. A plugin that fails inside the block fails it: PluginFaultError names the
    plugin, what it was doing, the exception, and the plugin's own file and line.
    """
    faults: list[str] = []
    quarantine.witnesses.append(faults.append)
    try:
        with _collecting() as spans:
            yield spans
    finally:
        quarantine.witnesses.remove(faults.append)
    if faults:
        raise PluginFaultError("\n".join(dict.fromkeys(faults)))


@contextmanager
def _collecting() -> Iterator[Spans]:
    agent = bootstrap.agent() or bootstrap.start({**os.environ, **_FOR_TESTS}, observed=True)
    if agent is None:
        raise RuntimeError("Remora could not be started for this test")
    engine = agent.assembly.engine
    spans = Spans()
    metering = spans._metering = agent.assembly.metering
    before = engine.deliver
    engine.deliver = lambda span: spans.append(CollectedSpan(span))
    bring_back = metering.set_aside() if metering is not None else None
    try:
        yield spans
    finally:
        engine.deliver = before
        spans._metrics = spans.metrics
        if bring_back is not None:
            bring_back()
