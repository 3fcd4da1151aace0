"""An engine of its own for each test, with the OpenTelemetry API over our frames."""

from __future__ import annotations

import opentelemetry.context
import opentelemetry.trace
import pytest

from remora.telemetry import provider as providers
from remora.telemetry import readable
from remora.telemetry.spans_cy import Engine


class Tracing:
    """What a test needs: the engine, a tracer, and the spans that ended."""

    def __init__(self) -> None:
        self.ended = []
        self.engine = Engine()
        self.engine.deliver = self.ended.append
        self.provider = providers.TracerProvider(self.engine, lambda timeout_s: True)
        self.tracer = self.provider.get_tracer("test")

    def named(self, name):
        return next(span for span in self.ended if span.span_name == name)


@pytest.fixture
def tracing(monkeypatch):
    made = Tracing()
    monkeypatch.setattr(opentelemetry.context, "_RUNTIME_CONTEXT", None)
    monkeypatch.setattr(opentelemetry.trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(opentelemetry.trace, "_set_tracer_provider", opentelemetry.trace._set_tracer_provider)
    monkeypatch.setattr(opentelemetry.trace, "_TRACER_PROVIDER_SET_ONCE", opentelemetry.trace.Once())
    providers.on_context(opentelemetry.context)
    made.adopted = []
    providers.on_trace(opentelemetry.trace, made.provider, made.adopted.append)
    yield made
    readable.report_as(None)
