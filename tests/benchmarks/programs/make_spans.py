"""Makes spans: `make_spans.py TRACER COUNT RATE_PER_S MODE`; rate 0 is as fast as it goes.

MODE cpu: CPU of the process until all is flushed; attributes are made just before, as programs do, at nobody's charge.
MODE throughput: wall time until all is flushed; attributes were made beforehand.
MODE calls: each span call timed, a trace at a time, as requests come. Prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from array import array

from span_data import DIFFERENT, SPANS_PER_TRACE, attribute_sets

SETTLE_S = 1.2  # after the flush, so that the CPU of what goes on in the background is counted, too
AT_ONCE = 500  # spans between two pauses: a fraction of the stock queue of 2048


def through_opentelemetry(tracer_name):
    from opentelemetry import trace

    if tracer_name != "remora":
        from opentelemetry.sdk.trace import TracerProvider

        if tracer_name == "fastotel":
            from fastotel import OTLPSpanProcessor

            processor = OTLPSpanProcessor()
        else:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.trace.export import BatchSpanProcessor

            processor = BatchSpanProcessor(OTLPSpanExporter())
        provider = TracerProvider()
        provider.add_span_processor(processor)
        trace.set_tracer_provider(provider)
    start = trace.get_tracer("shop", "1.0").start_as_current_span
    server, client = trace.SpanKind.SERVER, trace.SpanKind.CLIENT

    def one_trace(attributes, first):
        with start("GET /api/v1/customers/{customer_id}/orders/{order_id}", kind=server, attributes=attributes[first]):
            for position in range(first + 1, first + SPANS_PER_TRACE):
                with start("GET", kind=client, attributes=attributes[position]):
                    pass

    def timed_trace(attributes, first, took):
        now = time.perf_counter_ns
        with start("GET /api/v1/customers/{customer_id}/orders/{order_id}", kind=server, attributes=attributes[first]):
            for position in range(first + 1, first + SPANS_PER_TRACE):
                begun = now()
                with start("GET", kind=client, attributes=attributes[position]):
                    pass
                took.append(now() - begun)

    return one_trace, timed_trace, lambda: trace.get_tracer_provider().force_flush(60_000)


def through_ddtrace(_):
    from ddtrace.trace import tracer

    def one_trace(attributes, first):
        with tracer.trace("web.request", resource="GET /orders/{order_id}", span_type="web") as span:
            span.set_tags(attributes[first])
            for position in range(first + 1, first + SPANS_PER_TRACE):
                with tracer.trace("http.request", resource="GET", span_type="http") as child:
                    child.set_tags(attributes[position])

    def timed_trace(attributes, first, took):
        now = time.perf_counter_ns
        with tracer.trace("web.request", resource="GET /orders/{order_id}", span_type="web") as span:
            span.set_tags(attributes[first])
            for position in range(first + 1, first + SPANS_PER_TRACE):
                begun = now()
                with tracer.trace("http.request", resource="GET", span_type="http") as child:
                    child.set_tags(attributes[position])
                took.append(now() - begun)

    return one_trace, timed_trace, tracer.flush


def through_nothing(_):
    """Plain Python of two or three microseconds, to see what the machine does to anything that short."""

    def one_trace(attributes, first):
        for _ in range(40 * SPANS_PER_TRACE):
            pass

    def timed_trace(attributes, first, took):
        now = time.perf_counter_ns
        for position in range(first + 1, first + SPANS_PER_TRACE):
            begun = now()
            for _ in range(40):
                pass
            attributes[position].copy()
            took.append(now() - begun)

    return one_trace, timed_trace, lambda: None


def main(tracer_name, count, rate_per_s, mode):
    through = {"ddtrace": through_ddtrace, "nothing": through_nothing}.get(tracer_name, through_opentelemetry)
    one_trace, timed_trace, flush = through(tracer_name)
    took = array("q")
    ready = attribute_sets() if mode == "throughput" else []
    # The first spans pay for threads, sockets and lazy imports; a service does so once.
    warm = attribute_sets(0, SPANS_PER_TRACE)
    for _ in range(20):
        one_trace(warm, 0)
    flush()

    burst = SPANS_PER_TRACE if mode == "calls" else AT_ONCE
    pause_s = burst / rate_per_s if rate_per_s else 0.0
    made = 0
    not_charged_s = 0.0
    cpu_s, begun_s = time.process_time(), time.perf_counter()
    due_s = begun_s
    while made < count:
        if ready:
            start = made % DIFFERENT
            attributes = ready
        else:
            before_s = time.thread_time()
            start = 0
            attributes = attribute_sets(made, burst)
            not_charged_s += time.thread_time() - before_s
        for first in range(start, start + burst, SPANS_PER_TRACE):
            if mode == "calls":
                timed_trace(attributes, first, took)
            else:
                one_trace(attributes, first)
        made += burst
        if pause_s:
            due_s += pause_s
            if (left_s := due_s - time.perf_counter()) > 0:
                time.sleep(left_s)
    making_s = time.perf_counter() - begun_s
    flush()
    wall_s = time.perf_counter() - begun_s
    time.sleep(SETTLE_S)
    cpu_s = time.process_time() - cpu_s - not_charged_s
    answer = {
        "made": made + 20 * SPANS_PER_TRACE,
        "timed": made,
        "cpu_us": cpu_s / made * 1e6,
        "wall_s": wall_s,
        "made_per_s": made / making_s,
    }
    if took:
        ordered = sorted(took)
        for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999)):
            answer[f"{name}_us"] = ordered[min(int(len(ordered) * share), len(ordered) - 1)] / 1000
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
