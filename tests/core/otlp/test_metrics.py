"""Metrics in OTLP: the reference decoder reads what was collected, and the SDK's points come out as by its exporter."""

from __future__ import annotations

import math
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from remora.otlp.metrics import MetricBuffer
from remora.telemetry.points import (
    EXPONENTIAL,
    GAUGE,
    HISTOGRAM,
    SUM,
    BucketsPoint,
    Collected,
    Exemplar,
    NumberPoint,
)
from remora.telemetry.scope import Scope
from remora.telemetry.sdk_metrics import _collected

SCOPE = Scope("remora.acme", "1.0", "https://acme/schema", {"edition": "gold"})
RESOURCE = {"service.name": "shop"}


def decoded(batch):
    request = ExportMetricsServiceRequest()
    request.ParseFromString(batch.body())
    return request


def encoded(*metrics):
    buffer = MetricBuffer(RESOURCE)
    assert buffer.extend(metrics)[1] == 0
    return decoded(buffer.take(1 << 30, 1 << 30))


def number(value, attributes=None, start=1, now=2):
    return NumberPoint(attributes or {}, start, now, value)


def gauge(*points):
    return Collected(SCOPE, "acme.level", "1", "How high.", GAUGE, list(points))


def buckets(counts, **changes):
    fields = {"count": sum(counts), "total": 1.5, "least": 0.5, "most": 1.0, "exemplars": []} | changes
    return BucketsPoint({}, 1, 2, bucket_counts=counts, explicit_bounds=tuple(range(len(counts) - 1)), **fields)


def values(point):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in point.attributes}


def test_resource_and_scope_stand_around_the_metrics_as_around_spans():
    request = encoded(gauge(number(1)))
    (resource,) = request.resource_metrics
    (scope,) = resource.scope_metrics
    assert [(pair.key, pair.value.string_value) for pair in resource.resource.attributes] == [("service.name", "shop")]
    assert (scope.scope.name, scope.scope.version, scope.schema_url) == ("remora.acme", "1.0", "https://acme/schema")
    (metric,) = scope.metrics
    assert (metric.name, metric.unit, metric.description) == ("acme.level", "1", "How high.")


@pytest.mark.parametrize(("delta", "monotonic", "temporality"), [(False, False, 2), (False, True, 2), (True, True, 1)])
def test_a_sum_says_whether_it_only_rises_and_from_when_it_counts(delta, monotonic, temporality):
    request = encoded(Collected(SCOPE, "a", "", "", SUM, [number(0)], delta=delta, monotonic=monotonic))
    data = request.resource_metrics[0].scope_metrics[0].metrics[0].sum
    assert (data.aggregation_temporality, data.is_monotonic) == (temporality, monotonic)
    (point,) = data.data_points
    assert (point.WhichOneof("value"), point.as_int) == ("as_int", 0)


def test_a_histogram_without_a_measurement_has_no_extremes():
    request = encoded(Collected(SCOPE, "a", "s", "", HISTOGRAM, [buckets([0, 0], least=math.inf, most=-math.inf)]))
    (point,) = request.resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points
    assert not point.HasField("min")
    assert not point.HasField("max")
    assert list(point.bucket_counts) == [0, 0]


def test_an_exemplar_names_its_span_where_there_was_one():
    exemplars = [Exemplar(0.5, 9, (1 << 100) + 5, 7), Exemplar(0.7, 8, None, None)]
    request = encoded(Collected(SCOPE, "a", "s", "", HISTOGRAM, [buckets([2], exemplars=exemplars)]))
    (point,) = request.resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points
    with_span, without = point.exemplars
    assert int.from_bytes(with_span.trace_id, "big") == (1 << 100) + 5
    assert (int.from_bytes(with_span.span_id, "big"), with_span.time_unix_nano, with_span.as_double) == (7, 9, 0.5)
    assert (without.trace_id, without.span_id, without.as_double) == (b"", b"", 0.7)


ANY_VALUE = st.one_of(st.text(max_size=20), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))
ATTRIBUTES = st.dictionaries(st.text(min_size=1, max_size=20), ANY_VALUE, max_size=5)
TIMES = st.integers(0, 2**64 - 1)


@given(
    attributes=ATTRIBUTES,
    start=TIMES,
    now=TIMES,
    counts=st.lists(st.integers(0, 2**62), min_size=1, max_size=32),
    total=st.floats(allow_nan=False),
    exemplar=st.tuples(st.floats(allow_nan=False), TIMES, st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1)),
)
def test_the_reference_decoder_reads_what_a_histogram_held(attributes, start, now, counts, total, exemplar):
    count = min(sum(counts), 2**64 - 1)
    point = BucketsPoint(
        attributes,
        start,
        now,
        count=count,
        total=total,
        least=0.25,
        most=8.0,
        bucket_counts=counts,
        explicit_bounds=tuple(float(bound) for bound in range(len(counts) - 1)),
        exemplars=[Exemplar(*exemplar)],
    )
    request = encoded(Collected(SCOPE, "a", "s", "", HISTOGRAM, [point]))
    (read,) = request.resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points
    as_sent = {key: _replaced(value) for key, value in attributes.items()}
    assert values(read) == {_replaced(key): value for key, value in as_sent.items()}
    assert (read.start_time_unix_nano, read.time_unix_nano) == (start, now)
    assert (read.count, list(read.bucket_counts), read.sum) == (count, counts, total)
    assert list(read.explicit_bounds) == [float(bound) for bound in range(len(counts) - 1)]
    assert (read.HasField("min"), read.min, read.max) == (count > 0, *((0.25, 8.0) if count else (0.0, 0.0)))
    assert (read.exemplars[0].as_double, read.exemplars[0].time_unix_nano) == exemplar[:2]
    assert int.from_bytes(read.exemplars[0].trace_id, "big") == exemplar[2]
    assert int.from_bytes(read.exemplars[0].span_id, "big") == exemplar[3]


def _replaced(value):
    """Lone surrogates, which UTF-8 does not have, become question marks."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


@given(value=st.one_of(st.integers(-(2**70), 2**70), st.floats(allow_nan=False)))
def test_the_reference_decoder_reads_every_number(value):
    (point,) = encoded(gauge(number(value))).resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        assert (point.WhichOneof("value"), point.as_int) == ("as_int", value)
    else:
        assert (point.WhichOneof("value"), point.as_double) == ("as_double", float(value))


def test_all_kinds_of_the_sdk_come_out_as_by_its_own_exporter():
    reader = InMemoryMetricReader()
    exponential = View(instrument_name="exponential", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], Resource(RESOURCE), shutdown_on_exit=False, views=[exponential])
    meter = provider.get_meter("program", "2.0", "https://program/schema")
    meter.create_counter("counter", "1", "Counts.").add(3, {"a": "b", "ok": True})
    meter.create_up_down_counter("level").add(-1.5)
    meter.create_histogram("histogram", "s").record(0.3, {"list": [1, 2]})
    for value in (0.0, 0.001, 5, 1e9):
        meter.create_histogram("exponential").record(value)
    meter.create_gauge("gauge").set(7)
    data = reader.get_metrics_data()
    expected = encode_metrics(data)
    metrics = [
        _collected(Scope("program", "2.0", "https://program/schema"), metric)
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
    ]
    assert {metric.kind for metric in metrics} == {GAUGE, SUM, HISTOGRAM, EXPONENTIAL}
    ours = encoded(*metrics)
    assert ours.resource_metrics[0].scope_metrics[0] == expected.resource_metrics[0].scope_metrics[0]


class PointOfAnOldSdk:
    """Before 1.28 points had no exemplars."""

    attributes: ClassVar = {"a": "b"}
    start_time_unix_nano = None
    time_unix_nano = 2
    value = 5


def test_a_point_of_an_sdk_that_knows_no_exemplars_is_encoded():
    (point,) = encoded(gauge(PointOfAnOldSdk())).resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points
    assert (point.as_int, point.time_unix_nano, point.start_time_unix_nano, values(point)) == (5, 2, 0, {"a": "b"})


def test_a_point_that_cannot_be_encoded_costs_itself_and_is_counted():
    buffer = MetricBuffer(RESOURCE)
    assert buffer.extend([gauge(number(1), number("many"), number(2))]) == (2, 1)
    batch = buffer.take(10, 1 << 20)
    data = decoded(batch).resource_metrics[0].scope_metrics[0].metrics[0].gauge
    assert [point.as_int for point in data.data_points] == [1, 2]


def _points(batch):
    return [
        point.as_int
        for resource in decoded(batch).resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.gauge.data_points
    ]


@pytest.mark.parametrize(("max_items", "max_bytes"), [(1, 1 << 20), (7, 1 << 20), (1 << 20, 1), (1 << 20, 100)])
def test_batches_hold_every_point_once_and_keep_the_limits(max_items, max_bytes):
    buffer = MetricBuffer(RESOURCE)
    buffer.extend([gauge(*map(number, range(10))), gauge(*map(number, range(10, 23)))])
    seen = []
    while (batch := buffer.take(max_items, max_bytes)) is not None:
        assert batch.items == len(_points(batch)) <= max_items
        assert batch.size_bytes <= max_bytes or batch.items == 1
        seen += _points(batch)
    assert seen == list(range(23))


def test_a_batch_that_is_too_large_is_halved_down_to_single_points():
    buffer = MetricBuffer(RESOURCE)
    buffer.extend([gauge(*map(number, range(3))), gauge(*map(number, range(3, 5)))])
    waiting, seen = [buffer.take(100, 1 << 20)], []
    while waiting:
        batch = waiting.pop(0)
        halves = batch.halves()
        if halves is None:
            seen += _points(batch)
        else:
            assert halves[0].items + halves[1].items == batch.items
            waiting = [*halves, *waiting]
    assert seen == list(range(5))


def test_encoding_many_points_lets_others_run_in_between():
    breaths = []
    buffer = MetricBuffer(RESOURCE, None, lambda: breaths.append(1))
    buffer.extend([gauge(*map(number, range(1000)))])
    assert len(breaths) == 10
