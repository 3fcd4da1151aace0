"""Measures calls in bursts with pauses between, as much as the queue of the stock exporter can take without loss."""

from __future__ import annotations

import time
from statistics import median

AT_ONCE = 400  # spans between two pauses: a fraction of the stock queue of 2048
PACE_SPANS_PER_S = 2500


class Paced:
    """One measurement of ``count`` calls, of which each makes ``spans`` spans or so.

    Iterate over ``bursts``; note each call by ``took``, wait ``pause_s()`` behind each burst.
    """

    def __init__(self, count, spans):
        self._count = count
        self._burst = max(1, AT_ONCE // spans)
        self._pause_s = self._burst * spans / PACE_SPANS_PER_S
        self._wall_ns = []
        self._thread_ns = []
        self._cpu_s, self._due_s = time.process_time(), time.perf_counter()

    def bursts(self):
        for first in range(0, self._count, self._burst):
            yield min(self._burst, self._count - first)

    def took(self, wall_ns, thread_ns):
        self._wall_ns.append(time.perf_counter_ns() - wall_ns)
        self._thread_ns.append(time.thread_time_ns() - thread_ns)

    def pause_s(self):
        self._due_s += self._pause_s
        return max(0.0, self._due_s - time.perf_counter())

    def result(self, flush, settle_s):
        """Per call, in us: CPU of the process until all is sent, medians of the caller's CPU and of its time."""
        flush()
        time.sleep(settle_s)
        return {
            "cpu_us": (time.process_time() - self._cpu_s) / self._count * 1e6,
            "caller_us": median(self._thread_ns) / 1000,
            "latency_us": median(self._wall_ns) / 1000,
        }


def measured(call, prepare, count, flush, settle_s, spans=1):
    """``call`` is given what ``prepare`` makes at nobody's charge."""
    paced = Paced(count, spans)
    for burst in paced.bursts():
        for _ in range(burst):
            prepared = prepare()
            thread_ns, wall_ns = time.thread_time_ns(), time.perf_counter_ns()
            call(prepared)
            paced.took(wall_ns, thread_ns)
        time.sleep(paced.pause_s())
    return paced.result(flush, settle_s)
