"""Pyramid"""

from __future__ import annotations

import time
import warnings

import pytest
from opentelemetry import trace

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # WebOb imports cgi, Pyramid pkg_resources
    from pyramid.config import Configurator
    from pyramid.httpexceptions import HTTPForbidden
    from pyramid.request import Request
    from pyramid.response import Response

from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving

tracer = trace.get_tracer("contract")


def boom(request):
    raise RuntimeError("password=hunter2")


def child(request):
    with tracer.start_as_current_span("inside"):
        return Response("ok")


def stream(request):
    def chunks():
        for _ in range(3):
            with tracer.start_as_current_span("chunk"):
                time.sleep(0.01)
            yield b"chunk"

    return Response(app_iter=chunks())


def forbidden(request):
    raise HTTPForbidden


def outer(request):
    return request.invoke_subrequest(Request.blank("/items/8"))


VIEWS = {
    "/": lambda request: Response("ok"),
    "/items/{number}": lambda request: Response(request.matchdict["number"]),
    "/status/{number}": lambda request: Response(status=int(request.matchdict["number"])),
    "/boom": boom,
    "/child": child,
    "/stream": stream,
    "/forbidden": forbidden,
    "/outer/{number}": outer,
}


def configuration():
    config = Configurator()
    for pattern, view in VIEWS.items():
        config.add_route(pattern, pattern)
        config.add_view(view, route_name=pattern)
    return config


class TestPyramid(HttpServerContract):
    def serving(self):
        return serving(configuration().make_wsgi_app())

    def test_what_a_view_forbids_is_no_error(self, spans, port):
        assert self.ask(port, "/forbidden")[0] == 403
        span = self.only(spans)
        assert (span.status, span.events) == ("UNSET", [])


def answer(config, path):
    return Request.blank(path).get_response(config.make_wsgi_app())


def test_a_request_inside_a_request_keeps_the_outer_route(spans):
    assert answer(configuration(), "/outer/3").body == b"8"
    (span,) = spans.of_kind("SERVER")
    assert span.name == "GET /outer/{number}"


def test_routes_of_an_included_configuration_have_its_prefix(spans):
    config = configuration()

    def included(config):
        config.add_route("cup", "cups/{number:\\d+}")
        config.add_view(lambda request: Response("a cup"), route_name="cup")

    config.include(included, route_prefix="shop")
    assert answer(config, "/shop/cups/7").body == b"a cup"
    (span,) = spans.of_kind("SERVER")
    assert span.name == "GET /shop/cups/{number:\\d+}"


def test_an_exception_view_of_the_program_still_answers(spans):
    config = configuration()
    config.add_exception_view(lambda error, request: Response("handled"), context=RuntimeError)
    assert answer(config, "/boom").body == b"handled"
    (span,) = spans.of_kind("SERVER")
    assert (span.status, span.events) == ("UNSET", [])


def failing_tween(handler, registry):
    def tween(request):
        raise LookupError("password=hunter2")

    return tween


def test_an_exception_of_a_tween_is_reported_once(spans):
    config = configuration()
    config.add_tween(f"{__name__}.failing_tween")
    with pytest.raises(LookupError):
        answer(config, "/")
    (span,) = spans.of_kind("SERVER")
    assert [event.attributes["exception.type"] for event in span.events] == ["LookupError"]
    assert "hunter2" not in repr(span.events)
