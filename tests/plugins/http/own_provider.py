"""A tracer provider of the program's own, which Remora's tests look into beside Remora."""

from __future__ import annotations

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class OwnProvider:
    """``provider`` for a library's settings; ``names()`` of what it exported."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def names(self) -> list[tuple[str, str]]:
        return [(span.kind.name, span.name) for span in self._exporter.get_finished_spans()]
