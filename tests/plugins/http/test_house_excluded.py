"""Requests that the settings exclude leave nothing behind: no span, none below them, and no sampled trace elsewhere."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import contextmanager

import fastapi
import flask
import httpx
import pytest
import requests
from opentelemetry import context, propagate, trace
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from plugins.http.client_contract import Server, server
from plugins.http.house_rules import ruled
from plugins.http.server_contract import PARENT, HttpServerContract
from plugins.http.threaded import serving, serving_asgi
from remora.telemetry import sampling
from remora.telemetry.spans_cy import Engine

__all__ = ["ruled", "server"]

ask = HttpServerContract.ask


def flask_application(elsewhere: str) -> flask.Flask:
    app = flask.Flask("house")

    def work():
        with trace.get_tracer("house").start_as_current_span("inside"), sqlite3.connect(":memory:") as connection:
            connection.execute("SELECT 1")
            requests.get(elsewhere, timeout=5)
            httpx.get(elsewhere, timeout=5)
        return "ok"

    app.route("/health/live", endpoint="live")(work)
    app.route("/orders", endpoint="orders")(work)

    @app.route("/stream")
    def stream():
        def chunks():
            for _ in range(3):
                with trace.get_tracer("house").start_as_current_span("chunk"):
                    yield "chunk"

        return flask.Response(chunks())

    return app


async def working(elsewhere: str) -> str:
    with trace.get_tracer("house").start_as_current_span("inside"):
        async with httpx.AsyncClient() as client:
            await client.get(elsewhere)
        await asyncio.to_thread(requests.get, elsewhere, timeout=5)
    return "ok"


def fastapi_application(elsewhere: str) -> fastapi.FastAPI:
    app = fastapi.FastAPI()

    async def work():
        return await working(elsewhere)

    app.get("/health/live")(work)
    app.get("/orders")(work)
    return app


def starlette_application(elsewhere: str) -> Starlette:
    async def work(_):
        return PlainTextResponse(await working(elsewhere))

    return Starlette(routes=[Route("/health/live", work), Route("/orders", work)])


@contextmanager
def flask_served(elsewhere):
    with serving(flask_application(elsewhere)) as port:
        yield port


@contextmanager
def fastapi_served(elsewhere):
    with serving_asgi(fastapi_application(elsewhere)) as port:
        yield port


@contextmanager
def starlette_served(elsewhere):
    with serving_asgi(starlette_application(elsewhere)) as port:
        yield port


FRAMEWORKS = {"FLASK": flask_served, "FASTAPI": fastapi_served, "STARLETTE": starlette_served}


def settled(spans):
    """The spans, once the server has surely ended its own: it may do so a moment after the client has the answer."""
    seen = -1
    while seen != len(spans):
        seen = len(spans)
        time.sleep(0.05)
    return spans


RULES = [
    {"REMORA_EXCLUDED_URLS": "/health/*"},
    {"REMORA_EXCLUDED_URLS": "/nothing,*/health/l?ve"},
    {"REMORA_EXCLUDED_URLS": "http://127.0.0.1:*/health/live"},
    {"OTEL_PYTHON_EXCLUDED_URLS": "metrics$,health"},
    {"OTEL_PYTHON_EXCLUDED_URLS": "/health/live$"},
]


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_probe_leaves_nothing_behind_and_the_next_request_is_traced(spans, ruled, server, framework, rule) -> None:
    with FRAMEWORKS[framework](server.url) as port:
        ruled(**rule)
        assert ask(port, "/health/live?deep=1")[0] == 200
        assert settled(spans) == []
        assert ask(port, "/orders")[0] == 200
    assert len(settled(spans).of_kind("SERVER")) == 1
    assert len(spans.of_kind("CLIENT")) >= 2
    assert len(spans.named("inside")) == 1


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_frameworks_own_list_counts_under_any_server(spans, ruled, server, framework) -> None:
    with FRAMEWORKS[framework](server.url) as port:
        ruled(**{f"OTEL_PYTHON_{framework}_EXCLUDED_URLS": "health"})
        ask(port, "/health/live")
        assert settled(spans) == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_services_that_an_excluded_request_calls_are_told_not_to_sample(spans, ruled, server, framework) -> None:
    with FRAMEWORKS[framework](server.url) as port:
        ruled(REMORA_EXCLUDED_URLS="/health/*")
        ask(port, "/health/live", headers={"traceparent": PARENT, "tracestate": "v=1", "baggage": "a=1"})
    assert len(server.seen) == 2
    for _, _, headers in server.seen:
        sent = {name.lower(): value for name, value in headers.items()}
        version, trace_id, span_id, flags = sent["traceparent"].split("-")
        assert (version, trace_id, flags) == ("00", PARENT[3:35], "00")
        assert span_id != PARENT[36:52]
        assert sent["tracestate"] == "v=1"
        assert sent["baggage"] == "a=1"


def test_nothing_is_recorded_below_it_though_the_sampler_keeps_everything(spans, ruled, server) -> None:
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    from remora import bootstrap

    engine: Engine = bootstrap.agent().assembly.engine  # type: ignore[union-attr]
    before = engine.root_mode, engine.child_mode, engine.sampler
    sampling.use(engine, ALWAYS_ON)
    try:
        with flask_served(server.url) as port:
            ruled(REMORA_EXCLUDED_URLS="/health/*")
            ask(port, "/health/live", headers={"traceparent": PARENT})
            assert settled(spans) == []
    finally:
        engine.root_mode, engine.child_mode, engine.sampler = before


def test_spans_of_a_streamed_response_are_dropped_too(spans, ruled, server) -> None:
    with flask_served(server.url) as port:
        ruled(REMORA_EXCLUDED_URLS="/stream")
        assert ask(port, "/stream")[1] == b"chunkchunkchunk"
        assert settled(spans) == []


def test_a_parent_that_the_program_extracts_by_itself_does_not_bring_its_spans_back(spans, ruled) -> None:
    app = flask.Flask("house")

    @app.route("/health")
    def health():
        caller = propagate.extract(dict(flask.request.headers))
        with trace.get_tracer("house").start_as_current_span("inside", context=caller):
            token = context.attach(caller)
            trace.get_tracer("house").start_span("further").end()
            context.detach(token)
        trace.get_tracer("house").start_span("apart", context=caller).end()
        return "ok"

    with serving(app) as port:
        ruled(REMORA_EXCLUDED_URLS="/health")
        ask(port, "/health", headers={"traceparent": PARENT})
        assert settled(spans) == []


def test_nothing_is_measured_of_it_nor_of_what_it_calls(spans, ruled, server) -> None:
    ruled(REMORA_EXCLUDED_URLS="/health/*")
    client = flask_application(server.url).test_client()
    client.get("/health/live")
    assert [metric.name for metric in spans.metrics] == []
    client.get("/orders")
    assert {"http.server.request.duration", "http.client.request.duration"} <= {item.name for item in spans.metrics}


def test_the_thread_is_left_as_it_was(spans, ruled, server) -> None:
    ruled(REMORA_EXCLUDED_URLS="/health/*")
    client = flask_application(server.url).test_client()
    client.get("/health/live")
    assert not trace.get_current_span().get_span_context().is_valid
    requests.get(server.url, timeout=5)
    assert [span.kind for span in spans] == ["CLIENT"]


def send_requests(url: str) -> int:
    return requests.get(url, timeout=5).status_code


def send_httpx(url: str) -> int:
    return httpx.get(url).status_code


async def send_httpx_async(url: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).status_code


CLIENTS = {
    "REQUESTS": send_requests,
    "HTTPX": send_httpx,
    "HTTPX ": lambda url: asyncio.run(send_httpx_async(url)),
}


@pytest.mark.parametrize("library", CLIENTS)
@pytest.mark.parametrize("rule", ["REMORA", "general", "own"])
def test_an_excluded_call_has_no_span_and_no_headers_and_neither_have_its_lower_layers(
    spans, ruled, server: Server, library, rule
) -> None:
    ruled(
        **{
            "REMORA": {"REMORA_EXCLUDED_URLS": "127.0.0.1:*/secret/*"},
            "general": {"OTEL_PYTHON_EXCLUDED_URLS": "secret/.*key"},
            "own": {f"OTEL_PYTHON_{library.strip()}_EXCLUDED_URLS": "secret"},
        }[rule]
    )
    with trace.get_tracer("house").start_as_current_span("around"):
        assert CLIENTS[library](server.url + "/secret/the-key") == 200
        assert "traceparent" not in server.headers()
        assert CLIENTS[library](server.url + "/open") == 200
    assert "traceparent" in server.headers()
    (sent,) = spans.of_kind("CLIENT")
    assert sent.attributes["url.full"].endswith("/open")
    assert sent.parent_id == spans.named("around")[0].span_id


def test_an_excluded_call_within_an_excluded_request_gets_no_headers_at_all(spans, ruled, server) -> None:
    with flask_served(server.url + "/secret") as port:
        ruled(REMORA_EXCLUDED_URLS="/health/*,/secret")
        ask(port, "/health/live")
    assert not any("traceparent" in {name.lower() for name in headers} for _, _, headers in server.seen)


def test_the_list_of_one_library_is_not_another_s(spans, ruled, server) -> None:
    ruled(OTEL_PYTHON_HTTPX_EXCLUDED_URLS="127", OTEL_PYTHON_DJANGO_EXCLUDED_URLS="127")
    requests.get(server.url, timeout=5)
    assert len(spans.of_kind("CLIENT")) == 1


def test_a_failing_call_that_is_excluded_raises_what_it_always_raised(spans, ruled) -> None:
    ruled(REMORA_EXCLUDED_URLS="*.invalid")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get("http://nowhere.invalid/", timeout=5)
    assert spans == []
