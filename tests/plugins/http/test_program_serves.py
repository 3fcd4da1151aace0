"""A SERVER span that the program makes before a framework or server does, as OpenTelemetry's WSGI middleware would"""

from __future__ import annotations

import asyncio

import flask
import pytest
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
tracer = trace.get_tracer("program")


class Middleware:
    """What such middleware does: a span of the request below the caller's, current while the application runs."""

    def __init__(self, application, provider=None):
        self.application = application
        self.tracer = provider.get_tracer("program") if provider is not None else tracer

    def __call__(self, environ, start_response):
        context = propagate.extract({"traceparent": environ.get("HTTP_TRACEPARENT", "")})
        with self.tracer.start_as_current_span("mine", context=context, kind=SpanKind.SERVER):
            return list(self.application(environ, start_response))


def flask_application():
    app = flask.Flask("shop")

    @app.get("/items/<int:number>")
    def item(number):
        with tracer.start_as_current_span("inside"):
            return str(number)

    return app


def ask(application, **headers):
    answers = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/items/7", "QUERY_STRING": "", "SERVER_NAME": "shop",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", **headers,
    }  # fmt: skip
    body = application(environ, lambda status, _: answers.append(status))
    assert (answers, b"".join(body)) == (["200 OK"], b"7")


@pytest.mark.parametrize("headers", [{}, {"HTTP_TRACEPARENT": PARENT}], ids=["no caller", "a caller"])
def test_there_is_one_server_span_and_the_frameworks_is_below_it(spans, headers):
    ask(Middleware(flask_application()), **headers)
    (mine,) = spans.of_kind("SERVER")
    (framework,) = spans.children_of(mine)
    (inside,) = spans.children_of(framework)
    assert (mine.name, framework.name, framework.kind) == ("mine", "GET /items/<int:number>", "INTERNAL")
    assert inside.name == "inside"
    assert framework.attributes["http.response.status_code"] == 200
    assert mine.parent_id == (PARENT[36:52] if headers else None)
    assert len({span.trace_id for span in spans}) == 1


def test_the_request_is_measured_all_the_same(spans):
    ask(Middleware(flask_application()))
    (point,) = spans.metrics.named("http.server.request.duration")
    assert (point.count, point.attributes["http.route"]) == (1, "/items/<int:number>")


def test_where_the_middlewares_span_goes_elsewhere_ours_is_the_server_span(spans):
    ask(Middleware(flask_application(), TracerProvider()))
    assert [span.name for span in spans.of_kind("SERVER")] == ["GET /items/<int:number>"]


def test_a_span_of_another_kind_around_a_request_changes_nothing(spans):
    with tracer.start_as_current_span("around"):
        ask(flask_application())
    (server,) = spans.of_kind("SERVER")
    assert server.name == "GET /items/<int:number>"


def test_a_server_span_that_has_ended_changes_nothing(spans):
    with tracer.start_as_current_span("mine", kind=SpanKind.SERVER) as mine:
        mine.end()
        ask(flask_application())
    assert sorted(span.name for span in spans.of_kind("SERVER")) == ["GET /items/<int:number>", "mine"]


def test_an_asgi_application_is_alike(spans):
    async def item(request):
        return PlainTextResponse("7")

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        pass

    async def serve():
        app = Starlette(routes=[Route("/items/{number}", item)])
        scope = {
            "type": "http", "method": "GET", "path": "/items/7", "headers": [], "query_string": b"", "scheme": "http",
        }  # fmt: skip
        with tracer.start_as_current_span("mine", kind=SpanKind.SERVER):
            await app(scope, receive, send)

    asyncio.run(serve())
    assert [span.name for span in spans.of_kind("SERVER")] == ["mine"]
    assert [span.name for span in spans.of_kind("INTERNAL")] == ["GET /items/{number}"]
