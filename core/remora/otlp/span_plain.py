"""One span record to protobuf in plain Python; the compiled twin is ``span_c``."""

from __future__ import annotations

import struct

from remora.otlp.attributes import attributes, number, sized, text, varint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MASK64 = 0xFFFF_FFFF_FFFF_FFFF
_MASK32 = 0xFFFF_FFFF
_ids = struct.Struct(">HQQHQ").pack
_parent = struct.Struct(">HQ").pack
_fixed64 = struct.Struct("<BQ").pack
_times = struct.Struct("<BQBQ").pack
_STATUS = (b"\x7a\x00", b"\x7a\x02\x18\x01", b"\x7a\x02\x18\x02")
# Flags say whether "remote" is known (always) and whether it is so. The W3C flags stay out, as in the reference.
_FLAGS = (b"\x85\x01\x00\x01\x00\x00", b"\x85\x01\x00\x03\x00\x00")
_LINK_FLAGS = (b"\x35\x00\x01\x00\x00", b"\x35\x00\x03\x00\x00")

# Span names with their kind; names are meant to be few, and where they are not this is forgotten now and then.
_names: dict[tuple[str, int], bytes] = {}
_MOST_NAMES = 2048


def encode_span(span: Any) -> bytes:  # a Span, whose attributes' types only its .pxd tells
    """The span as one ``spans`` field of ScopeSpans."""
    name_kind = (span.span_name, span.kind_code)
    name = _names.get(name_kind)
    if name is None:
        name = _encode_name(*name_kind)
    parts = [_ids(0x0A10, span.trace_hi, span.trace_lo, 0x1208, span.span_id)]
    if span.tracestate != "":
        parts.append(text(b"\x1a", span.tracestate))
    if span.parent_id:
        parts.append(_parent(0x2208, span.parent_id))
    parts.append(name)
    if span.start_ns and span.end_ns:
        parts.append(_times(0x39, span.start_ns, 0x41, span.end_ns))
    else:
        parts.append(_time(0x39, span.start_ns) + _time(0x41, span.end_ns))
    if span.attribute_values:
        parts.append(attributes(b"\x4a", span.attribute_values))
    if span.dropped_attributes_count:
        parts.append(number(b"\x50", span.dropped_attributes_count))
    if span.event_records:
        parts += map(_encode_event, span.event_records)
    if span.dropped_events_count:
        parts.append(number(b"\x60", span.dropped_events_count))
    if span.link_records:
        parts += map(_encode_link, span.link_records)
    if span.dropped_links_count:
        parts.append(number(b"\x70", span.dropped_links_count))
    if span.status_message is None and 0 <= span.status_code <= 2:
        parts.append(_STATUS[span.status_code])
    else:
        parts.append(sized(b"\x7a", text(b"\x12", span.status_message or "") + number(b"\x18", span.status_code)))
    parts.append(_FLAGS[1 if span.parent_remote and span.parent_id else 0])
    content = b"".join(parts)
    return b"\x12" + varint(len(content)) + content


def _encode_name(name: str, kind_code: int) -> bytes:
    encoded = text(b"\x2a", name) + number(b"\x30", kind_code + 1)
    if len(_names) >= _MOST_NAMES:
        _names.clear()
    if len(name) <= 128:
        _names[name, kind_code] = encoded
    return encoded


def _time(tag: int, time_ns: int) -> bytes:
    return _fixed64(tag, time_ns) if time_ns else b""


def _encode_event(event: tuple[str, int, dict[str, Any] | None, int]) -> bytes:
    name, time_ns, values, dropped = event
    content = (
        _time(0x09, time_ns & _MASK64)
        + text(b"\x12", name)
        + attributes(b"\x1a", values)
        + number(b"\x20", dropped & _MASK32)
    )
    return b"\x5a" + varint(len(content)) + content


def _encode_link(link: tuple[int, int, int, bool, dict[str, Any] | None, int, int, str]) -> bytes:
    trace_hi, trace_lo, span_id, remote, values, dropped, _, _ = link
    content = (
        _ids(0x0A10, trace_hi & _MASK64, trace_lo & _MASK64, 0x1208, span_id & _MASK64)
        + attributes(b"\x22", values)
        + number(b"\x28", dropped & _MASK32)
        + _LINK_FLAGS[1 if remote else 0]
    )
    return b"\x6a" + varint(len(content)) + content
