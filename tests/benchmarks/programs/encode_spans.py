"""Encodes finished spans: `encode_spans.py ENCODER COUNT`, ENCODER remora or opentelemetry, in batches of 512.

Prints CPU per span of the encoding alone; making the spans and sending the bytes is not in it.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time

from span_data import attribute_sets

BATCH = 512
SCOPE = ("shop", "1.0")
RESOURCE = {"service.name": "shop", "service.instance.id": "0f0c7d7e-7a3b-4c64-9d0f-1f4e3b0e2a11", "process.pid": 4711}


def with_remora(count):
    if os.environ.get("REMORA_PURE_PYTHON"):
        from remora import _pure

        _pure.install()  # as the bootstrap does where nothing is compiled
    from remora.otlp import traces
    from remora.telemetry.scope import Scope
    from remora.telemetry.spans_cy import Engine, Tracer

    ended = []
    engine = Engine()
    engine.deliver = ended.append
    _end_spans(Tracer(engine, Scope(*SCOPE)).start_span, count)
    batches = [ended[at : at + BATCH] for at in range(0, count, BATCH)]

    def encode():
        size_bytes = 0
        buffer = traces.TraceBuffer(RESOURCE)
        for batch in batches:
            for span in batch:
                buffer.append(span)
            while (taken := buffer.take(BATCH, 1 << 24)) is not None:
                size_bytes += len(taken.body())
        return size_bytes

    return encode, "compiled" if traces.COMPILED else "plain"


def with_opentelemetry(count):
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    ended = []

    class Keeping(SpanProcessor):
        def on_end(self, span):
            ended.append(span)

    provider = TracerProvider(resource=Resource(RESOURCE))
    provider.add_span_processor(Keeping())
    _end_spans(provider.get_tracer(*SCOPE).start_span, count)
    batches = [ended[at : at + BATCH] for at in range(0, count, BATCH)]
    return lambda: sum(len(encode_spans(batch).SerializeToString()) for batch in batches), "protobuf"


def _end_spans(start_span, count):
    for attributes in attribute_sets(0, count):
        start_span("GET", attributes=attributes).end()


def main(encoder, count):
    encode, kind = (with_remora if encoder == "remora" else with_opentelemetry)(count)
    gc.collect()
    gc.freeze()  # the collector is not to walk over what was only made to be encoded
    encode()
    begun_s = time.process_time()
    size_bytes = encode()
    cpu_us = (time.process_time() - begun_s) / count * 1e6
    print(json.dumps({"cpu_us": cpu_us, "bytes_per_span": size_bytes / count, "kind": kind}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
