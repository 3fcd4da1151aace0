"""http.server, by itself"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import flask
import pytest
from opentelemetry import trace

from plugins.http.server_contract import HttpServerContract
from plugins.http.threaded import serving as serving_werkzeug
from support.processes import wait_until

tracer = trace.get_tracer("contract")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path == "/boom":
            raise RuntimeError("password=hunter2")
        if path == "/child":
            with tracer.start_as_current_span("inside"):
                pass
        elif path == "/endless":
            self.endless()
        status = int(path.rpartition("/")[2]) if path.startswith("/status/") else 200
        self.send_response(404 if path.startswith("/nowhere") else status)
        self.send_header("Content-Length", "15" if path == "/stream" else "2")
        self.end_headers()
        if path == "/stream":
            self.stream()
        else:
            self.wfile.write(b"ok")

    def stream(self):
        for _ in range(3):
            with tracer.start_as_current_span("chunk"):
                time.sleep(0.0101)
            self.wfile.write(b"chunk")

    def endless(self):
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"x" * 1000)
            time.sleep(0.001)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, *_):
        pass


class TestHttpServer(HttpServerContract):
    knows_routes = False

    @contextmanager
    def serving(self):
        server = Server(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def test_an_exception_is_reported_once_with_its_secrets_redacted(self, spans, port):
        with pytest.raises(http.client.RemoteDisconnected):  # the library has no page for it
            self.ask(port, "/boom")
        span = self.only(spans)
        assert (span.status, span.attributes["error.type"]) == ("ERROR", "RuntimeError")
        assert "http.response.status_code" not in span.attributes
        assert [event.name for event in span.events] == ["exception"]
        assert "hunter2" not in repr(span.events[0].attributes) + repr(span.status_description)

    def test_each_request_of_a_connection_is_a_trace_of_its_own_that_no_waiting_counts_to(self, spans, port):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            for _ in range(2):
                time.sleep(0.05)
                connection.sendall(b"GET /child HTTP/1.1\r\nHost: a\r\n\r\n")
                assert connection.recv(1000)
            wait_until("both ended", lambda: len(spans.of_kind("SERVER")) == 2)
        first, second = spans.of_kind("SERVER")
        assert first.trace_id != second.trace_id
        assert max(span.end_ns - span.start_ns for span in (first, second)) < 40_000_000

    def test_a_method_nobody_wrote_is_answered_by_the_library(self, spans, port):
        assert self.ask(port, "/", "DELETE")[0] == 501
        span = self.only(spans)
        assert (span.name, span.status, span.attributes["error.type"]) == ("DELETE", "ERROR", "501")

    def test_what_is_no_request_makes_no_span(self, spans, port):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"a b c d\r\n\r\n")
            assert b"400" in connection.recv(1000)
        self.ask(port, "/after")
        assert self.only(spans).attributes["url.path"] == "/after"

    def test_a_client_that_goes_away_is_no_error(self, spans, port):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(100)
        span = self.only(spans, 5)
        assert (span.status, span.events) == ("UNSET", [])
        assert "error.type" not in span.attributes


def test_werkzeugs_server_on_top_of_it_leaves_the_request_to_the_application(spans):
    app = flask.Flask("inner")
    app.add_url_rule("/items/<int:number>", view_func=lambda number: str(number))
    with serving_werkzeug(app) as port:
        assert HttpServerContract.ask(port, "/items/7") == (200, b"7")
        assert HttpServerContract.only(spans).name == "GET /items/<int:number>"
