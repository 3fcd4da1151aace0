"""Sends what waits, by the means of the agent that the program runs under."""

from __future__ import annotations


def flush_of(agent):
    """A function for `remora`, `opentelemetry` or `ddtrace`; one that does nothing for `plain`.

    Metrics leave with the spans, where they are on: Datadog's agent makes them of what it is sent.
    """
    if agent in {"remora", "opentelemetry"}:
        from opentelemetry import metrics, trace

        def flush():
            trace.get_tracer_provider().force_flush(60_000)
            force = getattr(metrics.get_meter_provider(), "force_flush", None)
            if force is not None:
                force(60_000)

        return flush
    if agent == "ddtrace":
        from ddtrace.trace import tracer

        return tracer.flush
    return lambda: None
