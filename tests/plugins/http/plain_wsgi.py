"""A WSGI application without a framework, for the servers' tests."""

from __future__ import annotations

import time

from opentelemetry import trace


def application(environ, start_response):
    """Answers as the server contract asks."""
    tracer = trace.get_tracer("contract")
    path = environ["PATH_INFO"]
    if path == "/boom":
        raise RuntimeError("password=hunter2")
    if path == "/child":
        with tracer.start_as_current_span("inside"):
            pass
    status = 200
    if path.startswith("/status/"):
        status = int(path.rpartition("/")[2])
    elif path.startswith("/nowhere"):
        status = 404
    start_response(f"{status} Told", [("Content-Type", "text/plain")])
    return _chunks(tracer) if path == "/stream" else [b"ok"]


def _chunks(tracer):
    for _ in range(3):
        with tracer.start_as_current_span("chunk"):
            time.sleep(0.011)
        yield b"chunk"
