"""Spans as a program makes them through the OpenTelemetry API."""

from __future__ import annotations

import asyncio
import contextvars
import enum
import threading
import time

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

from remora.telemetry.spans_cy import current, root
from support.processes import run_python


def test_a_nested_span_has_its_enclosing_span_as_parent(tracing):
    with tracing.tracer.start_as_current_span("outer") as outer:
        with tracing.tracer.start_as_current_span("inner") as inner:
            assert trace.get_current_span() is inner
        assert trace.get_current_span() is outer
    assert [span.span_name for span in tracing.ended] == ["inner", "outer"]
    assert inner.parent_id == outer.span_id
    assert (inner.trace_hi, inner.trace_lo) == (outer.trace_hi, outer.trace_lo)
    assert outer.parent_id == 0
    assert current() is root()


def test_the_global_tracer_is_ours_without_the_program_doing_anything(tracing):
    with trace.get_tracer("program").start_as_current_span("mine"):
        pass
    assert tracing.named("mine").scope.name == "program"


def test_a_new_trace_has_random_ids_and_says_so_in_its_flags(tracing):
    spans = [tracing.tracer.start_span("root") for _ in range(1000)]
    contexts = [span.get_span_context() for span in spans]
    assert all(found.is_valid and found.trace_flags & 0x02 and found.trace_flags.sampled for found in contexts)
    assert len({found.trace_id for found in contexts}) == len({found.span_id for found in contexts}) == 1000


def test_times_never_run_backwards(tracing):
    before = time.time_ns()
    with tracing.tracer.start_as_current_span("outer") as outer, tracing.tracer.start_as_current_span("inner") as inner:
        pass
    after = time.time_ns()
    assert before - 2_000_000 <= outer.start_ns <= inner.start_ns <= inner.end_ns <= outer.end_ns <= after + 2_000_000


def test_given_times_are_kept(tracing):
    span = tracing.tracer.start_span("then", start_time=1000)
    span.add_event("at", timestamp=1500)
    span.end(2000)
    assert (span.start_ns, span.end_ns) == (1000, 2000)
    assert span.event_records[0][1] == 1500


class Text(str):
    __slots__ = ()

    def __str__(self):
        raise AssertionError("the content counts, not __str__")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("text", "text"),
        (True, True),
        (7, 7),
        (2.5, 2.5),
        (b"bytes", b"bytes"),
        (None, None),
        ([1, 2], (1, 2)),
        (("a", "b"), ("a", "b")),
        ({"k": [1]}, {"k": (1,)}),
        (range(3), (0, 1, 2)),
        (SpanKind.SERVER, "SpanKind.SERVER"),
        (Text("content"), "content"),
        (object(), None),
    ],
)
def test_attribute_values_become_what_opentelemetry_allows(tracing, given, kept):
    span = tracing.tracer.start_span("span", attributes={"at start": given})
    span.set_attribute("later", given)
    assert span.attribute_values == {"at start": kept, "later": kept}
    assert all(type(value) is type(kept) for value in span.attribute_values.values())


def test_a_mutated_list_does_not_change_the_attribute(tracing):
    values = ["a"]
    span = tracing.tracer.start_span("span", attributes={"k": values})
    values.append("b")
    assert span.attributes["k"] == ("a",)


def test_attributes_above_the_limit_are_dropped_and_counted(tracing):
    tracing.engine.attribute_count_limit = 2
    span = tracing.tracer.start_span("span", attributes={"a": 1, "b": 2, "c": 3})
    span.set_attribute("d", 4)
    span.set_attribute("a", 5)
    assert span.attribute_values == {"a": 5, "b": 2}
    assert span.dropped_attributes == 2


def test_long_texts_are_cut_at_the_limit(tracing):
    tracing.engine.attribute_length_limit = 3
    span = tracing.tracer.start_span("span", attributes={"a": "abcdef", "n": 123456})
    span.set_attribute("b", ["abcdef"])
    span.put({"c": "abcdef"})
    assert span.attribute_values == {"a": "abc", "n": 123456, "b": ("abc",), "c": "abc"}


def test_events_and_links_above_the_limit_are_dropped_and_counted(tracing):
    tracing.engine.event_count_limit = 1
    tracing.engine.link_count_limit = 1
    links = [Link(SpanContext(1, number, True)) for number in (1, 2, 3)]
    span = tracing.tracer.start_span("span", links=links)
    span.add_event("one")
    span.add_event("two")
    assert len(span.event_records) == 1
    assert len(span.link_records) == 1
    assert (span.dropped_events, span.dropped_links) == (1, 2)


def test_an_event_has_its_own_attributes_and_limit(tracing):
    tracing.engine.event_attribute_count_limit = 1
    span = tracing.tracer.start_span("span")
    span.add_event("happened", {"a": 1, "b": 2})
    name, _, values, dropped = span.event_records[0]
    assert (name, values, dropped) == ("happened", {"a": 1}, 1)


def test_links_keep_context_and_attributes(tracing):
    linked = SpanContext(0xABC << 64 | 5, 6, True, TraceFlags(1), TraceState([("v", "1")]))
    span = tracing.tracer.start_span("span", links=[Link(linked, {"k": "v"})])
    (link,) = span.links
    assert link.context == linked
    assert dict(link.attributes) == {"k": "v"}


def test_an_exception_that_leaves_the_block_is_recorded_once_and_raised_on(tracing):
    with pytest.raises(ValueError, match="broken"), tracing.tracer.start_as_current_span("span"):
        raise ValueError("broken")
    span = tracing.named("span")
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "ValueError: broken"
    (event,) = span.events
    assert event.attributes["exception.type"] == "ValueError"
    assert event.attributes["exception.message"] == "broken"
    assert "test_spans.py" in event.attributes["exception.stacktrace"]


def test_generator_exit_and_system_exit_are_no_errors(tracing):
    with pytest.raises(SystemExit), tracing.tracer.start_as_current_span("span"):
        raise SystemExit(0)
    assert tracing.named("span").status_code == 0


def test_exceptions_can_be_left_out(tracing):
    block = tracing.tracer.start_as_current_span("span", record_exception=False, set_status_on_exception=False)
    with pytest.raises(KeyError), block:
        raise KeyError
    span = tracing.named("span")
    assert span.status_code == 0
    assert not span.events


def test_secrets_in_exceptions_are_redacted(tracing):
    tracing.engine.redact = lambda text: text.replace("hunter2", "REDACTED")
    with pytest.raises(ValueError, match="hunter2"), tracing.tracer.start_as_current_span("span"):
        raise ValueError("password=hunter2")
    span = tracing.named("span")
    assert "hunter2" not in repr(span.event_records) + str(span.status_message)


def test_an_ok_status_is_final_and_a_description_only_counts_for_errors(tracing):
    span = tracing.tracer.start_span("span")
    span.set_status(StatusCode.ERROR, "bad")
    assert (span.status_code, span.status_message) == (2, "bad")
    span.set_status(StatusCode.UNSET)
    assert span.status_code == 2
    span.set_status(Status(StatusCode.OK))
    span.set_status(StatusCode.ERROR, "late")
    assert (span.status_code, span.status_message) == (1, None)


def test_an_ended_span_no_longer_changes(tracing):
    span = tracing.tracer.start_span("span", attributes={"a": 1})
    span.end()
    end_ns = span.end_ns
    span.set_attribute("a", 2)
    span.add_event("late")
    span.update_name("other")
    span.end()
    assert tracing.ended == [span]
    assert (span.attribute_values, span.event_records, span.span_name, span.end_ns) == ({"a": 1}, None, "span", end_ns)
    assert not span.is_recording()


def test_a_span_used_as_context_manager_ends_but_is_not_current(tracing):
    with tracing.tracer.start_span("span") as span:
        assert trace.get_current_span() is not span
    assert tracing.ended == [span]


def test_use_span_makes_it_current(tracing):
    span = tracing.tracer.start_span("span")
    with trace.use_span(span, end_on_exit=True), tracing.tracer.start_as_current_span("child") as child:
        pass
    assert child.parent_id == span.span_id
    assert tracing.ended == [child, span]


def test_a_decorated_function_runs_in_a_span_of_its_own_each_time(tracing):
    @tracing.tracer.start_as_current_span("work")
    def work(number):
        return number + 1

    assert [work(1), work(2)] == [2, 3]
    assert [span.span_name for span in tracing.ended] == ["work", "work"]


def test_a_decorated_coroutine_runs_in_a_span_of_its_own_each_time(tracing):
    @tracing.tracer.start_as_current_span("work")
    async def work():
        await asyncio.sleep(0)
        return trace.get_current_span().span_name

    assert asyncio.run(work()) == "work"
    assert [span.span_name for span in tracing.ended] == ["work"]


def test_an_explicit_context_is_the_parent_and_not_what_is_current(tracing):
    remote = SpanContext(0xA << 64 | 0xB, 0xC, True, TraceFlags(1), TraceState([("vendor", "x")]))
    elsewhere = trace.set_span_in_context(NonRecordingSpan(remote), context.Context())
    with (
        tracing.tracer.start_as_current_span("here"),
        tracing.tracer.start_as_current_span("there", elsewhere) as there,
    ):
        found = there.get_span_context()
        assert (found.trace_id, there.parent.span_id, there.parent.is_remote) == (0xA << 64 | 0xB, 0xC, True)
        assert found.trace_state.to_header() == "vendor=x"
        assert trace.get_current_span() is there


def test_baggage_and_foreign_values_survive_our_frames(tracing):
    token = context.attach(context.set_value("mine", 5, baggage.set_baggage("user", "42")))
    with tracing.tracer.start_as_current_span("span"):
        assert baggage.get_baggage("user") == "42"
        assert context.get_value("mine") == 5
        with trace.use_span(tracing.tracer.start_span("other")):
            assert baggage.get_baggage("user") == "42"
    context.detach(token)
    assert baggage.get_baggage("user") is None


def test_detaching_in_another_context_is_silent(tracing, caplog):
    tokens = []
    contextvars.copy_context().run(lambda: tokens.append(context.attach(context.set_value("k", 1))))
    context.detach(tokens[0])
    assert not caplog.records
    assert current() is root()


def test_an_abandoned_async_generator_leaves_no_context_behind(tracing, caplog):
    async def stream():
        with tracing.tracer.start_as_current_span("stream"):
            yield 1
            yield 2

    async def main():
        async for _ in stream():
            break
        await asyncio.sleep(0)

    asyncio.run(main())
    assert [span.span_name for span in tracing.ended] == ["stream"]
    assert not caplog.records


def test_a_new_thread_starts_without_a_parent_of_ours(tracing):
    found = []
    with tracing.tracer.start_as_current_span("span"):
        thread = contextvars.Context().run(lambda: threading.Thread(target=lambda: found.append(current().span)))
        contextvars.Context().run(thread.start)
        thread.join()
    assert found == [None]


def test_tracestate_is_inherited(tracing):
    remote = SpanContext(1, 2, True, TraceFlags(1), TraceState([("a", "1"), ("b", "2")]))
    parent = trace.set_span_in_context(NonRecordingSpan(remote))
    span = tracing.tracer.start_span("span", parent)
    assert span.tracestate == "a=1,b=2"
    assert span.get_span_context().trace_state == remote.trace_state


def test_an_invalid_parent_starts_a_new_trace(tracing):
    parent = trace.set_span_in_context(trace.INVALID_SPAN)
    span = tracing.tracer.start_span("span", parent)
    assert span.parent is None
    assert span.get_span_context().is_valid


class Name(str, enum.Enum):
    ONE = "one"


@pytest.mark.parametrize("odd", [Name.ONE, None, 5, b"bytes"])
def test_odd_names_and_keys_never_raise(tracing, odd):
    span = tracing.tracer.start_span(odd, kind="CLIENT", links=[None])
    span.set_attribute(odd, 1)
    span.set_attributes({odd: 1})
    span.add_event(odd, timestamp=1.5)
    span.update_name(odd)
    span.set_status(StatusCode.ERROR, odd)
    span.record_exception(odd)
    span.end()
    assert tracing.ended == [span]
    if odd is Name.ONE:
        assert (span.span_name, span.attribute_values) == ("one", {"one": 1})


def test_a_span_that_ends_while_the_exporter_is_made_is_not_lost():
    program = """
import gc, signal
from opentelemetry import trace
tracer = trace.get_tracer("program")
signal.signal(signal.SIGALRM, lambda *_: tracer.start_span("in the handler").end())
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
tracer.start_span("first").end()
signal.setitimer(signal.ITIMER_REAL, 0)
trace.get_tracer_provider().force_flush(0)
from remora import bootstrap
print(bootstrap.agent().assembly.engine.finished == bootstrap.agent().assembly.shipping.line.books.produced)
"""
    done = run_python(program)
    assert done.stdout.strip() == "True", done.stderr
