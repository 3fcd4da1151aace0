"""gRPC's blocking client"""

from __future__ import annotations

import gc

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from plugins.rpc.contract import SERVICE, GrpcClientContract, Outcome, blocking_server, eventually
from support.processes import run_python


class TestGrpcClient(GrpcClientContract):
    def call(self, target, request=b"hello", kind="unary_unary", timeout=5, metadata=None):
        with grpc.insecure_channel(target) as channel:
            sent = iter([request]) if kind.startswith("stream") else request
            try:
                result = getattr(channel, kind)(f"/{SERVICE}/{kind}")(sent, timeout=timeout, metadata=metadata)
                return Outcome(list(result) if kind.endswith("stream") else [result])
            except grpc.RpcError as error:
                return Outcome([], error.code().name, error.details())

    @pytest.fixture
    def channel(self, port):
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel

    def test_with_call_returns_the_call_and_a_future_the_result(self, spans, channel):
        ask = channel.unary_unary(f"/{SERVICE}/unary_unary")
        response, call = ask.with_call(b"hello")
        assert (response, call.code()) == (b"hello", grpc.StatusCode.OK)
        future = ask.future(b"hello")
        assert isinstance(future, grpc.Future)
        assert isinstance(future, grpc.Call)
        assert future.result() == b"hello"
        assert len(eventually(spans, "CLIENT", 2)) == 2

    def test_the_channel_and_its_callables_are_grpcs_own(self, channel):
        assert isinstance(channel, grpc.Channel)
        assert type(channel).__module__ == "grpc._channel"
        assert isinstance(channel.unary_unary("/a/b"), grpc.UnaryUnaryMultiCallable)

    def test_a_cancelled_future_is_cancelled(self, spans, channel):
        future = channel.unary_unary(f"/{SERVICE}/unary_unary").future(b"sleep 0.3")
        future.cancel()
        (span,) = eventually(spans, "CLIENT")
        assert (span.attributes["error.type"], span.status) == ("CANCELLED", "ERROR")

    @pytest.mark.parametrize("single_threaded", [False, True])
    def test_a_stream_ends_with_its_last_message(self, spans, port, single_threaded):
        options = [("SingleThreadedUnaryStream", 1)] if single_threaded else []
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            stream = channel.unary_stream(f"/{SERVICE}/unary_stream")(b"hello")
            assert isinstance(stream, grpc.Call)
            assert next(stream) == b"0"
            assert spans.of_kind("CLIENT") == []
            assert list(stream) == [b"1", b"2"]
            (span,) = eventually(spans, "CLIENT")
        assert span.attributes["rpc.response.status_code"] == "OK"

    @pytest.mark.parametrize("single_threaded", [False, True])
    def test_a_stream_that_is_dropped_is_cancelled_at_once_as_without_us(self, spans, port, single_threaded):
        options = [("SingleThreadedUnaryStream", 1)] if single_threaded else []
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
            gc.disable()
            try:
                stream = channel.unary_stream(f"/{SERVICE}/unary_stream")(b"endless")
                next(stream)
                del stream
                (span,) = eventually(spans, "CLIENT")
            finally:
                gc.enable()
        assert span.attributes["rpc.response.status_code"] == "CANCELLED"

    def test_what_is_done_between_two_messages_is_not_inside(self, spans, channel):
        for _ in channel.unary_stream(f"/{SERVICE}/unary_stream")(b"hello"):
            with trace.get_tracer("test").start_as_current_span("between"):
                pass
        eventually(spans, "CLIENT")
        assert [span.parent_id for span in spans.named("between")] == [None] * 3

    def test_a_callback_of_a_later_call_is_not_inside_the_first(self, spans, channel):
        ask = channel.unary_unary(f"/{SERVICE}/unary_unary")
        with trace.get_tracer("test").start_as_current_span("first"):
            ask.future(b"hello").result()

        def after(_):
            trace.get_tracer("test").start_span("after").end()

        later = ask.future(b"hello")
        later.add_done_callback(after)
        later.result()
        eventually(spans, "CLIENT", 2)
        eventually(spans, "INTERNAL", 2)
        assert spans.named("after")[0].parent_id is None

    def test_the_programs_interceptors_stay_in_charge(self, spans, port, service):
        class Adding(grpc.UnaryUnaryClientInterceptor):
            def intercept_unary_unary(self, continuation, details, request):
                details = grpc_details(details, [("x-mine", "kept")])
                continuation(details, request).result()
                return continuation(details, request)

        with grpc.intercept_channel(grpc.insecure_channel(f"127.0.0.1:{port}"), Adding()) as channel:
            assert channel.unary_unary(f"/{SERVICE}/unary_unary")(b"hello") == b"hello"
        first, second = eventually(spans, "CLIENT", 2)
        assert [metadata["x-mine"] for metadata in service.seen] == ["kept", "kept"]
        assert [metadata["traceparent"][36:52] for metadata in service.seen] == [first.span_id, second.span_id]

    def test_a_closed_channel_is_the_programs_error(self, spans, port):
        channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        ask = channel.unary_unary(f"/{SERVICE}/unary_unary")
        channel.close()
        with pytest.raises(ValueError, match="closed channel"):
            ask(b"hello")
        (span,) = spans.of_kind("CLIENT")
        assert (span.attributes["error.type"], span.status) == ("ValueError", "ERROR")

    def test_messages_that_cannot_be_read_are_an_error(self, spans, channel):
        ask = channel.unary_unary(f"/{SERVICE}/unary_unary", response_deserializer=lambda _: 1 / 0)
        with pytest.raises(grpc.RpcError):
            ask(b"hello")
        (span,) = eventually(spans, "CLIENT")
        assert span.attributes["error.type"] == "INTERNAL"


def grpc_details(details, metadata):
    class Details(grpc.ClientCallDetails):
        method = details.method
        timeout = details.timeout
        credentials = details.credentials
        wait_for_ready = details.wait_for_ready
        compression = details.compression

    found = Details()
    found.metadata = [*(details.metadata or ()), *metadata]
    return found


def test_our_own_export_makes_no_spans():
    received = []

    def export(request, _):
        received.append(request)
        return b""

    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    handlers = {"Export": grpc.unary_unary_rpc_method_handler(export)}
    with blocking_server(handlers, service=service) as port:
        program = (
            "import grpc; from opentelemetry import trace\n"
            "for name in ('first', 'second'):\n"
            "    trace.get_tracer('mine').start_span(name).end()\n"
            "    trace.get_tracer_provider().force_flush()\n"
        )
        env = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
        finished = run_python(program, env=env)
    assert finished.exit_code == 0, finished.stderr
    names = [
        span.name
        for request in received
        for resource in ExportTraceServiceRequest.FromString(request).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert sorted(names) == ["first", "second"]
