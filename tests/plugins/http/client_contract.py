"""What every HTTP client's instrumentation must do; a library's test class only says how to send."""

from __future__ import annotations

import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from opentelemetry import baggage, context, trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import CollectedSpan, Spans


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.server.seen.append((self.command, self.path, dict(self.headers.items())))  # type: ignore[attr-defined]
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = int((re.findall(r"/status/(\d+)", self.path) or ["200"])[0])
        if self.path.startswith("/redirect"):
            status = 302
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/landed")
        self.send_header("Content-Length", "2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"ok")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_BREW = _answer

    def handle_one_request(self) -> None:
        """Untraced: this end stands for another process."""
        token = context.attach(context.set_value("suppress_instrumentation", True))
        try:
            super().handle_one_request()
        finally:
            context.detach(token)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Server:
    """A loopback HTTP server that remembers what it was asked: (method, path, headers)."""

    def __init__(self) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self._http.seen = self.seen  # type: ignore[attr-defined]
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def headers(self) -> dict[str, str]:
        """Of the last request, names in lower case."""
        return {name.lower(): value for name, value in self.seen[-1][2].items()}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


class HttpClientContract:
    """Subclasses say how to send one request without following redirects.

    ``send`` returns the status; it raises the library's own error when there is no connection.
    """

    follows_redirects = False

    def send(self, method: str, url: str, headers: dict[str, str] | None = None) -> int:
        raise NotImplementedError

    def follow(self, url: str) -> int:
        raise NotImplementedError

    @staticmethod
    def only(spans: Spans) -> CollectedSpan:
        (span,) = spans.of_kind("CLIENT")
        return span

    def test_one_request_is_one_client_span_with_the_stable_attributes(self, spans: Spans, server: Server) -> None:
        assert self.send("GET", server.url + "/path?q=1") == 200
        span = self.only(spans)
        assert span.name == "GET"
        assert span.status == "UNSET"
        expected = {
            "http.request.method": "GET",
            "server.address": "127.0.0.1",
            "server.port": server.port,
            "url.full": server.url + "/path?q=1",
            "http.response.status_code": 200,
        }
        assert expected.items() <= span.attributes.items()
        assert span.attributes["network.protocol.version"] == "1.1"
        assert "error.type" not in span.attributes

    def test_the_start_attributes_are_there_for_the_sampler(self, spans: Spans, server: Server) -> None:
        from remora import bootstrap

        engine = bootstrap.agent().assembly.engine  # type: ignore[union-attr]
        seen: list[dict[str, object]] = []

        def sampler(span: object, frame: object, attributes: dict[str, object], links: object) -> tuple[object, ...]:
            seen.append(dict(attributes))
            return True, True, attributes, ""

        before = engine.root_mode, engine.sampler
        engine.root_mode, engine.sampler = 3, sampler
        try:
            self.send("GET", server.url + "/")
        finally:
            engine.root_mode, engine.sampler = before
        assert {"http.request.method", "server.address", "server.port", "url.full"} <= set(seen[0])

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
    def test_the_span_is_called_by_its_method(self, spans: Spans, server: Server, method: str) -> None:
        self.send(method, server.url)
        assert self.only(spans).name == method

    def test_an_unknown_method_is_kept_out_of_the_name(self, spans: Spans, server: Server) -> None:
        self.send("BREW", server.url)
        span = self.only(spans)
        assert span.name == "HTTP"
        assert span.attributes["http.request.method"] == "_OTHER"
        assert span.attributes["http.request.method_original"] == "BREW"

    @pytest.mark.parametrize("status", [400, 404, 500, 503])
    def test_a_status_from_400_is_an_error_named_by_the_status(self, spans: Spans, server: Server, status: int) -> None:
        assert self.send("GET", f"{server.url}/status/{status}") == status
        span = self.only(spans)
        assert span.attributes["http.response.status_code"] == status
        assert span.attributes["error.type"] == str(status)
        assert (span.status, span.status_description) == ("ERROR", None)

    def test_a_refused_connection_is_an_error_and_the_librarys_exception_is_kept(self, spans: Spans) -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}/"
            with pytest.raises(Exception, match=r".") as raised:
                self.send("GET", url)
        span = self.only(spans)
        assert span.status == "ERROR"
        assert span.attributes["error.type"].rpartition(".")[2] == type(raised.value).__name__
        assert "http.response.status_code" not in span.attributes
        assert [event.name for event in span.events] == ["exception"]

    def test_the_trace_travels_in_traceparent(self, spans: Spans, server: Server) -> None:
        with trace.get_tracer("test").start_as_current_span("around"):
            self.send("GET", server.url)
        span = self.only(spans)
        (around,) = spans.named("around")
        assert span.parent_id == around.span_id
        assert server.headers()["traceparent"].startswith(f"00-{span.trace_id}-{span.span_id}-")

    def test_baggage_travels_along(self, spans: Spans, server: Server) -> None:
        token = context.attach(baggage.set_baggage("user", "a b"))
        try:
            self.send("GET", server.url)
        finally:
            context.detach(token)
        assert server.headers()["baggage"] == "user=a%20b"

    def test_the_programs_own_headers_arrive(self, spans: Spans, server: Server) -> None:
        self.send("GET", server.url, {"X-Mine": "kept"})
        assert server.headers()["x-mine"] == "kept"

    def test_secrets_in_the_url_are_redacted(self, spans: Spans, server: Server) -> None:
        self.send("GET", f"http://user:hunter2@127.0.0.1:{server.port}/x?sig=hunter2&a=1&api_key=hunter2")
        span = self.only(spans)
        assert "hunter2" not in repr(span.attributes)
        assert "sig=REDACTED&a=1&" in span.attributes["url.full"]
        assert "hunter2" in server.seen[-1][1]

    def test_each_hop_of_a_redirect_is_a_span_of_its_own(self, spans: Spans, server: Server) -> None:
        if not self.follows_redirects:
            assert self.send("GET", server.url + "/redirect") == 302
            assert len(spans.of_kind("CLIENT")) == 1
            return
        assert self.follow(server.url + "/redirect") == 200
        first, second = spans.of_kind("CLIENT")
        assert (first.attributes["http.response.status_code"], first.status) == (302, "UNSET")
        assert second.attributes["url.full"].endswith("/landed")

    def test_suppressed_instrumentation_is_respected(self, spans: Spans, server: Server) -> None:
        token = context.attach(context.set_value("suppress_instrumentation", True))
        try:
            assert self.send("GET", server.url) == 200
        finally:
            context.detach(token)
        assert spans == []
        assert "traceparent" not in server.headers()

    def test_a_requests_duration_is_measured_with_what_its_span_says(self, spans: Spans, server: Server) -> None:
        assert self.send("GET", server.url + "/status/404") == 404
        span = self.only(spans)
        (point,) = spans.metrics.named("http.client.request.duration")
        expected = {"http.request.method": "GET", "server.address": "127.0.0.1", "server.port": server.port}
        expected |= {"http.response.status_code": 404, "error.type": "404"}
        if version := span.attributes.get("network.protocol.version"):
            expected["network.protocol.version"] = version
        assert point.attributes == expected
        assert (point.unit, point.count, sum(point.bucket_counts)) == ("s", 1, 1)
        assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)
        assert point.boundaries == (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
