"""Flask"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager

import flask
from opentelemetry import trace
from werkzeug.serving import make_server

from plugins.http.server_contract import HttpServerContract


def application():
    app = flask.Flask("contract")
    tracer = trace.get_tracer("contract")

    @app.route("/")
    def index():
        return "ok"

    @app.route("/items/<int:number>")
    def item(number):
        return str(number)

    @app.route("/status/<int:number>")
    def status(number):
        return "", number

    @app.route("/boom")
    def boom():
        raise RuntimeError("password=hunter2")

    @app.route("/child")
    def child():
        with tracer.start_as_current_span("inside"):
            return "ok"

    @app.route("/stream")
    def stream():
        def chunks():
            for _ in range(3):
                with tracer.start_as_current_span("chunk"):
                    time.sleep(0.01)
                yield "chunk"

        return flask.Response(chunks())

    return app


class TestFlask(HttpServerContract):
    @contextmanager
    def serving(self):
        server = make_server("127.0.0.1", 0, application(), threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def test_the_test_client_is_traced_alike(spans):
    assert application().test_client().get("/items/3").status_code == 200
    (span,) = spans.of_kind("SERVER")
    assert span.name == "GET /items/<int:number>"


def test_middleware_around_the_application_is_inside_the_span(spans):
    app = application()
    inner = app.wsgi_app

    def middleware(environ, start_response):
        with trace.get_tracer("contract").start_as_current_span("middleware"):
            return inner(environ, start_response)

    app.wsgi_app = middleware
    app.test_client().get("/")
    (server,) = spans.of_kind("SERVER")
    assert [span.name for span in spans.children_of(server)] == ["middleware"]


def test_an_application_mounted_in_another_is_still_one_server_span(spans):
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    outer, inner = application(), application()
    outer.wsgi_app = DispatcherMiddleware(outer.wsgi_app, {"/inner": inner})
    outer.test_client().get("/inner/items/3")
    (span,) = spans.of_kind("SERVER")
    assert span.attributes["url.path"] == "/inner/items/3"
    assert span.attributes["http.route"].endswith("/items/<int:number>")


def test_an_error_handler_of_the_program_still_answers(spans):
    app = application()

    @app.errorhandler(RuntimeError)
    def handled(error):
        return "handled", 200

    assert app.test_client().get("/boom").data == b"handled"
    (span,) = spans.of_kind("SERVER")
    assert span.status == "UNSET"
    assert span.events == []
