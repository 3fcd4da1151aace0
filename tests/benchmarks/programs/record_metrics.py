"""Measures durations: `record_metrics.py METER COUNT`, METER remora or opentelemetry, inside a sampled span.

Prints CPU per record() and, of the same points, per point collected and encoded. What is recorded is made beforehand.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time

BOUNDARIES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
KEYS = (
    "http.request.method",
    "url.scheme",
    "http.response.status_code",
    "http.route",
    "error.type",
    "network.protocol.name",
    "network.protocol.version",
)
ROUTES = [f"/api/v1/customers/{{customer_id}}/orders/{number}" for number in range(100)]
SECONDS = [0.0007 * 1.17**number for number in range(64)]


def _sets():
    return [
        ("GET", "https", 200 if number % 10 else 404, route, None, None, "1.1") for number, route in enumerate(ROUTES)
    ]


def with_remora():
    if os.environ.get("REMORA_PURE_PYTHON"):
        from remora import _pure

        _pure.install()  # as the bootstrap does where nothing is compiled
    from remora.otlp.metrics import MetricBuffer
    from remora.telemetry import metrics_cy
    from remora.telemetry.metering import Metering
    from remora.telemetry.scope import Scope
    from remora.telemetry.spans_cy import blank_span

    metering = Metering()
    histogram = metering.histogram(Scope("shop", "1.0"), "http.server.request.duration", "s", "", KEYS, BOUNDARIES)
    span = blank_span(flags=1, trace_hi=1, trace_lo=2, span_id=3, end_ns=time.time_ns())
    buffer = MetricBuffer({"service.name": "shop"})
    sets = _sets()

    def record(number):
        histogram.record(sets[number % 100], SECONDS[number % 64], span)

    def encode():
        points, _ = buffer.extend(metering.collect())
        return points, len(buffer.take(1 << 20, 1 << 30).body())

    return record, encode, "compiled" if metrics_cy.COMPILED else "plain"


def with_opentelemetry():
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
    from opentelemetry.sdk.trace import TracerProvider

    reader = InMemoryMetricReader()
    view = View(instrument_name="*", aggregation=ExplicitBucketHistogramAggregation(BOUNDARIES))
    meter = MeterProvider([reader], views=[view], shutdown_on_exit=False).get_meter("shop", "1.0")
    histogram = meter.create_histogram("http.server.request.duration", "s")
    span = TracerProvider(shutdown_on_exit=False).get_tracer("shop").start_span("GET")
    trace.use_span(span).__enter__()
    sets = [{key: value for key, value in zip(KEYS, each, strict=True) if value is not None} for each in _sets()]

    def record(number):
        histogram.record(SECONDS[number % 64], sets[number % 100])

    def encode():
        body = encode_metrics(reader.get_metrics_data()).SerializeToString()
        return len(sets), len(body)

    return record, encode, "sdk"


def _cpu_us(function, numbers):
    begun_s = time.thread_time()
    for number in numbers:
        function(number)
    return (time.thread_time() - begun_s) / len(numbers) * 1e6


def main(meter, count):
    record, encode, kind = (with_remora if meter == "remora" else with_opentelemetry)()
    gc.collect()
    gc.freeze()
    numbers = range(count)
    for number in range(1000):
        record(number)
    empty_us = min(_cpu_us(lambda number: None, numbers) for _ in range(3))
    record_us = min(_cpu_us(record, numbers) for _ in range(3)) - empty_us
    encode()
    begun_s = time.thread_time()
    points, size_bytes = encode()
    encode_us = (time.thread_time() - begun_s) / points * 1e6
    print(
        json.dumps(
            {"record_us": record_us, "encode_us": encode_us, "bytes_per_point": size_bytes / points, "kind": kind}
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
