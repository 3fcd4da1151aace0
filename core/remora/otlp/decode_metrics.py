"""OTLP metrics from protobuf: what the command line shows; strict, as the decoder of traces is."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

from remora.otlp.decode_attributes import read_attribute
from remora.otlp.wire import FIXED64, SIZED, DecodeError, boolean, double, expect, fields, fixed64, signed32, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.otlp.wire import Field

__all__ = ["DecodeError", "Metric", "Point", "decode_metrics"]

_KINDS = {5: "gauge", 7: "sum", 9: "histogram", 10: "exponential histogram", 11: "summary"}
# Which field holds what, per kind of point (opentelemetry/proto/metrics/v1/metrics.proto).
_ATTRIBUTES = {"gauge": 7, "sum": 7, "histogram": 9, "exponential histogram": 1, "summary": 7}
_EXTREMES = {"histogram": (11, 12), "exponential histogram": (12, 13)}


@dataclass(slots=True)
class Point:
    """One data point; ``value`` of a gauge or sum, the others of histograms. Times are Unix nanoseconds."""

    attributes: dict[str, Any] = field(default_factory=dict)
    start_time_unix_nano: int = 0
    time_unix_nano: int = 0
    value: float | None = None
    count: int = 0
    sum: float | None = None
    min: float | None = None
    max: float | None = None
    bucket_counts: list[int] = field(default_factory=list)
    explicit_bounds: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Metric:
    """A metric of one scope of one resource."""

    resource: dict[str, Any]
    scope: str
    name: str = ""
    unit: str = ""
    kind: str = ""
    delta: bool = False
    monotonic: bool = False
    points: list[Point] = field(default_factory=list)


def decode_metrics(body: bytes) -> list[Metric]:
    """The contents of an uncompressed ExportMetricsServiceRequest."""
    found: list[Metric] = []
    for resource_metrics in _messages(body, 0, len(body), 1):
        resource: dict[str, Any] = {}
        for part in _messages(body, *resource_metrics, 1):
            for inner in fields(body, *part):
                if inner[0] == 1:
                    read_attribute(body, inner, resource)
        for scope_metrics in _messages(body, *resource_metrics, 2):
            scope = ""
            for part in _messages(body, *scope_metrics, 1):
                for inner in fields(body, *part):
                    scope = text(body, inner) if inner[0] == 1 else scope
            found += [_metric(body, part, resource, scope) for part in _messages(body, *scope_metrics, 2)]
    return found


def _messages(body: bytes, start: int, end: int, number: int) -> Iterator[tuple[int, int]]:
    for inner in fields(body, start, end):
        if inner[0] == number:
            yield inner[2], expect(inner, SIZED)


def _metric(body: bytes, part: tuple[int, int], resource: dict[str, Any], scope: str) -> Metric:
    metric = Metric(resource, scope)
    for inner in fields(body, *part):
        if inner[0] == 1:
            metric.name = text(body, inner)
        elif inner[0] == 3:
            metric.unit = text(body, inner)
        elif inner[0] in _KINDS:
            metric.kind = _KINDS[inner[0]]
            for data in fields(body, inner[2], expect(inner, SIZED)):
                if data[0] == 1:
                    metric.points.append(_point(body, data, metric.kind))
                elif data[0] == 2:
                    metric.delta = signed32(body, data) == 1
                elif data[0] == 3:
                    metric.monotonic = boolean(body, data)
    return metric


def _point(body: bytes, part: Field, kind: str) -> Point:
    point = Point()
    least, most = _EXTREMES.get(kind, (0, 0))
    for inner in fields(body, part[2], expect(part, SIZED)):
        number = inner[0]
        if number == _ATTRIBUTES[kind]:
            read_attribute(body, inner, point.attributes)
        elif number == 2:
            point.start_time_unix_nano = fixed64(body, inner)
        elif number == 3:
            point.time_unix_nano = fixed64(body, inner)
        elif kind in {"gauge", "sum"}:
            if number == 4:
                point.value = double(body, inner)
            elif number == 6:
                value = fixed64(body, inner)
                point.value = value - (1 << 64) if value >> 63 else value
        elif number == 4:
            point.count = fixed64(body, inner)
        elif number == 5:
            point.sum = double(body, inner)
        elif number == least:
            point.min = double(body, inner)
        elif number == most:
            point.max = double(body, inner)
        elif kind == "histogram" and number == 6:
            point.bucket_counts += _packed(body, inner, "Q")
        elif kind == "histogram" and number == 7:
            point.explicit_bounds += _packed(body, inner, "d")
    return point


def _packed(body: bytes, part: Field, form: str) -> list[Any]:
    if part[1] == FIXED64:  # one by one, which decoders must take as well
        return list(struct.unpack(f"<{form}", body[part[2] : part[2] + 8]))
    end = expect(part, SIZED)
    if (end - part[2]) % 8:
        raise DecodeError("packed numbers cut short", part[2])
    return list(struct.unpack(f"<{(end - part[2]) // 8}{form}", body[part[2] : end]))
