"""Falcon"""

from __future__ import annotations

import asyncio
import time

import falcon
import falcon.asgi
import pytest
from falcon import testing
from opentelemetry import trace

from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving, serving_asgi

tracer = trace.get_tracer("contract")


class Plain:
    def on_get(self, request, response):
        response.text = "ok"


class Item:
    def on_get(self, request, response, number):
        response.text = str(number)


class Status:
    def on_get(self, request, response, number):
        response.status = falcon.code_to_http_status(number)


class Boom:
    def on_get(self, request, response):
        raise RuntimeError("password=hunter2")


class Child:
    def on_get(self, request, response):
        with tracer.start_as_current_span("inside"):
            response.text = "ok"


class Stream:
    def on_get(self, request, response):
        def chunks():
            for _ in range(3):
                with tracer.start_as_current_span("chunk"):
                    time.sleep(0.01)
                yield b"chunk"

        response.stream = chunks()


class Refused:
    def on_get(self, request, response):
        raise falcon.HTTPForbidden(description="password=hunter2")


RESOURCES = {
    "/": Plain(),
    "/items/{number:int}": Item(),
    "/status/{number:int}": Status(),
    "/boom": Boom(),
    "/child": Child(),
    "/stream": Stream(),
    "/refused": Refused(),
}


def application():
    app = falcon.App()
    for template, resource in RESOURCES.items():
        app.add_route(template, resource)
    return app


class TestFalcon(HttpServerContract):
    def serving(self):
        return serving(application())

    def test_a_method_that_is_not_allowed_is_no_error_and_has_the_route(self, spans, port):
        assert self.ask(port, "/items/7", method="DELETE")[0] == 405
        span = self.only(spans)
        assert (span.name, span.status) == ("DELETE /items/{number:int}", "UNSET")

    def test_what_a_responder_refuses_is_no_error(self, spans, port):
        assert self.ask(port, "/refused")[0] == 403
        span = self.only(spans)
        assert (span.status, span.events) == ("UNSET", [])


class Coroutines:
    """The same resources for ``falcon.asgi``."""

    def __init__(self, resource):
        self.resource = resource

    async def on_get(self, request, response, **parameters):
        self.resource.on_get(request, response, **parameters)


class StreamAsync:
    async def on_get(self, request, response):
        async def chunks():
            for _ in range(3):
                with tracer.start_as_current_span("chunk"):
                    await asyncio.sleep(0.01)
                yield b"chunk"

        response.stream = chunks()


def asgi_application():
    app = falcon.asgi.App()
    for template, resource in RESOURCES.items():
        app.add_route(template, StreamAsync() if isinstance(resource, Stream) else Coroutines(resource))
    return app


class TestFalconAsgi(HttpServerContract):
    def serving(self):
        return serving_asgi(asgi_application())

    def test_an_exception_that_nothing_handles_is_told(self, spans, port):
        self.ask(port, "/boom")
        (event,) = self.only(spans).events
        assert event.attributes["exception.type"] == "RuntimeError"


def test_the_test_client_is_traced_alike(spans):
    assert testing.TestClient(application()).simulate_get("/items/3").status_code == 200
    (span,) = spans.of_kind("SERVER")
    assert span.name == "GET /items/{number:int}"


def test_a_sink_has_no_route(spans):
    app = falcon.App()
    app.add_sink(lambda request, response, **_: None, "/files")
    assert testing.TestClient(app).simulate_get("/files/of/anybody").status_code == 200
    (span,) = spans.of_kind("SERVER")
    assert span.name == "GET"


def test_an_error_handler_of_the_program_still_answers(spans):
    app = application()

    def handled(request, response, error, params):
        response.status = falcon.HTTP_200

    app.add_error_handler(RuntimeError, handled)
    assert testing.TestClient(app).simulate_get("/boom").status_code == 200
    (span,) = spans.of_kind("SERVER")
    assert (span.status, span.events) == ("UNSET", [])


@pytest.mark.parametrize("where", ["process_request", "process_resource", "process_response"])
def test_an_exception_of_a_middleware_is_reported_once(spans, where):
    def failing(*_):
        raise LookupError("password=hunter2")

    app = application()
    app.add_middleware(type("Middleware", (), {where: failing})())
    assert testing.TestClient(app).simulate_get("/").status_code == 500
    (span,) = spans.of_kind("SERVER")
    assert [event.attributes["exception.type"] for event in span.events] == ["LookupError"]
    assert "hunter2" not in repr(span.events)
