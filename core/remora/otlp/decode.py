"""OTLP traces from protobuf: what the command line shows and tests look at, not a hot path.

Strict: what is no valid ExportTraceServiceRequest raises DecodeError. Unknown fields are skipped.
"""

from __future__ import annotations

from remora.otlp.decode_attributes import read_attribute
from remora.otlp.decoded import Event, Link, ResourceSpans, ScopeSpans, Span
from remora.otlp.wire import SIZED, DecodeError, expect, fields, fixed32, fixed64, octets, signed32, text, unsigned32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from remora.otlp.wire import Field

    Record = TypeVar("Record")
    Read = Callable[[bytes, Field], Any]
    # What to do with each field, by its number in opentelemetry/proto/trace/v1/trace.proto.
    Schema = dict[int, Callable[[Any, bytes, Field], None]]

__all__ = ["DecodeError", "Event", "Link", "ResourceSpans", "ScopeSpans", "Span", "decode_traces"]


def decode_traces(body: bytes) -> list[ResourceSpans]:
    """The contents of an uncompressed ExportTraceServiceRequest (or of a TracesData message, which is the same)."""
    return [_resource_spans(body, field) for field in fields(body, 0, len(body)) if field[0] == 1]


def _fill(record: Any, data: bytes, field: Field, schema: Schema) -> None:
    for inner in fields(data, field[2], expect(field, SIZED)):
        take = schema.get(inner[0])
        if take is not None:
            take(record, data, inner)


def _one(name: str, read: Read) -> Callable[[Any, bytes, Field], None]:
    return lambda record, data, field: setattr(record, name, read(data, field))


def _each(name: str, read: Read) -> Callable[[Any, bytes, Field], None]:
    return lambda record, data, field: getattr(record, name).append(read(data, field))


def _inner(schema: Schema) -> Callable[[Any, bytes, Field], None]:
    """A message whose fields belong to the record around it."""
    return lambda record, data, field: _fill(record, data, field, schema)


def _message(make: Callable[[], Record], schema: Schema) -> Callable[[bytes, Field], Record]:
    def read(data: bytes, field: Field) -> Record:
        record = make()
        _fill(record, data, field, schema)
        return record

    return read


def _attribute(record: Any, data: bytes, field: Field) -> None:
    read_attribute(data, field, record.attributes)


def _id(size: int) -> Callable[[bytes, Field], str]:
    def read(data: bytes, field: Field) -> str:
        identity = octets(data, field)
        if len(identity) not in {0, size}:
            raise DecodeError(f"id of {len(identity)} bytes instead of {size}", field[2])
        return identity.hex()

    return read


_event = _message(
    Event,
    {
        1: _one("time_unix_nano", fixed64),
        2: _one("name", text),
        3: _attribute,
        4: _one("dropped_attributes_count", unsigned32),
    },
)

_link = _message(
    Link,
    {
        1: _one("trace_id", _id(16)),
        2: _one("span_id", _id(8)),
        3: _one("trace_state", text),
        4: _attribute,
        5: _one("dropped_attributes_count", unsigned32),
        6: _one("flags", fixed32),
    },
)

_span = _message(
    Span,
    {
        1: _one("trace_id", _id(16)),
        2: _one("span_id", _id(8)),
        3: _one("trace_state", text),
        4: _one("parent_span_id", _id(8)),
        5: _one("name", text),
        6: _one("kind", signed32),
        7: _one("start_time_unix_nano", fixed64),
        8: _one("end_time_unix_nano", fixed64),
        9: _attribute,
        10: _one("dropped_attributes_count", unsigned32),
        11: _each("events", _event),
        12: _one("dropped_events_count", unsigned32),
        13: _each("links", _link),
        14: _one("dropped_links_count", unsigned32),
        15: _inner({2: _one("status_message", text), 3: _one("status_code", signed32)}),
        16: _one("flags", fixed32),
    },
)

_scope_spans = _message(
    ScopeSpans,
    {
        1: _inner(
            {
                1: _one("name", text),
                2: _one("version", text),
                3: _attribute,
                4: _one("dropped_attributes_count", unsigned32),
            }
        ),
        2: _each("spans", _span),
        3: _one("schema_url", text),
    },
)

_resource_spans = _message(
    ResourceSpans,
    {
        1: _inner({1: _attribute, 2: _one("dropped_attributes_count", unsigned32)}),
        2: _each("scopes", _scope_spans),
        3: _one("schema_url", text),
    },
)
