"""A library's own SERVER span, made by the provider that the program set, inside a request of ours."""

from __future__ import annotations

import opentelemetry.sdk.trace as sdk
import pytest
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from remora.conventions.http_server import HttpServerCall
from remora.operation.propagation import Propagation
from remora.operation.running_cy import Operations
from remora.telemetry.forwarding import Forwarding
from remora.telemetry.scope import Scope

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def exporter(tracing):
    """What the program's own provider exports; Remora is told, too."""
    exporter = InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.add_span_processor(Forwarding(tracing.engine))
    trace.set_tracer_provider(provider)
    return exporter


def request(tracing, traceparent):
    sent = {"traceparent": traceparent} if traceparent else {}
    operations = Operations(tracing.engine, Scope("test"), Propagation(("tracecontext",)), pytest.fail)
    running = operations.begin(
        HttpServerCall(
            "GET",
            "http",
            "/",
            None,
            {name.lower(): value for name, value in sent.items()}.get,
        )
    )
    with trace.get_tracer("library").start_as_current_span(
        "library's", context=propagate.extract(sent), kind=SpanKind.SERVER
    ):
        pass
    running.end()
    return running.span


def test_a_request_has_one_server_span_for_us_and_the_librarys_is_beneath_it(tracing, exporter):
    ours = request(tracing, TRACEPARENT)
    theirs = tracing.named("library's")
    assert (ours.kind, theirs.kind) == (SpanKind.SERVER, SpanKind.INTERNAL)
    assert theirs.parent_id == ours.span_id
    assert not theirs.parent_remote


def test_one_that_begins_a_trace_of_its_own_is_linked_to_ours(tracing, exporter):
    ours = request(tracing, None)
    theirs = tracing.named("library's")
    assert theirs.kind is SpanKind.INTERNAL
    assert [link.context.span_id for link in theirs.links] == [ours.span_id]


def test_the_programs_own_exporter_sees_it_as_it_is(tracing, exporter):
    request(tracing, TRACEPARENT)
    (theirs,) = exporter.get_finished_spans()
    assert theirs.kind is SpanKind.SERVER
    assert f"{theirs.parent.span_id:016x}" == TRACEPARENT[36:52]


def test_outside_a_request_of_ours_it_stays_a_server_span(tracing, exporter):
    with trace.get_tracer("library").start_as_current_span("library's", kind=SpanKind.SERVER):
        pass
    assert tracing.named("library's").kind is SpanKind.SERVER
