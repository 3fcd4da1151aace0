"""FastAPI"""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.testclient import TestClient
from opentelemetry import trace

from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving_asgi


def tracer():
    return trace.get_tracer("contract")


def application():
    app = FastAPI()
    router = APIRouter(prefix="/routed")

    @app.get("/")
    async def index():
        return "ok"

    @app.get("/items/{number}")
    def item(number: int):
        return number

    @app.get("/status/{number}")
    async def status(number: int):
        return PlainTextResponse("", number)

    @app.get("/boom")
    async def boom():
        raise RuntimeError("password=hunter2")

    @app.get("/child")
    def child():
        with tracer().start_as_current_span("inside"):
            return "ok"

    @app.get("/stream")
    async def stream():
        async def chunks():
            for _ in range(3):
                with tracer().start_as_current_span("chunk"):
                    await asyncio.sleep(0.011)
                yield "chunk"

        return StreamingResponse(chunks())

    @router.get("/items/{number}")
    async def routed(number: int):
        return number

    app.include_router(router, prefix="/api")
    return app


class TestFastapi(HttpServerContract):
    def serving(self):
        return serving_asgi(application())


def test_fastapis_own_telemetry_adds_no_second_span(spans):
    assert TestClient(application()).get("/items/3").status_code == 200
    inside = [(span.kind, span.name) for span in spans if span.kind != "CLIENT"]  # the test client is httpx
    assert inside == [("SERVER", "GET /items/{number}")]


def test_an_included_router_has_the_whole_route(spans):
    TestClient(application()).get("/api/routed/items/3")
    assert [span.name for span in spans.of_kind("SERVER")] == ["GET /api/routed/items/{number}"]


def test_an_invalid_argument_is_no_error_and_has_its_route(spans):
    assert TestClient(application()).get("/items/none").status_code == 422
    (span,) = spans.of_kind("SERVER")
    assert (span.name, span.status) == ("GET /items/{number}", "UNSET")
