"""Bottle"""

from __future__ import annotations

import io
import time
from wsgiref.util import setup_testing_defaults

import bottle
import pytest
from opentelemetry import trace

from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving

tracer = trace.get_tracer("contract")


def application():
    app = bottle.Bottle()

    @app.route("/")
    def index():
        return "ok"

    @app.route("/items/<number:int>")
    def item(number):
        return str(number)

    @app.route("/status/<number:int>")
    def status(number):
        bottle.response.status = number

    @app.route("/boom")
    def boom():
        raise RuntimeError("password=hunter2")

    @app.route("/child")
    def child():
        with tracer.start_as_current_span("inside"):
            return "ok"

    @app.route("/stream")
    def stream():
        for _ in range(3):
            with tracer.start_as_current_span("chunk"):
                time.sleep(0.01)
            yield b"chunk"

    @app.route("/refused")
    def refused():
        raise bottle.HTTPError(403, exception=KeyError("password=hunter2"))

    return app


def answer(app, path, method="GET"):
    environ = {"PATH_INFO": path, "REQUEST_METHOD": method, "wsgi.errors": io.StringIO()}
    setup_testing_defaults(environ)
    return b"".join(app(environ, lambda *_: None))


class TestBottle(HttpServerContract):
    def serving(self):
        return serving(application())

    def test_a_method_that_is_not_allowed_is_no_error(self, spans, port):
        assert self.ask(port, "/items/7", method="DELETE")[0] == 405
        span = self.only(spans)
        assert (span.name, span.status) == ("DELETE", "UNSET")

    def test_what_a_handler_refuses_is_no_error(self, spans, port):
        assert self.ask(port, "/refused")[0] == 403
        span = self.only(spans)
        assert (span.status, span.events) == ("UNSET", [])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("prefix", ["/inner/", "/inner"])
def test_an_application_mounted_in_another_is_one_span_with_the_whole_route(spans, prefix):
    outer = bottle.Bottle()
    outer.mount(prefix, application())
    assert answer(outer, "/inner/items/3") == b"3"
    (span,) = spans.of_kind("SERVER")
    assert span.attributes["http.route"] == "/inner/items/<number:int>"


def test_any_wsgi_application_can_be_mounted(spans):
    def plain(environ, start_response):
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]

    outer = bottle.Bottle()
    outer.mount("/plain/", plain)
    assert answer(outer, "/plain/anything/at/all") == b"/anything/at/all"
    (span,) = spans.of_kind("SERVER")
    assert span.name == "GET /plain/<:re:.*>"


def test_an_exception_of_a_hook_is_reported_once(spans):
    app = application()

    @app.hook("before_request")
    def failing():
        raise LookupError("password=hunter2")

    answer(app, "/")
    (span,) = spans.of_kind("SERVER")
    assert [event.attributes["exception.type"] for event in span.events] == ["LookupError"]
    assert "hunter2" not in repr(span.events)


def test_an_exception_that_nothing_catches_reaches_the_server(spans):
    app = application()
    app.catchall = False
    with pytest.raises(RuntimeError):
        answer(app, "/boom")
    (span,) = spans.of_kind("SERVER")
    assert len(span.events) == 1
