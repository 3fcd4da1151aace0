"""What every HTTP server's instrumentation must do; a library's test class only says how to serve.

The application under test answers: ``/`` 200, ``/items/<number>`` 200 (a route with a parameter), ``/status/<number>``,
``/boom`` raises RuntimeError("password=hunter2"), ``/stream`` three chunks, ``/child`` a span of the program inside.
"""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from remora.testing import CollectedPoint, CollectedSpan, Spans

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class HttpServerContract:
    """Subclasses give ``serving()``, a context manager yielding the port, and say whether the library knows routes."""

    knows_routes = True
    reports_exceptions = True

    def serving(self) -> AbstractContextManager[int]:
        raise NotImplementedError

    @pytest.fixture
    def port(self):
        with self.serving() as port:
            yield port

    @staticmethod
    def ask(port: int, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """By a bare socket: the standard library's client would be traced itself, and be the parent."""
        sent = {"Host": f"127.0.0.1:{port}", **(headers or {})}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall("\r\n".join(lines).encode())
            answer = http.client.HTTPResponse(connection, method=method)
            answer.begin()
            with answer:
                return answer.status, answer.read()

    @staticmethod
    def only(spans: Spans, within_s: float = 2.0) -> CollectedSpan:
        """The one SERVER span; the client may have its answer a moment before the server's span ends."""
        import time

        patience = time.monotonic() + within_s
        while not spans.of_kind("SERVER") and time.monotonic() < patience:
            time.sleep(0.005)
        (span,) = spans.of_kind("SERVER")
        return span

    def test_one_request_is_one_server_span_with_the_stable_attributes(self, spans: Spans, port: int) -> None:
        status, _ = self.ask(port, "/items/7?a=1", headers={"User-Agent": "tester"})
        assert status == 200
        span = self.only(spans)
        expected = {
            "http.request.method": "GET",
            "url.path": "/items/7",
            "url.query": "a=1",
            "url.scheme": "http",
            "server.address": "127.0.0.1",
            "server.port": port,
            "client.address": "127.0.0.1",
            "network.peer.address": "127.0.0.1",
            "user_agent.original": "tester",
            "http.response.status_code": 200,
        }
        assert expected.items() <= span.attributes.items()
        assert span.attributes["network.protocol.version"] in ("1.0", "1.1")
        assert span.status == "UNSET"

    def test_the_name_is_the_route_and_never_the_path(self, spans: Spans, port: int) -> None:
        self.ask(port, "/items/7")
        span = self.only(spans)
        if self.knows_routes:
            route = span.attributes["http.route"]
            assert route.startswith("/items/")
            assert "7" not in route
            assert span.name == f"GET {route}"
        else:
            assert span.name == "GET"
            assert "http.route" not in span.attributes

    def test_a_path_without_a_route_is_only_called_by_its_method(self, spans: Spans, port: int) -> None:
        assert self.ask(port, "/nowhere/at/all")[0] == 404
        span = self.only(spans)
        assert span.name == "GET"
        assert "http.route" not in span.attributes
        assert span.status == "UNSET"
        assert "error.type" not in span.attributes

    def test_an_unknown_method_is_kept_out_of_the_name(self, spans: Spans, port: int) -> None:
        self.ask(port, "/", method="BREW")
        span = self.only(spans)
        assert span.name.split()[0] == "HTTP"
        assert span.attributes["http.request.method"] == "_OTHER"
        assert span.attributes["http.request.method_original"] == "BREW"

    def test_the_callers_trace_goes_on(self, spans: Spans, port: int) -> None:
        self.ask(port, "/", headers={"traceparent": PARENT, "tracestate": "v=1"})
        span = self.only(spans)
        assert span.trace_id == PARENT[3:35]
        assert span.parent_id == PARENT[36:52]
        assert span.parent_is_remote
        assert span.tracestate == "v=1"

    def test_without_a_caller_each_request_is_a_trace_of_its_own(self, spans: Spans, port: int) -> None:
        self.ask(port, "/")
        first = self.only(spans)
        spans.clear()
        self.ask(port, "/")
        assert self.only(spans).trace_id != first.trace_id
        assert first.parent_id is None

    def test_what_the_handler_does_is_inside(self, spans: Spans, port: int) -> None:
        self.ask(port, "/child")
        span = self.only(spans)
        assert [child.name for child in spans.children_of(span)] == ["inside"]

    def test_a_server_error_is_an_error_and_a_client_error_is_not(self, spans: Spans, port: int) -> None:
        self.ask(port, "/status/503")
        span = self.only(spans)
        assert (span.status, span.attributes["error.type"]) == ("ERROR", "503")
        spans.clear()
        self.ask(port, "/status/418")
        span = self.only(spans)
        assert span.status == "UNSET"
        assert span.attributes["http.response.status_code"] == 418

    def test_an_exception_is_reported_once_with_its_secrets_redacted(self, spans: Spans, port: int) -> None:
        assert self.ask(port, "/boom")[0] == 500
        span = self.only(spans)
        assert span.status == "ERROR"
        assert span.attributes["http.response.status_code"] == 500
        if self.reports_exceptions:
            assert span.attributes["error.type"] in ("500", "RuntimeError")
            assert [event.name for event in span.events] == ["exception"]
        seen = repr([(event.name, event.attributes) for event in span.events]) + repr(span.status_description)
        assert "hunter2" not in seen + repr(span.attributes)

    def test_secrets_in_the_query_are_redacted(self, spans: Spans, port: int) -> None:
        self.ask(port, "/?sig=hunter2&a=1&password=hunter2")
        span = self.only(spans)
        assert "hunter2" not in repr(span.attributes)
        assert "sig=REDACTED&a=1&" in span.attributes["url.query"]

    def test_a_proxys_headers_name_the_client_and_the_server(self, spans: Spans, port: int) -> None:
        forwarded = {"X-Forwarded-For": "203.0.113.9, 10.0.0.1", "X-Forwarded-Proto": "https", "Host": "shop.example"}
        self.ask(port, "/", headers=forwarded)
        span = self.only(spans)
        assert span.attributes["client.address"] == "203.0.113.9"
        assert span.attributes["url.scheme"] == "https"
        assert span.attributes["server.address"] == "shop.example"
        assert span.attributes["network.peer.address"] == "127.0.0.1"

    def test_a_streamed_answer_is_one_span_that_lasts_to_its_end(self, spans: Spans, port: int) -> None:
        assert self.ask(port, "/stream")[1] == b"chunkchunkchunk"
        span = self.only(spans)
        assert span.end_ns - span.start_ns >= 30_000_000
        assert [child.name for child in spans.children_of(span)] == ["chunk"] * 3

    def test_requests_one_after_the_other_and_at_once_do_not_mix(self, spans: Spans, port: int) -> None:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(4) as pool:
            assert all(status == 200 for status, _ in pool.map(lambda _: self.ask(port, "/child"), range(40)))
        import time

        patience = time.monotonic() + 2
        while len(spans.of_kind("SERVER")) < 40 and time.monotonic() < patience:
            time.sleep(0.005)
        servers = spans.of_kind("SERVER")
        assert len(servers) == 40
        assert all(len(spans.children_of(span)) == 1 for span in servers)
        assert all(span.parent_id is None for span in servers)

    @staticmethod
    def measured(spans: Spans, name: str, requests: int) -> CollectedPoint:
        """The one point of a metric, once the requests under way are over: a moment after their spans."""
        import time

        patience = time.monotonic() + 2
        while time.monotonic() < patience:
            points = spans.metrics.named("http.server.request.duration")
            under_way = sum(point.value or 0 for point in spans.metrics.named("http.server.active_requests"))
            if sum(point.count or 0 for point in points) >= requests and not under_way:
                break
            time.sleep(0.005)
        (point,) = spans.metrics.named(name)
        return point

    def test_a_requests_duration_is_measured_with_what_its_span_says(self, spans: Spans, port: int) -> None:
        self.ask(port, "/items/7")
        span = self.only(spans)
        point = self.measured(spans, "http.server.request.duration", 1)
        keys = {
            "http.request.method",
            "url.scheme",
            "http.response.status_code",
            "http.route",
            "network.protocol.version",
        }
        assert point.attributes == {key: span.attributes[key] for key in keys if key in span.attributes}
        assert {"http.request.method", "url.scheme", "http.response.status_code"} <= point.attributes.keys()
        assert (point.unit, point.count, sum(point.bucket_counts)) == ("s", 1, 1)
        assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)
        assert point.boundaries == (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)

    def test_the_duration_of_a_failed_request_says_how_it_failed(self, spans: Spans, port: int) -> None:
        self.ask(port, "/status/503")
        point = self.measured(spans, "http.server.request.duration", 1)
        assert (point.attributes["http.response.status_code"], point.attributes["error.type"]) == (503, "503")

    def test_requests_under_way_are_counted_up_and_down(self, spans: Spans, port: int) -> None:
        for path in ("/", "/status/503", "/stream"):
            self.ask(port, path)
        point = self.measured(spans, "http.server.active_requests", 3)
        assert (point.value, point.unit) == (0, "{request}")
        assert point.attributes == {"http.request.method": "GET", "url.scheme": "http"}
