"""A library's own telemetry on a tracer provider that the program set: one trace of a request, not two"""

from __future__ import annotations

import json
import sys

import pytest

from support.processes import run
from support.receiver import Receiver

pytest.importorskip("fastapi.telemetry", reason="from FastAPI 0.145")
pytest.importorskip("starlette.middleware.opentelemetry", reason="from Starlette 1.8")

FASTAPI = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/items/{number}")
async def item(number: int):
    inside()
"""
STARLETTE = """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware
from starlette.responses import Response
from starlette.routing import Route

async def item(request):
    inside()
    return Response("ok")

app = Starlette(
    routes=[Route("/items/{number}", item)], middleware=[Middleware(OpenTelemetryMiddleware, **SETTINGS)]
)
"""
PROGRAM = """
import asyncio, json, sqlite3
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

kept = InMemorySpanExporter()
mine = TracerProvider()
mine.add_span_processor(SimpleSpanProcessor(kept))
SETTINGS = {}
GLOBAL
connection = sqlite3.connect(":memory:", check_same_thread=False)

def inside():
    with trace.get_tracer("program").start_as_current_span("inside"):
        connection.execute("SELECT 1")

APPLICATION

async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}

async def send(message):
    pass

for headers in HEADERS:
    scope = {
        "type": "http", "method": "GET", "path": "/items/3", "headers": headers, "query_string": b"",
        "scheme": "http", "http_version": "1.1", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 9),
    }
    asyncio.run(app(scope, receive, send))
print(json.dumps([
    [span.name, span.kind.name, f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}" if span.parent else ""]
    for span in kept.get_finished_spans()
]))
"""
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
FROM_CALLER = [(b"traceparent", f"00-{TRACE}-{SPAN}-01".encode())]


def asked(tmp_path, application, *requests, provider="trace.set_tracer_provider(mine)", **env):
    """What reached Remora, and what the program's own provider exported."""
    code = PROGRAM.replace("APPLICATION", application).replace("GLOBAL", provider)
    script = tmp_path / "program.py"
    script.write_text(code.replace("HEADERS", repr(list(requests))))
    with Receiver() as receiver:
        env = {**env, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
        done = run([sys.executable, script], env=env)
        assert (done.exit_code, done.stderr) == (0, ""), done.stderr
        return receiver.spans(), json.loads(done.stdout)


@pytest.mark.parametrize("application", [FASTAPI, STARLETTE], ids=["fastapi", "starlette"])
def test_without_a_caller_a_request_is_one_trace_with_one_server_span(tmp_path, application):
    ours, theirs = asked(tmp_path, application, [], [])
    servers = [span for span in ours if span["kind"] == "server"]
    assert [span["name"] for span in servers] == ["GET /items/{number}"] * 2
    assert all(span["parent_id"] == "" for span in servers)
    traces = {span["trace_id"] for span in servers}
    assert len(traces) == 2
    assert {span["trace_id"] for span in ours} == traces
    known = {span["span_id"] for span in ours}
    assert all(span["parent_id"] in known for span in ours if span["kind"] != "server")
    assert len([span for span in ours if span["name"] == "SELECT"]) == 2
    assert {trace_id for _, _, trace_id, _ in theirs} == traces
    assert [kind for _, kind, _, _ in theirs].count("SERVER") == 2


@pytest.mark.parametrize("application", [FASTAPI, STARLETTE], ids=["fastapi", "starlette"])
def test_what_a_caller_sent_still_counts(tmp_path, application):
    ours, theirs = asked(tmp_path, application, FROM_CALLER)
    assert {span["trace_id"] for span in ours} == {TRACE}
    assert len([span for span in ours if span["kind"] == "server"]) == 1
    (server,) = [row for row in theirs if row[1] == "SERVER"]
    assert server[2:] == [TRACE, SPAN]


def test_a_request_that_we_leave_out_is_theirs_as_before(tmp_path):
    _, theirs = asked(tmp_path, FASTAPI, [], REMORA_EXCLUDED_URLS="/items/*")
    (server,) = [row for row in theirs if row[1] == "SERVER"]
    assert server[3] == ""


def test_a_provider_that_only_the_library_has_is_left_alone(tmp_path):
    ours, theirs = asked(tmp_path, STARLETTE, [], provider='SETTINGS["tracer_provider"] = mine')
    (server,) = [row for row in theirs if row[1] == "SERVER"]
    assert server[3] == ""
    assert server[2] not in {span["trace_id"] for span in ours if span["kind"] == "server"}
