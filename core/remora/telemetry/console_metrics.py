"""OTEL_METRICS_EXPORTER=console: each collection is printed as the SDK prints it (imports the SDK)."""

from __future__ import annotations

import sys

from remora.telemetry.points import HISTOGRAM, SUM, BucketsPoint, NumberPoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from remora.telemetry.points import Collected
    from remora.telemetry.resource import Resource


def print_metrics(metrics: Iterable[Collected], resource: Resource) -> list[Collected]:
    """Prints the metrics as one JSON document and returns them, their points in lists."""
    from opentelemetry.sdk.metrics import export
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    kept = list(metrics)
    scopes: dict[Any, list[Any]] = {}
    for metric in kept:
        metric.points = list(metric.points)
        scopes.setdefault(metric.scope, []).append(_metric(export, metric))
    if not scopes:
        return kept
    scoped = [
        export.ScopeMetrics(
            InstrumentationScope(scope.name, scope.version, scope.schema_url, scope.attributes),
            made,
            scope.schema_url or "",
        )
        for scope, made in scopes.items()
    ]
    document = export.MetricsData([export.ResourceMetrics(resource.sdk(), scoped, resource.schema_url or "")])
    sys.stdout.write(document.to_json() + "\n")
    sys.stdout.flush()
    return kept


def _metric(export: Any, metric: Collected) -> Any:
    points = [_point(export, point) for point in metric.points]
    temporality = export.AggregationTemporality.DELTA if metric.delta else export.AggregationTemporality.CUMULATIVE
    data: Any
    if metric.kind == SUM:
        data = export.Sum(points, temporality, metric.monotonic)
    elif metric.kind == HISTOGRAM:
        data = export.Histogram(points, temporality)
    elif points and hasattr(points[0], "scale"):
        data = export.ExponentialHistogram(points, temporality)
    else:
        data = export.Gauge(points)
    return export.Metric(metric.name, metric.description, metric.unit, data)


def _point(export: Any, point: Any) -> Any:
    if isinstance(point, NumberPoint):
        return export.NumberDataPoint(point.attributes, point.start_time_unix_nano, point.time_unix_nano, point.value)
    if isinstance(point, BucketsPoint):
        return export.HistogramDataPoint(
            point.attributes, point.start_time_unix_nano, point.time_unix_nano, point.count, point.sum,
            point.bucket_counts, list(point.explicit_bounds), point.min, point.max,
        )  # fmt: skip
    return point  # the SDK's own
