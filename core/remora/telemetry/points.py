"""Collected metrics as the encoder takes them; fields are named as in the SDK, whose own points pass for these."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from remora.telemetry.scope import Scope

GAUGE, SUM, HISTOGRAM, EXPONENTIAL = "gauge", "sum", "histogram", "exponential histogram"


class Exemplar:
    """One measurement, with the span it was made in; ids are whole numbers, None for no span."""

    __slots__ = ("filtered_attributes", "span_id", "time_unix_nano", "trace_id", "value")

    def __init__(self, value: float, time_unix_nano: int, trace_id: int | None, span_id: int | None) -> None:
        self.filtered_attributes: Mapping[str, Any] = {}
        self.value = value
        self.time_unix_nano = time_unix_nano
        self.trace_id = trace_id
        self.span_id = span_id


class NumberPoint:
    """A sum or a last value."""

    __slots__ = ("attributes", "exemplars", "start_time_unix_nano", "time_unix_nano", "value")

    def __init__(
        self, attributes: Mapping[str, Any], start_time_unix_nano: int, time_unix_nano: int, value: float
    ) -> None:
        self.attributes = attributes
        self.start_time_unix_nano = start_time_unix_nano
        self.time_unix_nano = time_unix_nano
        self.value = value
        self.exemplars: list[Exemplar] = []


class BucketsPoint:
    """A histogram with explicit boundaries: one count more than there are boundaries."""

    __slots__ = (
        "attributes", "bucket_counts", "count", "exemplars", "explicit_bounds", "max", "min",
        "start_time_unix_nano", "sum", "time_unix_nano",
    )  # fmt: skip

    def __init__(
        self,
        attributes: Mapping[str, Any],
        start_time_unix_nano: int,
        time_unix_nano: int,
        *,
        count: int,
        total: float,
        least: float,
        most: float,
        bucket_counts: list[int],
        explicit_bounds: tuple[float, ...],
        exemplars: list[Exemplar],
    ) -> None:
        self.attributes = attributes
        self.start_time_unix_nano = start_time_unix_nano
        self.time_unix_nano = time_unix_nano
        self.count = count
        self.sum = total
        self.min = least
        self.max = most
        self.bucket_counts = bucket_counts
        self.explicit_bounds = explicit_bounds
        self.exemplars = exemplars


class Collected:
    """The points of one metric in one scope; ``points`` can be gone through once."""

    __slots__ = ("delta", "description", "kind", "monotonic", "name", "points", "scope", "unit")

    def __init__(
        self,
        scope: Scope,
        name: str,
        unit: str,
        description: str,
        kind: str,
        points: Iterable[Any],
        *,
        delta: bool = False,
        monotonic: bool = False,
    ) -> None:
        self.scope = scope
        self.name = name
        self.unit = unit
        self.description = description
        self.kind = kind
        self.points = points
        self.delta = delta
        self.monotonic = monotonic
