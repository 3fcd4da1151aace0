"""gRPC's blocking server"""

from __future__ import annotations

import grpc
import pytest
from opentelemetry import trace

from plugins.rpc.contract import SERVICE, GrpcServerContract, Plain, blocking_server, eventually


class TestGrpcServer(GrpcServerContract):
    def serving(self, **options):
        return blocking_server(Plain().handlers(), **options)

    @pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
    def test_a_handler_that_is_no_generator_may_fail_before_the_first_answer(self, spans, kind):
        def failing(request, context):
            raise RuntimeError("early")

        handler = getattr(grpc, f"{kind}_rpc_method_handler")(failing)
        with blocking_server({kind: handler}) as port:
            assert self.ask(port, kind=kind).code == "UNKNOWN"
        (span,) = eventually(spans, "SERVER")
        assert span.attributes["error.type"] == "UNKNOWN"

    def test_the_programs_interceptors_are_still_there(self, spans):
        seen = []

        class Seeing(grpc.ServerInterceptor):
            def intercept_service(self, continuation, details):
                seen.append(details.method)
                return continuation(details)

        with self.serving(interceptors=(Seeing(),)) as port:
            assert self.ask(port).code == "OK"
        assert seen == [f"/{SERVICE}/unary_unary"]
        assert len(eventually(spans, "SERVER")) == 1

    def test_a_server_that_was_started_inside_a_span_serves_outside_of_it(self, spans):
        with trace.get_tracer("test").start_as_current_span("starting"), self.serving() as port:
            self.ask(port)
            (span,) = eventually(spans, "SERVER")
        assert span.parent_id is None

    def test_a_call_from_within_a_handler_is_below_it(self, spans):
        with self.serving() as behind:

            def passing_on(request, context):
                with grpc.insecure_channel(f"127.0.0.1:{behind}") as channel:
                    return channel.unary_unary(f"/{SERVICE}/unary_unary")(request)

            with blocking_server({"unary_unary": grpc.unary_unary_rpc_method_handler(passing_on)}) as port:
                self.ask(port)
                (client,) = eventually(spans, "CLIENT")
                inner, outer = eventually(spans, "SERVER", 2)
        assert (client.parent_id, inner.parent_id) == (outer.span_id, client.span_id)

    @pytest.mark.parametrize("kind", ["unary_unary", "unary_stream"])
    def test_an_answer_that_cannot_be_sent_is_an_error(self, spans, kind):
        answer = "password=hunter2 is text"

        def handle(request, context):
            return iter([answer]) if kind == "unary_stream" else answer

        handler = getattr(grpc, f"{kind}_rpc_method_handler")(handle, response_serializer=bytes.hex)
        with blocking_server({kind: handler}) as port:
            assert self.ask(port, kind=kind).code == "INTERNAL"
            (span,) = eventually(spans, "SERVER")
        assert (span.attributes["rpc.response.status_code"], span.status) == ("INTERNAL", "ERROR")
        assert span.attributes["error.type"] == "INTERNAL"

    @pytest.mark.parametrize("kind", ["unary_unary", "unary_stream"])
    def test_answers_of_the_programs_own_types_are_sent(self, spans, kind):
        def handle(request, context):
            return iter(["a", "b"]) if kind == "unary_stream" else "a"

        handler = getattr(grpc, f"{kind}_rpc_method_handler")(handle, response_serializer=str.encode)
        with blocking_server({kind: handler}) as port:
            assert self.ask(port, kind=kind).answers == ([b"a", b"b"] if kind == "unary_stream" else [b"a"])
            (span,) = eventually(spans, "SERVER")
        assert span.attributes["rpc.response.status_code"] == "OK"
