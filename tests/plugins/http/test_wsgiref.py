"""wsgiref: any WSGI application"""

from __future__ import annotations

import io
import sys
import threading
import time
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from opentelemetry import trace

from plugins.http.server_contract import HttpServerContract


def application(environ, start_response):
    tracer = trace.get_tracer("contract")
    path = environ["PATH_INFO"]
    if path == "/boom":
        raise RuntimeError("password=hunter2")
    if path == "/child":
        with tracer.start_as_current_span("inside"):
            pass
    status = 200
    if path.startswith("/status/"):
        status = int(path.rpartition("/")[2])
    elif path.startswith("/nowhere"):
        status = 404
    start_response(f"{status} Whatever", [("Content-Type", "text/plain")])
    if path != "/stream":
        return [b"ok"]

    def chunks():
        for _ in range(3):
            with tracer.start_as_current_span("chunk"):
                time.sleep(0.01)
            yield b"chunk"

    return chunks()


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass

    def address_string(self):
        return self.client_address[0]


class Server(WSGIServer):
    def handle_error(self, *_):
        pass


class TestWsgiref(HttpServerContract):
    knows_routes = False

    @contextmanager
    def serving(self):
        server = make_server("127.0.0.1", 0, application, Server, Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def test_an_exception_the_application_answers_by_itself_is_reported_with_the_answer(spans):
    from wsgiref.handlers import SimpleHandler

    def answering(environ, start_response):
        try:
            {}["no such shop"]
        except LookupError:
            start_response("500 Broken", [], sys.exc_info())
        return [b"sorry"]

    environ = {"REQUEST_METHOD": "GET", "wsgi.url_scheme": "http", "PATH_INFO": "/", "SERVER_PROTOCOL": "HTTP/1.1"}
    SimpleHandler(io.BytesIO(), io.BytesIO(), io.StringIO(), environ).run(answering)
    (span,) = spans.of_kind("SERVER")
    assert span.attributes["error.type"] == "500"
    assert [event.attributes["exception.type"] for event in span.events] == ["KeyError"]
