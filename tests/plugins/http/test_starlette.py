"""Starlette"""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry import context, propagate, trace
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient

from plugins.http.own_provider import OwnProvider
from plugins.http.server_contract import PARENT, HttpServerContract
from plugins.http.threaded import serving_asgi


def tracer():
    return trace.get_tracer("contract")


async def index(request):
    return PlainTextResponse("ok")


async def item(request):
    return PlainTextResponse(str(request.path_params["number"]))


async def status(request):
    return PlainTextResponse("", request.path_params["number"])


async def boom(request):
    raise RuntimeError("password=hunter2")


async def child(request):
    with tracer().start_as_current_span("inside"):
        await asyncio.sleep(0)
    return PlainTextResponse("ok")


async def stream(request):
    async def chunks():
        for _ in range(3):
            with tracer().start_as_current_span("chunk"):
                await asyncio.sleep(0.011)
            yield "chunk"

    return StreamingResponse(chunks())


async def background(request):
    async def later():
        await asyncio.sleep(0.05)
        with tracer().start_as_current_span("later"):
            pass

    return PlainTextResponse("ok", background=BackgroundTask(later))


class Shelf(HTTPEndpoint):
    async def get(self, request):
        return PlainTextResponse("shelf")


async def echo(websocket):
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


ROUTES = [
    Route("/", index),
    Route("/items/{number:int}", item),
    Route("/status/{number:int}", status),
    Route("/boom", boom),
    Route("/child", child),
    Route("/stream", stream),
    Route("/background", background),
    Route("/shelf/{name}", Shelf),
    WebSocketRoute("/echo/{name}", echo),
    Mount("/sub/{tenant}", routes=[Route("/items/{number:int}", item)]),
    Mount("/app", app=Starlette(routes=[Route("/items/{number:int}", item)])),
]


def application():
    return Starlette(routes=ROUTES)


class TestStarlette(HttpServerContract):
    def serving(self):
        return serving_asgi(application())


def only(spans):
    (span,) = spans.of_kind("SERVER")
    return span


def test_mounts_and_mounted_applications_are_one_span_with_the_whole_route(spans):
    client = TestClient(application())
    client.get("/sub/a/items/3")
    assert only(spans).attributes["http.route"] == "/sub/{tenant}/items/{number}"
    spans.clear()
    client.get("/app/items/3")
    assert only(spans).attributes["http.route"] == "/app/items/{number}"


def test_class_based_endpoints_and_methods_not_allowed_have_their_route(spans):
    client = TestClient(application())
    assert client.get("/shelf/a").status_code == 200
    assert client.post("/shelf/a").status_code == 405
    assert [span.name for span in spans.of_kind("SERVER")] == ["GET /shelf/{name}", "POST /shelf/{name}"]


def test_a_background_task_is_inside_but_does_not_lengthen_the_request(spans):
    TestClient(application()).get("/background")
    span = only(spans)
    (later,) = spans.named("later")
    assert later.trace_id == span.trace_id
    assert span.end_ns <= later.start_ns


def test_a_websocket_is_one_span(spans):
    with TestClient(application()).websocket_connect("/echo/a") as websocket:
        websocket.send_text("x")
        assert websocket.receive_text() == "x"
    assert only(spans).name == "GET /echo/{name}"


def test_two_thousand_concurrent_requests_do_not_mix(spans):
    app = application()

    async def ask():
        messages = []

        async def receive():
            await asyncio.sleep(0)
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            await asyncio.sleep(0)
            messages.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/child",
            "headers": [],
            "query_string": b"",
            "scheme": "http",
        }
        await app(scope, receive, send)
        return messages[0]["status"]

    async def main():
        assert set(await asyncio.gather(*(ask() for _ in range(2000)))) == {200}

    asyncio.run(main())
    servers = spans.of_kind("SERVER")
    assert len(servers) == 2000
    parents = [span.parent_id for span in spans.named("inside")]
    assert len(set(parents)) == 2000
    assert set(parents) == {span.span_id for span in servers}


def with_native_telemetry(**settings):
    native = pytest.importorskip("starlette.middleware.opentelemetry", reason="from Starlette 1.8")
    return Starlette(routes=ROUTES, middleware=[Middleware(native.OpenTelemetryMiddleware, **settings)])


def test_starlettes_own_telemetry_adds_no_second_span(spans):
    TestClient(with_native_telemetry()).get("/items/3")
    inside = [(span.kind, span.name) for span in spans if span.kind != "CLIENT"]  # the test client is httpx
    assert inside == [("SERVER", "GET /items/{number}")]


def test_starlettes_own_telemetry_stays_as_it_is_where_it_has_a_provider_of_its_own(spans):
    own = OwnProvider()
    client = TestClient(with_native_telemetry(tracer_provider=own.provider))
    client.get("/items/3")
    assert own.names() == [("SERVER", "GET /items/{number}")]
    assert only(spans).name == "GET /items/{number}"


def test_middleware_that_joins_the_callers_trace_itself_makes_no_second_server_span(spans):
    class Joining:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            sent = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
            token = context.attach(propagate.extract(sent))
            try:
                await self.app(scope, receive, send)
            finally:
                context.detach(token)

    mounted = Starlette(routes=[Mount("/app", app=application())], middleware=[Middleware(Joining)])
    TestClient(mounted).get("/app/items/3", headers={"traceparent": PARENT})
    assert only(spans).name == "GET /app/items/{number}"
