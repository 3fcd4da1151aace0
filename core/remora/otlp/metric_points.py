"""One data point to protobuf; field numbers are those of opentelemetry/proto/metrics/v1/metrics.proto.

Points are few (thousands a minute at most), so plain Python does. They may be ours or the SDK's: the same field names.
"""

from __future__ import annotations

import struct

from remora.otlp.attributes import attributes, number, sized, varint
from remora.telemetry.points import EXPONENTIAL, GAUGE, HISTOGRAM, SUM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_double = struct.Struct("<d").pack
_fixed64 = struct.Struct("<Q").pack
_signed64 = struct.Struct("<q").pack

_LEAST, _MOST = -0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF
_MASK = 0xFFFF_FFFF_FFFF_FFFF


def _moment(tag: bytes, time_unix_nano: int | None) -> bytes:
    return tag + _fixed64(time_unix_nano & _MASK) if time_unix_nano else b""


def _times(point: Any) -> bytes:
    return _moment(b"\x11", point.start_time_unix_nano) + _moment(b"\x19", point.time_unix_nano)


def _value(as_double: bytes, as_int: bytes, value: Any) -> bytes:
    """A value of either kind, there even when zero; what 64 bits cannot hold becomes a double."""
    if isinstance(value, int) and _LEAST <= value <= _MOST:
        return as_int + _signed64(value)
    return as_double + _double(float(value))


def _optional(tag: bytes, value: Any) -> bytes:
    return tag + _double(float(value)) if value is not None else b""


def _zigzag(value: int) -> int:
    return (value << 1) ^ (value >> 63)


def _kept(point: Any) -> Iterable[Any]:
    """The point's exemplars; those of the SDK before 1.28 have none."""
    return getattr(point, "exemplars", ())


def _exemplars(tag: bytes, exemplars: Iterable[Any]) -> bytes:
    encoded = []
    for one in exemplars:
        body = _moment(b"\x11", one.time_unix_nano) + _value(b"\x19", b"\x31", one.value)
        if one.span_id and one.trace_id:
            body += b"\x22\x08" + one.span_id.to_bytes(8, "big") + b"\x2a\x10" + one.trace_id.to_bytes(16, "big")
        encoded.append(sized(tag, body + attributes(b"\x3a", one.filtered_attributes)))
    return b"".join(encoded)


def _number(point: Any) -> bytes:
    return (
        _times(point)
        + _value(b"\x21", b"\x31", point.value)
        + _exemplars(b"\x2a", _kept(point))
        + attributes(b"\x3a", point.attributes)
    )


def _buckets(point: Any) -> bytes:
    counts = b"".join([_fixed64(count) for count in point.bucket_counts])
    bounds = b"".join([_double(bound) for bound in point.explicit_bounds])
    total = point.count
    return (
        _times(point)
        + (b"\x21" + _fixed64(total) if total else b"")
        + _optional(b"\x29", point.sum)
        + (sized(b"\x32", counts) if counts else b"")
        + (sized(b"\x3a", bounds) if bounds else b"")
        + _exemplars(b"\x42", _kept(point))
        + attributes(b"\x4a", point.attributes)
        # The SDK gives infinite extremes to a histogram that was not asked for any.
        + (_optional(b"\x59", point.min) + _optional(b"\x61", point.max) if total and point.min <= point.max else b"")
    )


def _exponential(point: Any) -> bytes:
    total = point.count
    return (
        attributes(b"\x0a", point.attributes)
        + _times(point)
        + (b"\x21" + _fixed64(total) if total else b"")
        + _optional(b"\x29", point.sum)
        + number(b"\x30", _zigzag(point.scale))
        + (b"\x39" + _fixed64(point.zero_count) if point.zero_count else b"")
        + sized(b"\x42", _side(point.positive))
        + sized(b"\x4a", _side(point.negative))
        + number(b"\x50", point.flags)
        + _exemplars(b"\x5a", _kept(point))
        + (_optional(b"\x61", point.min) + _optional(b"\x69", point.max) if total and point.min <= point.max else b"")
    )


def _side(buckets: Any) -> bytes:
    counts = b"".join([varint(count) for count in buckets.bucket_counts])
    return number(b"\x08", _zigzag(buckets.offset)) + (sized(b"\x12", counts) if counts else b"")


_encoders: dict[str, Callable[[Any], bytes]] = {
    GAUGE: _number,
    SUM: _number,
    HISTOGRAM: _buckets,
    EXPONENTIAL: _exponential,
}


def encode_point(kind: str, point: Any) -> bytes:
    """The point as one ``data_points`` field of its metric. Raises for what is no point of that kind."""
    return sized(b"\x0a", _encoders[kind](point))
