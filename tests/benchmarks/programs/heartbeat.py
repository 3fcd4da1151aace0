"""A thread that wants to run every millisecond beside one that makes spans: `heartbeat.py TRACER RATE_PER_S SECONDS`.

Prints by how much it came late, in us. TRACER `plain` paces in the same way and makes nothing.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from array import array

from make_spans import through_opentelemetry
from span_data import SPANS_PER_TRACE, attribute_sets

BEAT_S = 0.001


def main(tracer_name, rate_per_s, seconds):
    attributes = attribute_sets()
    different = len(attributes)
    if tracer_name == "plain":
        one_trace, flush = (lambda attributes, first: None), (lambda: None)
    else:
        one_trace, _, flush = through_opentelemetry(tracer_name)
        one_trace(attributes, 0)
        flush()
    late = array("q")
    running = True

    def beat():
        now = time.perf_counter_ns
        while running:
            begun = now()
            time.sleep(BEAT_S)
            late.append(now() - begun - int(BEAT_S * 1e9))

    heart = threading.Thread(target=beat)
    heart.start()
    burst = max(SPANS_PER_TRACE, rate_per_s // 1000 // SPANS_PER_TRACE * SPANS_PER_TRACE)
    made = 0
    begun_s = due_s = time.perf_counter()
    while time.perf_counter() - begun_s < seconds:
        for first in range(made % different, made % different + burst, SPANS_PER_TRACE):
            one_trace(attributes, first)
        made += burst
        due_s += burst / rate_per_s
        left_s = due_s - time.perf_counter()
        if left_s > 0:
            time.sleep(left_s)
        else:
            due_s -= left_s  # what could not be done in time is not made up for
    took_s = time.perf_counter() - begun_s
    running = False
    heart.join()
    flush()
    ordered = sorted(late)
    answer = {"made": 0 if tracer_name == "plain" else made + SPANS_PER_TRACE, "beats": len(ordered)}
    answer["made_per_s"] = made / took_s
    for name, share in (("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1.0)):
        answer[f"{name}_us"] = ordered[min(int(len(ordered) * share), len(ordered) - 1)] / 1000
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
