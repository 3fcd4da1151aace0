"""The plugin's test: what does a call of the library look like?"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from acme.client import Connection, Request

from remora.testing import collect


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.traceparent = self.headers["traceparent"]  # type: ignore[attr-defined]
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_a_request_is_a_client_span_and_the_trace_travels() -> None:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.handle_request, daemon=True).start()
    with collect() as spans:
        Connection().send(Request("GET", f"http://127.0.0.1:{server.server_port}/cup"))
    server.server_close()
    (call,) = spans.of_kind("CLIENT")
    assert call.attributes["http.response.status_code"] == 404
    assert call.attributes["error.type"] == "404"
    assert call.span_id in server.traceparent  # type: ignore[attr-defined]
