"""OpenTelemetry's own ASGI middleware, added by hand"""

from __future__ import annotations

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from plugins.http.own_provider import OwnProvider
from plugins.http.plain_asgi import application as plain
from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving_asgi
from support.servers import missing

try:
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
except ModuleNotFoundError:
    OpenTelemetryMiddleware = None


def installed():
    if OpenTelemetryMiddleware is None:
        missing("opentelemetry-instrumentation-asgi is not installed here")


@pytest.fixture(autouse=True)
def _installed():
    installed()


async def item(request):
    return PlainTextResponse("ok")


def with_middleware(**settings):
    app = Starlette(routes=[Route("/items/{number:int}", item)])
    app.add_middleware(OpenTelemetryMiddleware, **settings)
    return app


def served(spans):
    """All but the span of the test client, which is httpx."""
    return [(span.kind, span.name) for span in spans if span.kind != "CLIENT"]


class TestAroundAPlainApplication(HttpServerContract):
    knows_routes = False

    def serving(self):
        installed()
        return serving_asgi(OpenTelemetryMiddleware(plain))


def test_inside_a_framework_a_request_is_one_span(spans):
    TestClient(with_middleware()).get("/items/3")
    assert served(spans) == [("SERVER", "GET /items/{number}")]


def test_around_a_framework_a_request_is_one_span(spans):
    app = OpenTelemetryMiddleware(Starlette(routes=[Route("/items/{number:int}", item)]))
    TestClient(app).get("/items/3")
    assert served(spans) == [("SERVER", "GET /items/{number}")]


def test_without_a_framework_or_a_server_a_request_is_one_span_too(spans):
    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        pass

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"", "scheme": "http"}
    asyncio.run(OpenTelemetryMiddleware(plain)(scope, receive, send))
    assert served(spans) == [("SERVER", "GET")]


def test_the_programs_own_hooks_are_called_and_there_is_still_one_server_span(spans):
    seen = []
    app = with_middleware(server_request_hook=lambda span, scope: seen.append(scope["path"]))
    TestClient(app).get("/items/3")
    assert seen == ["/items/3"]
    assert [span.name for span in spans.of_kind("SERVER")] == ["GET /items/{number}"]


def test_with_a_provider_of_its_own_it_is_left_alone(spans):
    own = OwnProvider()
    TestClient(with_middleware(tracer_provider=own.provider)).get("/items/3")
    assert own.names()
    assert served(spans) == [("SERVER", "GET /items/{number}")]
