"""A program's own middleware attaches a context that knows nothing of the calls which are open."""

from __future__ import annotations

import pytest
from opentelemetry import context, propagate, trace

from remora.conventions.http_server import HttpServerCall
from remora.operation.propagation import Propagation
from remora.operation.running_cy import Operations
from remora.telemetry.scope import Scope
from remora.telemetry.spans_cy import current, pop, push

REMOTE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def request_of(tracing):
    """Begins a request as the layers of a server do: None where one of them has it already."""
    operations = Operations(tracing.engine, Scope("test"), Propagation(("tracecontext",)), faults := [])
    yield lambda: operations.begin(HttpServerCall("GET", "http", "/"))
    assert faults == []


def as_attached():
    return context.attach(propagate.extract({"traceparent": REMOTE}))


def test_a_context_that_middleware_extracts_and_attaches_does_not_end_the_request(request_of):
    outer = request_of()
    token = as_attached()
    assert current().server is outer.call
    assert request_of() is None
    context.detach(token)
    assert trace.get_current_span() is outer.span
    outer.end()


def test_what_is_traced_below_an_attached_context_is_its_child(tracing, request_of):
    outer = request_of()
    token = as_attached()
    with tracing.tracer.start_as_current_span("below") as below:
        assert request_of() is None
    context.detach(token)
    outer.end()
    assert f"{below.parent_id:016x}" == REMOTE[36:52]
    assert (below.trace_hi, below.trace_lo) != (outer.span.trace_hi, outer.span.trace_lo)


def test_a_span_started_under_an_extracted_context_is_still_inside_the_request(tracing, request_of):
    outer = request_of()
    with tracing.tracer.start_as_current_span("middleware", propagate.extract({"traceparent": REMOTE})) as span:
        assert current().server is outer.call
        assert request_of() is None
    outer.end()
    assert f"{span.parent_id:016x}" == REMOTE[36:52]


def test_an_attached_context_takes_the_request_along_to_where_it_is_attached_next(request_of):
    outer = request_of()
    token = as_attached()
    taken = context.get_current()
    context.detach(token)
    outer.leave()
    token = context.attach(taken)
    assert current().server is outer.call
    context.detach(token)
    outer.end()


def test_an_empty_context_is_attached_as_it_is_where_no_call_is_open(tracing, request_of):
    with tracing.tracer.start_as_current_span("program"):
        token = context.attach(context.Context())
        assert (current().span, current().server, current().open_families) == (None, None, 0)
        request_of().end()
        context.detach(token)
    assert tracing.named("GET").parent_id == 0


@pytest.fixture
def excluded(tracing):
    """A request that is excluded, and so is all below it."""
    silent = current().child(tracing.engine.silence(None))
    silent.suppressed = True
    token = push(silent)
    yield
    pop(token, silent)


def test_a_context_attached_in_an_excluded_request_brings_nothing_of_it_back(tracing, request_of, excluded):
    token = as_attached()
    assert request_of() is None
    with tracing.tracer.start_as_current_span("below"):
        assert request_of() is None
    context.detach(token)
    tracing.tracer.start_span("given a parent", propagate.extract({"traceparent": REMOTE})).end()
    with tracing.tracer.start_as_current_span("under a parent", propagate.extract({"traceparent": REMOTE})):
        assert request_of() is None
    assert tracing.ended == []


def test_what_a_program_suppresses_by_itself_begins_again_with_another_context(tracing, request_of):
    token = context.attach(context.set_value("suppress_instrumentation", True))
    assert request_of() is None
    inner = as_attached()
    request_of().end()
    context.detach(inner)
    context.detach(token)
    assert len(tracing.ended) == 1
