"""What every gRPC instrumentation must do, on both sides; a library's test module only says how to call and serve.

The service under test is generic, of bytes, so that no code has to be generated. ``unary`` and ``stream`` name the
request's kind first: ``unary_stream`` takes one message and answers three.
"""

from __future__ import annotations

import threading
import time
from concurrent import futures
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from opentelemetry import baggage, context, trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from remora.testing import CollectedPoint, CollectedSpan, Spans

SERVICE = "shop.Stock"
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
SERVER_ERRORS = ("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS")
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Outcome:
    """What a caller saw: the answers, or the name of the code and the details."""

    def __init__(self, answers: list[bytes], code: str = "OK", details: str | None = None) -> None:
        self.answers = answers
        self.code = code
        self.details = details


def eventually(spans: Spans, kind: str, count: int = 1, within_s: float = 3.0) -> list[CollectedSpan]:
    """Spans of a kind; the other side may have its answer a moment before a span ends."""
    patience = time.monotonic() + within_s
    while len(spans.of_kind(kind)) < count and time.monotonic() < patience:
        time.sleep(0.005)
    found = list(spans.of_kind(kind))
    assert len(found) == count, found
    return found


def measured(spans: Spans, name: str, count: int, within_s: float = 3.0) -> list[CollectedPoint]:
    """The points of a metric, those without a failure first; a call is measured a moment after its span has ended."""
    patience = time.monotonic() + within_s
    while len(spans.metrics.named(name)) < count and time.monotonic() < patience:
        time.sleep(0.005)
    found = sorted(spans.metrics.named(name), key=lambda point: "error.type" in point.attributes)
    assert len(found) == count, found
    return found


@contextmanager
def sampling() -> Iterator[list[dict[str, Any]]]:
    """What a sampler is shown of each new trace."""
    from remora import bootstrap

    engine = bootstrap.agent().assembly.engine  # type: ignore[union-attr]
    seen: list[dict[str, Any]] = []

    def sampler(span: object, frame: object, attributes: dict[str, Any], links: object) -> tuple[object, ...]:
        seen.append(dict(attributes))
        return True, True, attributes, ""

    before = engine.root_mode, engine.sampler
    engine.root_mode, engine.sampler = 3, sampler
    try:
        yield seen
    finally:
        engine.root_mode, engine.sampler = before


class Plain:
    """A server of gRPC's blocking kind that remembers the metadata it was sent; what it does is in the request."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.asked = threading.Event()

    def do(self, request: bytes, servicer_context: Any) -> bytes:
        self.seen.append(dict(servicer_context.invocation_metadata()))
        self.asked.set()
        word, _, rest = request.partition(b" ")
        if word == b"abort":
            servicer_context.abort(getattr(grpc.StatusCode, rest.decode()), "password=hunter2 is wrong")
        if word == b"set":
            servicer_context.set_code(getattr(grpc.StatusCode, rest.decode()))
            servicer_context.set_details("password=hunter2 is wrong")
        if word == b"raise":
            raise RuntimeError("password=hunter2 is wrong")
        if word == b"child":
            with trace.get_tracer("test").start_as_current_span("inside"):
                pass
        if word == b"sleep":
            time.sleep(float(rest))
        return request

    def answers(self, request: bytes, servicer_context: Any) -> Any:
        word = request.partition(b" ")[0]
        if word == b"early":
            raise RuntimeError("password=hunter2 is wrong")
        count = 10_000 if word == b"endless" else 3
        for number in range(count):
            if number == 1 or word not in (b"raise", b"abort"):
                self.do(request, servicer_context)
            if word == b"endless":
                time.sleep(0.01)
            yield b"%d" % number

    def handlers(self) -> dict[str, Any]:
        return {
            "unary_unary": grpc.unary_unary_rpc_method_handler(self.do),
            "unary_stream": grpc.unary_stream_rpc_method_handler(self.answers),
            "stream_unary": grpc.stream_unary_rpc_method_handler(
                lambda requests, servicer_context: self.do(list(requests)[-1], servicer_context)
            ),
            "stream_stream": grpc.stream_stream_rpc_method_handler(
                lambda requests, servicer_context: self.answers(list(requests)[-1], servicer_context)
            ),
        }


@contextmanager
def blocking_server(handlers: dict[str, Any], service: str = SERVICE, **options: Any) -> Iterator[int]:
    """gRPC's own blocking server, and the port it is at; gone when no handler runs any more."""
    with futures.ThreadPoolExecutor(8) as pool:
        server = grpc.server(pool, **options)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield port
        finally:
            server.stop(None).wait()


class GrpcServerContract:
    """Subclasses give ``serving()``, a context manager that yields the port."""

    knows_its_address = True

    def serving(self, **options: Any) -> AbstractContextManager[int]:
        raise NotImplementedError

    @pytest.fixture
    def port(self):
        with self.serving() as port:
            yield port

    @staticmethod
    def ask(
        port: int,
        request: bytes = b"hello",
        kind: str = "unary_unary",
        timeout: float = 5,
        method: str | None = None,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> Outcome:
        """By a client that is not traced."""
        token = context.attach(context.set_value("suppress_instrumentation", True))
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                callable_ = getattr(channel, kind)(f"/{SERVICE}/{method or kind}")
                sent = iter([request]) if kind.startswith("stream") else request
                try:
                    result = callable_(sent, timeout=timeout, metadata=metadata)
                    return Outcome(list(result) if kind.endswith("stream") else [result])
                except grpc.RpcError as error:
                    return Outcome([], error.code().name, error.details())
        finally:
            context.detach(token)

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_call_is_one_server_span_with_the_conventions_attributes(
        self, spans: Spans, port: int, kind: str
    ) -> None:
        assert len(self.ask(port, kind=kind).answers) == (3 if kind.endswith("stream") else 1)
        (span,) = eventually(spans, "SERVER")
        assert span.name == f"{SERVICE}/{kind}"
        expected = {
            "rpc.system.name": "grpc",
            "rpc.method": f"{SERVICE}/{kind}",
            "rpc.response.status_code": "OK",
            "network.peer.address": "127.0.0.1",
        }
        if self.knows_its_address:
            expected |= {"server.address": "127.0.0.1", "server.port": port}
        assert expected.items() <= span.attributes.items()
        assert isinstance(span.attributes["network.peer.port"], int)
        assert (span.status, span.events) == ("UNSET", [])
        assert "error.type" not in span.attributes

    @pytest.mark.parametrize("how", ["abort", "set"])
    @pytest.mark.parametrize("code", ["CANCELLED", "NOT_FOUND", "UNAUTHENTICATED", *SERVER_ERRORS])
    def test_only_codes_that_are_the_servers_fault_are_errors(
        self, spans: Spans, port: int, code: str, how: str
    ) -> None:
        assert self.ask(port, f"{how} {code}".encode()).code == code
        (span,) = eventually(spans, "SERVER")
        assert span.attributes["rpc.response.status_code"] == code
        if code in SERVER_ERRORS:
            assert (span.status, span.attributes["error.type"]) == ("ERROR", code)
            assert span.status_description == "password=REDACTED is wrong"
        else:
            assert span.status == "UNSET"
            assert "error.type" not in span.attributes
        assert span.events == []

    @pytest.mark.parametrize("kind", KINDS)
    def test_an_exception_is_unknown_and_reported_once_with_its_secrets_redacted(
        self, spans: Spans, port: int, kind: str
    ) -> None:
        outcome = self.ask(port, b"raise", kind)
        assert outcome.code == "UNKNOWN"
        assert outcome.details is not None
        assert "hunter2" in outcome.details
        (span,) = eventually(spans, "SERVER")
        assert (span.status, span.attributes["error.type"]) == ("ERROR", "UNKNOWN")
        assert [event.name for event in span.events] == ["exception"]
        assert "hunter2" not in repr([event.attributes for event in span.events]) + repr(span.status_description)

    @pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
    def test_a_stream_that_is_aborted_midway_has_the_status_it_was_aborted_with(
        self, spans: Spans, port: int, kind: str
    ) -> None:
        assert self.ask(port, b"abort DATA_LOSS", kind).code == "DATA_LOSS"
        (span,) = eventually(spans, "SERVER")
        assert (span.attributes["rpc.response.status_code"], span.status) == ("DATA_LOSS", "ERROR")
        assert span.events == []

    def test_the_duration_is_measured(self, spans: Spans, port: int) -> None:
        self.ask(port)
        self.ask(port, b"abort UNAVAILABLE")
        eventually(spans, "SERVER", 2)
        fine, failed = measured(spans, "rpc.server.call.duration", 2)
        assert fine.attributes == {
            "rpc.system.name": "grpc",
            "rpc.method": f"{SERVICE}/unary_unary",
            "rpc.response.status_code": "OK",
        }
        assert failed.attributes["error.type"] == failed.attributes["rpc.response.status_code"] == "UNAVAILABLE"

    def test_the_start_attributes_are_there_for_the_sampler(self, spans: Spans, port: int) -> None:
        with sampling() as seen:
            self.ask(port)
            eventually(spans, "SERVER")
        assert {"rpc.system.name", "rpc.method"} <= seen[0].keys()
        assert ("server.address" in seen[0]) is self.knows_its_address

    def test_an_unknown_method_is_kept_out_of_the_name(self, spans: Spans, port: int) -> None:
        assert self.ask(port, method="made-up-4711").code == "UNIMPLEMENTED"
        (span,) = eventually(spans, "SERVER")
        assert span.name == "grpc"
        assert span.attributes["rpc.method"] == "_OTHER"
        assert span.attributes["rpc.method_original"] == f"{SERVICE}/made-up-4711"
        assert span.attributes["error.type"] == "UNIMPLEMENTED"

    def test_the_callers_trace_goes_on(self, spans: Spans, port: int) -> None:
        self.ask(port, metadata=(("traceparent", PARENT), ("tracestate", "v=1")))
        (span,) = eventually(spans, "SERVER")
        assert (span.trace_id, span.parent_id) == (PARENT[3:35], PARENT[36:52])
        assert span.parent_is_remote
        assert span.tracestate == "v=1"

    def test_without_a_caller_each_call_is_a_trace_of_its_own(self, spans: Spans, port: int) -> None:
        self.ask(port)
        self.ask(port)
        first, second = eventually(spans, "SERVER", 2)
        assert first.trace_id != second.trace_id
        assert first.parent_id is second.parent_id is None

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_the_handler_does_is_inside(self, spans: Spans, port: int, kind: str) -> None:
        self.ask(port, b"child", kind)
        (span,) = eventually(spans, "SERVER")
        children = spans.children_of(span)
        assert {child.name for child in children} == {"inside"}
        assert len(children) == (3 if kind.endswith("stream") else 1)

    def test_a_call_past_its_deadline_is_an_error(self, spans: Spans, port: int) -> None:
        assert self.ask(port, b"sleep 0.4", timeout=0.1).code == "DEADLINE_EXCEEDED"
        (span,) = eventually(spans, "SERVER")
        assert span.attributes["rpc.response.status_code"] == "DEADLINE_EXCEEDED"
        assert (span.status, span.events) == ("ERROR", [])

    def test_a_stream_whose_client_goes_away_ends_without_an_error(self, spans: Spans, port: int) -> None:
        token = context.attach(context.set_value("suppress_instrumentation", True))
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stream = channel.unary_stream(f"/{SERVICE}/unary_stream")(b"endless", timeout=5)
                assert next(stream) == b"0"
                stream.cancel()
        finally:
            context.detach(token)
        (span,) = eventually(spans, "SERVER")
        assert span.attributes["rpc.response.status_code"] == "CANCELLED"
        assert (span.status, span.events) == ("UNSET", [])

    def test_many_calls_at_once_never_mix(self, spans: Spans, port: int) -> None:
        threads = [threading.Thread(target=self.ask, args=(port, b"child")) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        servers = eventually(spans, "SERVER", 20)
        assert all(len(spans.children_of(span)) == 1 for span in servers)
        assert len({span.trace_id for span in servers}) == 20


class GrpcClientContract:
    """Subclasses say how to make one call on a new channel; the server is a plain one, and is not looked at."""

    def call(
        self,
        target: str,
        request: bytes = b"hello",
        kind: str = "unary_unary",
        timeout: float | None = 5,
        metadata: Any = None,
    ) -> Outcome:
        raise NotImplementedError

    @pytest.fixture
    def service(self) -> Plain:
        return Plain()

    @pytest.fixture
    def port(self, service: Plain):
        with blocking_server(service.handlers()) as port:
            yield port

    @pytest.mark.parametrize("kind", KINDS)
    def test_one_call_is_one_client_span_with_the_conventions_attributes(
        self, spans: Spans, port: int, kind: str
    ) -> None:
        outcome = self.call(f"localhost:{port}", kind=kind)
        assert len(outcome.answers) == (3 if kind.endswith("stream") else 1)
        (span,) = eventually(spans, "CLIENT")
        assert span.name == f"{SERVICE}/{kind}"
        assert span.attributes == {
            "rpc.system.name": "grpc",
            "rpc.method": f"{SERVICE}/{kind}",
            "rpc.response.status_code": "OK",
            "server.address": "localhost",
            "server.port": port,
        }
        assert (span.status, span.events) == ("UNSET", [])

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_code_but_ok_is_an_error_with_its_details_redacted(self, spans: Spans, port: int, kind: str) -> None:
        outcome = self.call(f"127.0.0.1:{port}", b"abort NOT_FOUND", kind)
        assert (outcome.code, outcome.details) == ("NOT_FOUND", "password=hunter2 is wrong")
        (span,) = eventually(spans, "CLIENT")
        assert span.attributes["rpc.response.status_code"] == span.attributes["error.type"] == "NOT_FOUND"
        assert (span.status, span.status_description) == ("ERROR", "password=REDACTED is wrong")
        assert span.events == []

    def test_the_duration_is_measured(self, spans: Spans, port: int) -> None:
        self.call(f"127.0.0.1:{port}")
        self.call(f"127.0.0.1:{port}", b"abort NOT_FOUND")
        eventually(spans, "CLIENT", 2)
        fine, failed = measured(spans, "rpc.client.call.duration", 2)
        assert fine.attributes == {
            "rpc.system.name": "grpc",
            "rpc.method": f"{SERVICE}/unary_unary",
            "rpc.response.status_code": "OK",
            "server.address": "127.0.0.1",
            "server.port": port,
        }
        assert failed.attributes["error.type"] == failed.attributes["rpc.response.status_code"] == "NOT_FOUND"

    def test_the_start_attributes_are_there_for_the_sampler(self, spans: Spans, port: int) -> None:
        with sampling() as seen:
            self.call(f"127.0.0.1:{port}")
        assert {"rpc.system.name", "rpc.method", "server.address", "server.port"} == seen[0].keys()

    def test_a_server_that_is_not_there_is_unavailable(self, spans: Spans) -> None:
        assert self.call("127.0.0.1:1").code == "UNAVAILABLE"
        (span,) = eventually(spans, "CLIENT")
        assert (span.attributes["error.type"], span.status) == ("UNAVAILABLE", "ERROR")

    @pytest.mark.parametrize("kind", ["unary_unary", "unary_stream"])
    def test_a_call_past_its_deadline_is_an_error(self, spans: Spans, port: int, kind: str) -> None:
        assert self.call(f"127.0.0.1:{port}", b"sleep 1", kind, timeout=0.1).code == "DEADLINE_EXCEEDED"
        (span,) = eventually(spans, "CLIENT")
        assert span.attributes["error.type"] == "DEADLINE_EXCEEDED"

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_trace_travels_and_the_server_is_below(
        self, spans: Spans, port: int, service: Plain, kind: str
    ) -> None:
        with trace.get_tracer("test").start_as_current_span("around"):
            self.call(f"127.0.0.1:{port}", kind=kind)
        (client,), (server,) = eventually(spans, "CLIENT"), eventually(spans, "SERVER")
        (around,) = spans.named("around")
        assert (client.parent_id, server.parent_id) == (around.span_id, client.span_id)
        assert service.seen[-1]["traceparent"].startswith(f"00-{client.trace_id}-{client.span_id}-")

    def test_baggage_and_the_programs_own_metadata_travel_along(self, spans: Spans, port: int, service: Plain) -> None:
        mine = (("x-mine", "kept"), ("traceparent", PARENT))
        token = context.attach(baggage.set_baggage("user", "a b"))
        try:
            self.call(f"127.0.0.1:{port}", metadata=mine)
        finally:
            context.detach(token)
        (client,) = eventually(spans, "CLIENT")
        assert service.seen[-1]["baggage"] == "user=a%20b"
        assert service.seen[-1]["x-mine"] == "kept"
        assert client.span_id in service.seen[-1]["traceparent"]
        assert mine == (("x-mine", "kept"), ("traceparent", PARENT))

    def test_suppressed_instrumentation_is_respected(self, spans: Spans, port: int, service: Plain) -> None:
        token = context.attach(context.set_value("suppress_instrumentation", True))
        try:
            assert self.call(f"127.0.0.1:{port}").code == "OK"
        finally:
            context.detach(token)
        eventually(spans, "SERVER")
        assert spans.of_kind("CLIENT") == []
        assert "traceparent" not in service.seen[-1]
