"""What a program that knows the SDK sees: isinstance, ReadableSpan, processors, exporters, its own provider."""

from __future__ import annotations

import subprocess
import sys
import weakref

import opentelemetry.sdk.trace as sdk
import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource as SdkResource
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from remora.telemetry import provider as providers
from remora.telemetry.forwarding import Forwarding
from remora.telemetry.resource import Resource
from remora.telemetry.spans_cy import Span


@pytest.fixture
def with_sdk(tracing):
    tracing.engine.resource = Resource({"service.name": "shop"})
    providers.on_sdk(sdk, tracing.provider)
    return tracing


def test_isinstance_checks_against_the_sdk_hold(with_sdk):
    span = with_sdk.tracer.start_span("span")
    assert isinstance(trace.get_tracer_provider(), sdk.TracerProvider)
    assert isinstance(span, sdk.ReadableSpan)
    assert isinstance(span, sdk.Span)
    assert isinstance(span, trace.Span)
    assert isinstance(with_sdk.tracer, trace.Tracer)
    assert type(span) is Span


def test_a_processor_sees_start_and_a_genuine_readable_span_at_the_end(with_sdk):
    seen = []

    class Processor(sdk.SpanProcessor):
        def on_start(self, span, parent_context=None):
            span.set_attribute("stamped", True)
            seen.append(("start", span.name, trace.get_current_span(parent_context).get_span_context().span_id))

        def on_end(self, span):
            seen.append(("end", span))

    trace.get_tracer_provider().add_span_processor(Processor())
    with with_sdk.tracer.start_as_current_span("outer") as outer:
        with with_sdk.tracer.start_as_current_span("inner", kind=SpanKind.CLIENT, attributes={"a": 1}) as inner:
            inner.add_event("e", {"k": 2})
            inner.set_status(StatusCode.ERROR, "bad")
    assert seen[:2] == [("start", "outer", 0), ("start", "inner", outer.span_id)]
    readable = seen[2][1]
    assert type(readable) is sdk.ReadableSpan
    assert readable.name == "inner"
    assert readable.kind is SpanKind.CLIENT
    assert dict(readable.attributes) == {"a": 1, "stamped": True}
    assert readable.parent == outer.get_span_context()
    assert readable.context == inner.get_span_context()
    assert readable.events[0].name == "e"
    assert readable.status.status_code is StatusCode.ERROR
    assert readable.resource == SdkResource({"service.name": "shop"})
    assert readable.instrumentation_scope.name == "test"
    assert readable.end_time >= readable.start_time
    assert '"name": "inner"' in readable.to_json()


@pytest.mark.parametrize("kind", [SimpleSpanProcessor, BatchSpanProcessor])
def test_the_programs_own_exporter_gets_every_span(with_sdk, kind):
    exporter = InMemorySpanExporter()
    trace.get_tracer_provider().add_span_processor(kind(exporter))
    for number in range(10):
        with with_sdk.tracer.start_as_current_span(f"span {number}"):
            pass
    assert trace.get_tracer_provider().force_flush()
    assert [span.name for span in exporter.get_finished_spans()] == [f"span {number}" for number in range(10)]
    trace.get_tracer_provider().shutdown()


def test_a_processor_that_raises_harms_neither_the_program_nor_the_others(with_sdk, capfd):
    class Broken(sdk.SpanProcessor):
        def on_start(self, span, parent_context=None):
            raise RuntimeError("on start")

        def on_end(self, span):
            raise RuntimeError("on end")

    exporter = InMemorySpanExporter()
    with_sdk.provider.add_span_processor(Broken())
    with_sdk.provider.add_span_processor(SimpleSpanProcessor(exporter))
    with with_sdk.tracer.start_as_current_span("span"):
        pass
    assert len(exporter.get_finished_spans()) == len(with_sdk.ended) == 1
    assert "Broken.on_end failed" in capfd.readouterr().err


def test_a_provider_that_the_program_sets_is_kept_and_its_spans_still_reach_us(tracing):
    own = sdk.TracerProvider(resource=SdkResource({"service.name": "own"}))
    trace.set_tracer_provider(own)
    assert trace.get_tracer_provider() is own
    assert tracing.adopted == [own]
    own.add_span_processor(Forwarding(tracing.engine))
    with tracing.tracer.start_as_current_span("ours") as ours:
        with trace.get_tracer("program").start_as_current_span("theirs", attributes={"a": 1}) as theirs:
            theirs.add_event("e")
            with tracing.tracer.start_as_current_span("ours again") as again:
                pass
    forwarded = tracing.named("theirs")
    assert forwarded.parent_id == ours.span_id
    assert again.parent_id == forwarded.span_id == theirs.get_span_context().span_id
    assert (forwarded.trace_hi, forwarded.trace_lo) == (ours.trace_hi, ours.trace_lo)
    assert forwarded.attribute_values == {"a": 1}
    assert forwarded.event_records[0][0] == "e"
    assert forwarded.scope.name == "program"


def test_tracing_through_the_api_alone_does_not_import_the_sdk():
    program = """
import sys
import opentelemetry.context, opentelemetry.trace as trace
from remora.telemetry import provider, tracing
from remora.telemetry.spans_cy import Engine
ended = []
engine = Engine()
engine.deliver = ended.append
ours = provider.TracerProvider(engine, lambda timeout_s: True)
provider.on_context(opentelemetry.context)
provider.on_trace(trace, ours, print)
with trace.get_tracer("program").start_as_current_span("span") as span:
    span.set_attribute("a", 1)
    assert trace.get_current_span() is span
    assert span.get_span_context().is_valid
assert len(ended) == 1
print([name for name in sys.modules if name.startswith("opentelemetry.sdk")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tracers_obtained_before_a_program_sets_its_provider_become_that_providers(tracing):
    early = trace.get_tracer("early", 1.0)
    exporter = InMemorySpanExporter()
    own = sdk.TracerProvider()
    own.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(own)
    tracing.provider.hand_over(own)
    with early.start_as_current_span("a"):
        early.start_span("b").end()
    assert [span.name for span in exporter.get_finished_spans()] == ["b", "a"]
    assert exporter.get_finished_spans()[0].instrumentation_scope.version == "1.0"


def test_what_reaches_into_private_parts_of_a_span_finds_them(with_sdk):
    span = with_sdk.tracer.start_span("span", attributes={"a": 1})
    span.note_of_mine = 5
    assert (span._name, dict(span._attributes), span.note_of_mine) == ("span", {"a": 1}, 5)
    assert weakref.ref(span)() is span
    assert not hasattr(span, "_nothing_of_that_name")


def test_dropped_events_and_links_are_told_to_exporters(with_sdk):
    with_sdk.engine.event_count_limit = 1
    exporter = InMemorySpanExporter()
    with_sdk.provider.add_span_processor(SimpleSpanProcessor(exporter))
    with with_sdk.tracer.start_as_current_span("span") as span:
        for _ in range(3):
            span.add_event("e")
    assert exporter.get_finished_spans()[0].dropped_events == 2
