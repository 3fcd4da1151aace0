"""Metrics are read from OTLP as the reference implementation reads them, whoever wrote them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from remora.otlp.decode_metrics import DecodeError, decode_metrics


def request():
    message = ExportMetricsServiceRequest()
    resource = message.resource_metrics.add()
    pair = resource.resource.attributes.add()
    pair.key, pair.value.string_value = "service.name", "shop"
    scope = resource.scope_metrics.add()
    scope.scope.name = "acme"
    return message, scope


def test_resource_scope_name_and_unit_are_read():
    message, scope = request()
    scope.metrics.add(name="acme.level", unit="By", description="How high.").gauge.data_points.add(as_int=-5)
    (metric,) = decode_metrics(message.SerializeToString())
    assert (metric.resource, metric.scope) == ({"service.name": "shop"}, "acme")
    assert (metric.name, metric.unit, metric.kind) == ("acme.level", "By", "gauge")
    assert metric.points[0].value == -5


@given(value=st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)), monotonic=st.booleans())
def test_every_number_of_a_sum_is_read(value, monotonic):
    message, scope = request()
    data = scope.metrics.add(name="a").sum
    data.is_monotonic = monotonic
    data.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    point = data.data_points.add(start_time_unix_nano=1, time_unix_nano=2)
    setattr(point, "as_int" if isinstance(value, int) else "as_double", value)
    (metric,) = decode_metrics(message.SerializeToString())
    assert (metric.kind, metric.monotonic, metric.delta) == ("sum", monotonic, True)
    assert (metric.points[0].value, metric.points[0].time_unix_nano) == (value, 2)


@given(counts=st.lists(st.integers(0, 2**64 - 1), max_size=9), bounds=st.lists(st.floats(allow_nan=False), max_size=8))
def test_every_histogram_is_read(counts, bounds):
    message, scope = request()
    point = scope.metrics.add(name="a").histogram.data_points.add(count=3, sum=1.5, min=0.25, max=1.0)
    point.bucket_counts.extend(counts)
    point.explicit_bounds.extend(bounds)
    (read,) = decode_metrics(message.SerializeToString())[0].points
    assert (read.count, read.sum, read.min, read.max) == (3, 1.5, 0.25, 1.0)
    assert (read.bucket_counts, read.explicit_bounds) == (counts, bounds)


def test_an_exponential_histogram_and_a_summary_are_read_as_far_as_they_are_alike():
    message, scope = request()
    point = scope.metrics.add(name="a").exponential_histogram.data_points.add(count=2, sum=3.0, min=1.0, max=2.0)
    point.attributes.add(key="color").value.string_value = "red"
    scope.metrics.add(name="b").summary.data_points.add(count=4, sum=5.0)
    first, second = decode_metrics(message.SerializeToString())
    assert (first.kind, first.points[0].attributes, first.points[0].max) == (
        "exponential histogram",
        {"color": "red"},
        2.0,
    )
    assert (second.kind, second.points[0].count, second.points[0].sum) == ("summary", 4, 5.0)


@given(junk=st.binary(max_size=60))
def test_what_is_no_metrics_is_refused_or_empty_and_never_anything_else(junk):
    try:
        decode_metrics(junk)
    except DecodeError:
        pass


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_a_request_cut_short_is_refused(cut):
    message, scope = request()
    scope.metrics.add(name="a").gauge.data_points.add(as_int=1)
    with pytest.raises(DecodeError):
        decode_metrics(message.SerializeToString()[:-cut])
