"""The decoder reads what it should exactly, and refuses everything else with DecodeError."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from google.protobuf import message
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from core.otlp.records import RESOURCE, TWINS, fresh_scopes, our_bytes, reference_bytes, span_fields
from remora.otlp import decoded
from remora.otlp.decode import DecodeError, decode_traces
from remora.telemetry.scope import Scope

ONE_OF_EVERYTHING: dict[str, Any] = {
    "trace_hi": 1 << 60,
    "parent_id": 9,
    "parent_remote": True,
    "span_name": "GET /größe",
    "kind_code": 2,
    "tracestate": "a=1",
    "status_code": 2,
    "status_message": "broken",
    "attribute_values": {
        "s": "t",
        "b": True,
        "i": -1,
        "f": 1.5,
        "y": b"\x00",
        "n": None,
        "l": (1, ("a",)),
        "d": {"x": {}},
    },
    "event_records": [("e", 5, {"k": "v"}, 1), ("", 0, None, 0)],
    "link_records": [(1, 2, 3, True, {"k": 1}, 2, 1, "b=2")],
    "dropped_attributes_count": 1,
    "dropped_events_count": 2,
    "dropped_links_count": (1 << 32) - 1,
}
BODY = reference_bytes([(Scope("remora.http", "1", "https://s/1", {"t": 1}), ONE_OF_EVERYTHING)], "https://r/1")


def varint(number: int) -> bytes:
    """The number in protobuf's base 128."""
    encoded = b""
    while number > 127:
        encoded += bytes([number & 127 | 128])
        number >>= 7
    return encoded + bytes([number])


def field(number: int, content: bytes) -> bytes:
    """A field of a message or text."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def request(*span_content: bytes) -> bytes:
    """A request with one span of that content."""
    return field(1, field(2, field(2, b"".join(span_content))))


def only_span(body: bytes) -> decoded.Span:
    """The one span of a request."""
    (span,) = (span for resource in decode_traces(body) for scope in resource.scopes for span in scope.spans)
    return span


def test_every_field_is_read() -> None:
    (resource,) = decode_traces(BODY)
    (scope,) = resource.scopes
    (span,) = scope.spans
    assert (resource.attributes, resource.schema_url) == (RESOURCE, "https://r/1")
    assert (scope.name, scope.version, scope.schema_url, scope.attributes) == (
        "remora.http",
        "1",
        "https://s/1",
        {"t": 1},
    )
    assert span == decoded.Span(
        trace_id=f"{1 << 60:016x}{2:016x}",
        span_id=f"{3:016x}",
        trace_state="a=1",
        parent_span_id=f"{9:016x}",
        name="GET /größe",
        kind=3,
        start_time_unix_nano=1000,
        end_time_unix_nano=2000,
        attributes=ONE_OF_EVERYTHING["attribute_values"],
        dropped_attributes_count=1,
        events=[decoded.Event("e", 5, {"k": "v"}, 1), decoded.Event()],
        dropped_events_count=2,
        links=[decoded.Link(f"{1:016x}{2:016x}", f"{3:016x}", "", {"k": 1}, 2, 0x300)],
        dropped_links_count=(1 << 32) - 1,
        status_code=2,
        status_message="broken",
        flags=0x300,
    )


def _same(read: Any, given_value: Any) -> bool:
    if isinstance(given_value, float):
        return isinstance(read, float) and (read == given_value or (math.isnan(read) and math.isnan(given_value)))
    if isinstance(given_value, tuple):
        return isinstance(read, tuple) and len(read) == len(given_value) and all(map(_same, read, given_value))
    if isinstance(given_value, dict):
        return read.keys() == given_value.keys() and all(_same(read[key], item) for key, item in given_value.items())
    return type(read) is type(given_value) and read == given_value


@pytest.mark.parametrize("twin", TWINS)
@given(fields=span_fields)
def test_what_was_encoded_is_read_back(twin: Any, fields: dict[str, Any]) -> None:
    scope = fresh_scopes()[0]
    (resource,) = decode_traces(our_bytes(twin, [(scope, fields)]))
    assert resource.attributes == RESOURCE
    span = resource.scopes[0].spans[0]
    assert span.trace_id == f"{fields['trace_hi']:016x}{fields['trace_lo']:016x}"
    assert span.span_id == f"{fields['span_id']:016x}"
    assert span.parent_span_id == (f"{fields['parent_id']:016x}" if fields["parent_id"] else "")
    assert (span.name, span.kind, span.trace_state) == (
        fields["span_name"],
        fields["kind_code"] + 1,
        fields["tracestate"],
    )
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (fields["start_ns"], fields["end_ns"])
    assert (span.status_code, span.status_message) == (fields["status_code"], fields["status_message"] or "")
    assert _same(span.attributes, fields["attribute_values"] or {})
    assert [(event.name, event.time_unix_nano, event.dropped_attributes_count) for event in span.events] == [
        (name, time_ns, dropped) for name, time_ns, _, dropped in fields["event_records"] or ()
    ]
    for event, record in zip(span.events, fields["event_records"] or (), strict=True):
        assert _same(event.attributes, record[2] or {})
    for link, record in zip(span.links, fields["link_records"] or (), strict=True):
        assert (link.trace_id, link.span_id) == (f"{record[0]:016x}{record[1]:016x}", f"{record[2]:016x}")
        assert _same(link.attributes, record[4] or {})


def test_an_empty_request_holds_nothing() -> None:
    assert decode_traces(b"") == []


def test_a_truncated_request_is_refused() -> None:
    for size in range(1, len(BODY)):
        with pytest.raises(DecodeError) as raised:
            decode_traces(BODY[:size])
        assert 0 <= raised.value.offset <= size
        assert f"at byte {raised.value.offset}" in str(raised.value)


def test_a_request_that_ends_inside_any_part_is_refused_whatever_the_lengths_outside_say() -> None:
    # Truncates a span and corrects the lengths around it, so that only the inner layers can notice.
    whole = ExportTraceServiceRequest.FromString(BODY).resource_spans[0].scope_spans[0].spans[0]
    content = whole.SerializeToString()
    outcomes = []
    for size in range(len(content)):
        span = content[:size]
        body = request(span)
        try:
            outcomes.append(only_span(body))
        except DecodeError:
            with pytest.raises(Exception, match="rror parsing"):
                ExportTraceServiceRequest.FromString(body)
        else:
            ExportTraceServiceRequest.FromString(body)
    assert 0 < len(outcomes) < 40


@given(st.lists(st.tuples(st.integers(0, len(BODY) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_damaged_requests_are_refused_or_still_well_formed(damage: list[tuple[int, int]]) -> None:
    damaged = bytearray(BODY)
    for offset, byte in damage:
        damaged[offset] = byte
    _check_refused_or_well_formed(bytes(damaged))


@pytest.mark.parametrize("bit", range(8))
def test_no_single_flipped_bit_brings_the_decoder_down(bit: int) -> None:
    for offset in range(len(BODY)):
        damaged = bytearray(BODY)
        damaged[offset] ^= 1 << bit
        _check_refused_or_well_formed(bytes(damaged))


@given(st.binary(max_size=400))
def test_random_bytes_are_refused_or_well_formed(body: bytes) -> None:
    _check_refused_or_well_formed(body)


@given(st.binary(max_size=100))
def test_random_span_contents_are_refused_or_well_formed(content: bytes) -> None:
    _check_refused_or_well_formed(request(content))


def _check_refused_or_well_formed(body: bytes) -> None:
    try:
        resources = decode_traces(body)
    except DecodeError:
        return
    # What we accept, the reference accepts, and sees the same spans in it.
    try:
        reference = ExportTraceServiceRequest.FromString(body)
    except message.DecodeError as error:
        assert "UTF-8" in str(error)  # noqa: PT017 - in a field that we skip: references to entities
        return
    spans = [span for resource in resources for scope in resource.scopes for span in scope.spans]
    theirs = [span for resource in reference.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert [(span.trace_id, span.name, span.flags, span.kind) for span in spans] == [
        (span.trace_id.hex(), span.name, span.flags, span.kind) for span in theirs
    ]
    assert [(len(span.events), len(span.links), span.status_code, span.status_message) for span in spans] == [
        (len(span.events), len(span.links), span.status.code, span.status.message) for span in theirs
    ]
    for span, their in zip(spans, theirs, strict=True):
        assert span.attributes.keys() == {pair.key for pair in their.attributes}
        for pair in their.attributes:
            if [other.key for other in their.attributes].count(pair.key) == 1:
                assert _same(span.attributes[pair.key], _python_value(pair.value))


def _python_value(value: AnyValue) -> Any:
    case = value.WhichOneof("value")
    if case == "array_value":
        return tuple(map(_python_value, value.array_value.values))
    if case == "kvlist_value":
        return {pair.key: _python_value(pair.value) for pair in value.kvlist_value.values}
    return getattr(value, case) if case and case != "string_value_strindex" else None


def test_unknown_fields_are_skipped_on_every_layer() -> None:
    unknown = bytes([31 << 3 & 0x7F | 0x80, 1, 5]) + b"\xfa\x01\x02hi" + b"\xf9\x01" + b"x" * 8 + b"\xfd\x01" + b"x" * 4
    group = b"\xfb\x01" + b"\x0a\x01x" + b"\x0b\x08\x01\x0c" + b"\xfc\x01"
    span = unknown + field(5, b"known") + group + field(11, unknown + field(2, b"event")) + field(15, unknown)
    body = unknown + field(1, group + field(2, unknown + field(2, span)))
    read = only_span(body)
    assert (read.name, read.events) == ("known", [decoded.Event("event")])


def test_parts_given_twice_are_merged_as_protobuf_says() -> None:
    number = AnyValue(int_value=1).SerializeToString()
    pair = field(1, b"k") + field(2, b"\x2a" + bytes([len(number) + 2]) + field(1, number)) * 2
    body = request(
        field(5, b"first"), field(5, b"last"), field(9, pair), field(15, b"\x18\x02"), field(15, field(2, b"m"))
    )
    span = only_span(body)
    assert (span.name, span.attributes, span.status_code, span.status_message) == ("last", {"k": (1, 1)}, 2, "m")
    assert len(KeyValue.FromString(pair).value.array_value.values) == 2


def test_several_resources_and_scopes_are_kept_apart() -> None:
    several = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(scope_spans=[ScopeSpans(spans=[Span(name=f"{number}.{index}")]) for index in range(2)])
            for number in range(3)
        ]
    )
    read = decode_traces(several.SerializeToString())
    assert [[scope.spans[0].name for scope in resource.scopes] for resource in read] == [
        ["0.0", "0.1"],
        ["1.0", "1.1"],
        ["2.0", "2.1"],
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x00", "field number 0"),
        (b"\x2a\x05abc", "does not fit"),
        (b"\x2a\x02\xff\xfe", "UTF-8"),
        (b"\x0a\x03abc", "id of 3 bytes"),
        (b"\x12\x10" + b"x" * 16, "id of 16 bytes"),
        (b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "varint"),
        (b"\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "64 bits"),
        (b"\x30\x80", "truncated"),
        (b"\x39abc", "truncated"),
        (b"\x3f", "wire type 7"),
        (b"\x28\x01", "wire type 0 instead of 2"),
        (b"\x3d\x00\x00\x00\x00", "wire type 5 instead of 1"),
        (b"\xfb\x01\x08\x01", "truncated group"),
        (b"\xfb\x01\x0c", "end of another group"),
        (b"\x0c", "wire type 4"),
        (b"\x9b\x02" * 40, "groups nested too deeply"),
        (b"\xf8\xff\xff\xff\xff\x01\x01", "field number"),
    ],
)
def test_malformed_spans_are_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode_traces(request(content))


def _nested_value(levels: int) -> bytes:
    content = b""
    for _ in range(levels):
        content = field(5, field(1, content))
    return request(field(9, field(1, b"k") + field(2, content)))


def test_values_nested_31_times_are_read_and_deeper_ones_refused() -> None:
    assert str(only_span(_nested_value(31)).attributes["k"]).count("(") == 31
    for levels in (32, 33, 20_000):
        with pytest.raises(DecodeError, match="nested too deeply"):
            decode_traces(_nested_value(levels))


def test_the_error_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(DecodeError("bad", 7)))
    assert (str(error), error.offset) == ("bad at byte 7", 7)
