"""An ASGI application without a framework, for the servers' tests."""

from __future__ import annotations

import asyncio

from opentelemetry import trace


async def application(scope, receive, send):
    """Answers as the server contract asks."""
    if scope["type"] != "http":
        return
    tracer = trace.get_tracer("contract")
    path = scope["path"]
    if path == "/boom":
        raise RuntimeError("password=hunter2")
    if path == "/child":
        with tracer.start_as_current_span("inside"):
            await asyncio.sleep(0)
    status = 200
    if path.startswith("/status/"):
        status = int(path.rpartition("/")[2])
    elif path.startswith("/nowhere"):
        status = 404
    await send({"type": "http.response.start", "status": status, "headers": []})
    if path == "/stream":
        for _ in range(3):
            with tracer.start_as_current_span("chunk"):
                await asyncio.sleep(0.011)
            await send({"type": "http.response.body", "body": b"chunk", "more_body": True})
    await send({"type": "http.response.body", "body": b"" if path == "/stream" else b"ok", "more_body": False})
