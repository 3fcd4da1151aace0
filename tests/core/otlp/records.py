"""The same generated spans three ways: as data, as our records, and as the reference implementation's objects."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceState

from remora.otlp import traces_plain
from remora.telemetry.scope import Scope
from remora.telemetry.spans_cy import blank_span

try:
    _compiled = importlib.import_module("remora.otlp.traces_c").TraceBuffer
except Exception:
    _compiled = None

TWINS = [
    pytest.param(traces_plain.TraceBuffer, id="plain"),
    pytest.param(
        _compiled, id="compiled", marks=pytest.mark.skipif(_compiled is None, reason="the encoder is not compiled here")
    ),
]
RESOURCE: dict[str, Any] = {"service.name": "shop", "process.pid": 4711, "host.ip": ("10.0.0.1", "10.0.0.2")}
MASK64 = (1 << 64) - 1

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
keys = st.one_of(
    st.sampled_from(["http.route", "a", "b", "größe", "🦈"]), st.text("abcäß漢🦈.", min_size=1, max_size=150)
)
scalars = st.one_of(
    words,
    st.booleans(),
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(-2, 300),
    st.floats(),
    st.binary(max_size=40),
    st.none(),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple), st.dictionaries(keys, inner, max_size=4), st.lists(words).map(tuple)
    ),
    max_leaves=8,
)
attributes = st.one_of(st.none(), st.dictionaries(keys, st.one_of(scalars, values), max_size=8))
ids = st.integers(1, MASK64)
counts = st.one_of(st.just(0), st.integers(0, (1 << 32) - 1))
times = st.one_of(st.just(0), st.integers(0, MASK64))

event_records = st.tuples(words, times, attributes, counts)
link_records = st.tuples(
    ids, ids, ids, st.booleans(), attributes, counts, st.integers(0, 3), st.sampled_from(["", "a=1"])
)
span_fields = st.fixed_dictionaries(
    {
        "trace_hi": st.integers(0, MASK64),
        "trace_lo": ids,
        "span_id": ids,
        "parent_id": st.one_of(st.just(0), ids),
        "start_ns": times,
        "end_ns": times,
        "flags": st.integers(0, 3),
        "kind_code": st.integers(0, 4),
        "parent_remote": st.booleans(),
        "span_name": words,
        "tracestate": st.sampled_from(["", "a=1", "vendor=x,other@sys=y z"]),
        "status_code": st.integers(0, 2),
        "status_message": st.one_of(st.none(), words),
        "attribute_values": attributes,
        "event_records": st.one_of(st.none(), st.lists(event_records, max_size=3)),
        "link_records": st.one_of(st.none(), st.lists(link_records, max_size=3)),
        "dropped_attributes_count": counts,
        "dropped_events_count": counts,
        "dropped_links_count": counts,
    }
)


def fresh_scopes() -> list[Scope]:
    """Scopes that nobody else writes to; the last one says nothing at all about itself."""
    return [
        Scope("remora.http", "1.2", "https://opentelemetry.io/schemas/1.44.0", {"team": "shop", "n": 1}),
        Scope("remora.database"),
        Scope("my.app", "", ""),
        Scope(""),
    ]


def span_record(scope: Scope, **fields: Any) -> Any:
    """A finished span of ours with plausible defaults."""
    given: dict[str, Any] = {"trace_hi": 1, "trace_lo": 2, "span_id": 3, "start_ns": 1_000, "end_ns": 2_000}
    return blank_span(**{**given, **fields}, scope=scope)


class _Event(Event):
    dropped_attributes = 0


class _Link(Link):
    dropped_attributes = 0


class _Span(ReadableSpan):
    dropped_attributes = dropped_events = dropped_links = 0


def _event(record: tuple[Any, ...]) -> Event:
    event = _Event(record[0], record[2], record[1])
    event.dropped_attributes = record[3]
    return event


def _link(record: tuple[Any, ...]) -> Link:
    context = SpanContext(record[0] << 64 | record[1], record[2], record[3])
    link = _Link(context, record[4])
    link.dropped_attributes = record[5]
    return link


def _status(fields: dict[str, Any]) -> Status:
    status = Status(StatusCode(fields.get("status_code", 0)))
    status._description = fields.get("status_message")
    return status


def reference_span(scope: Scope, resource: Resource, **fields: Any) -> ReadableSpan:
    """The reference implementation's span with the same contents as ``span_record`` with the same fields."""
    trace_id = fields.get("trace_hi", 1) << 64 | fields.get("trace_lo", 2)
    parent_id = fields.get("parent_id", 0)
    tracestate = TraceState.from_header([fields.get("tracestate", "")])
    span = _Span(
        fields.get("span_name", ""),
        SpanContext(trace_id, fields.get("span_id", 3), False, None, tracestate),
        SpanContext(trace_id, parent_id, fields.get("parent_remote", False)) if parent_id else None,
        resource,
        fields.get("attribute_values"),
        [_event(record) for record in fields.get("event_records") or ()],
        [_link(record) for record in fields.get("link_records") or ()],
        SpanKind(fields.get("kind_code", 0)),
        status=_status(fields),
        start_time=fields.get("start_ns", 1_000),
        end_time=fields.get("end_ns", 2_000),
        instrumentation_scope=InstrumentationScope(scope.name, scope.version, scope.schema_url, scope.attributes),
    )
    span.dropped_attributes = fields.get("dropped_attributes_count", 0)
    span.dropped_events = fields.get("dropped_events_count", 0)
    span.dropped_links = fields.get("dropped_links_count", 0)
    return span


def reference_bytes(spans: list[tuple[Scope, dict[str, Any]]], schema_url: str | None = None) -> bytes:
    """What the reference exporter would send for these spans."""
    resource = Resource(RESOURCE, schema_url)
    encoded: bytes = encode_spans(
        [reference_span(scope, resource, **fields) for scope, fields in spans]
    ).SerializeToString()
    return encoded


def our_bytes(twin: Any, spans: list[tuple[Scope, dict[str, Any]]], schema_url: str | None = None) -> bytes:
    """What we would send for these spans."""
    buffer = twin(RESOURCE, schema_url)
    for scope, fields in spans:
        assert buffer.append(span_record(scope, **fields)) > 0
    body: bytes = buffer.take(len(spans), 1 << 40).body()
    assert buffer.spans == buffer.size_bytes == 0
    return body
