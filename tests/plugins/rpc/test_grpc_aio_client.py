"""gRPC's asyncio client"""

from __future__ import annotations

import asyncio

import grpc
import grpc.aio
import pytest
from opentelemetry import trace

from plugins.rpc.contract import SERVICE, GrpcClientContract, Outcome, eventually


class TestGrpcAioClient(GrpcClientContract):
    def call(self, target, request=b"hello", kind="unary_unary", timeout=5, metadata=None):
        async def calling():
            async with grpc.aio.insecure_channel(target) as channel:
                sent = iter([request]) if kind.startswith("stream") else request
                try:
                    call = getattr(channel, kind)(f"/{SERVICE}/{kind}")(sent, timeout=timeout, metadata=metadata)
                    return Outcome([item async for item in call] if kind.endswith("stream") else [await call])
                except grpc.aio.AioRpcError as error:
                    return Outcome([], error.code().name, error.details())

        return asyncio.run(calling())

    def within(self, port, program, **options):
        async def running():
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", **options) as channel:
                return await program(channel)

        return asyncio.run(running())

    def test_calls_are_grpcs_own(self, port):
        async def program(channel):
            call = channel.unary_unary(f"/{SERVICE}/unary_unary")(b"hello")
            assert isinstance(call, grpc.aio.UnaryUnaryCall)
            assert isinstance(call, grpc.aio.Call)
            assert await call.code() is grpc.StatusCode.OK
            assert isinstance(await call.initial_metadata(), grpc.aio.Metadata)
            return await call

        assert self.within(port, program) == b"hello"

    def test_metadata_of_asyncios_own_kind_is_kept(self, spans, port, service):
        mine = grpc.aio.Metadata(("x-mine", "kept"))
        self.call(f"127.0.0.1:{port}", metadata=mine)
        assert service.seen[-1]["x-mine"] == "kept"
        assert "traceparent" in service.seen[-1]
        assert list(mine) == [("x-mine", "kept")]

    def test_a_cancelled_task_cancels_the_call(self, spans, port):
        async def program(channel):
            task = asyncio.ensure_future(asking(channel))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        async def asking(channel):
            return await channel.unary_unary(f"/{SERVICE}/unary_unary")(b"sleep 0.5")

        self.within(port, program)
        (span,) = eventually(spans, "CLIENT")
        assert (span.attributes["rpc.response.status_code"], span.status) == ("CANCELLED", "ERROR")

    def test_a_stream_ends_with_its_last_message(self, spans, port):
        async def program(channel):
            call = channel.unary_stream(f"/{SERVICE}/unary_stream")(b"hello")
            assert await call.read() == b"0"
            assert spans.of_kind("CLIENT") == []
            assert [await call.read() for _ in range(3)] == [b"1", b"2", grpc.aio.EOF]

        self.within(port, program)
        (span,) = eventually(spans, "CLIENT")
        assert span.attributes["rpc.response.status_code"] == "OK"

    def test_a_stream_that_is_cancelled_ends_there(self, spans, port):
        async def program(channel):
            call = channel.unary_stream(f"/{SERVICE}/unary_stream")(b"endless")
            assert await call.read() == b"0"
            call.cancel()
            return [span.attributes["rpc.response.status_code"] for span in spans.of_kind("CLIENT")]

        assert self.within(port, program) == ["CANCELLED"]

    def test_a_channel_that_is_closed_ends_what_is_still_open(self, spans, port):
        async def program(channel):
            call = channel.unary_stream(f"/{SERVICE}/unary_stream")(b"endless")
            assert await call.read() == b"0"

        self.within(port, program)
        (span,) = eventually(spans, "CLIENT")
        assert span.attributes["rpc.response.status_code"] == "CANCELLED"

    def test_writing_and_reading_by_hand(self, spans, port):
        async def program(channel):
            call = channel.stream_stream(f"/{SERVICE}/stream_stream")()
            await call.write(b"a")
            await call.done_writing()
            return [item async for item in call]

        assert self.within(port, program) == [b"0", b"1", b"2"]
        (span,) = eventually(spans, "CLIENT")
        assert span.attributes["rpc.response.status_code"] == "OK"

    def test_what_is_done_between_two_messages_is_not_inside(self, spans, port):
        async def program(channel):
            async for _ in channel.unary_stream(f"/{SERVICE}/unary_stream")(b"hello"):
                with trace.get_tracer("test").start_as_current_span("between"):
                    pass

        self.within(port, program)
        assert [span.parent_id for span in spans.named("between")] == [None] * 3

    def test_the_programs_interceptors_stay_in_charge(self, spans, port, service):
        class Twice(grpc.aio.UnaryUnaryClientInterceptor):
            async def intercept_unary_unary(self, continuation, details, request):
                metadata = grpc.aio.Metadata(("x-mine", "kept"))
                details = details._replace(metadata=metadata)
                await (await continuation(details, request))
                return await continuation(details, request)

        async def program(channel):
            return await channel.unary_unary(f"/{SERVICE}/unary_unary")(b"hello")

        assert self.within(port, program, interceptors=[Twice()]) == b"hello"
        first, second = eventually(spans, "CLIENT", 2)
        assert [metadata["x-mine"] for metadata in service.seen] == ["kept", "kept"]
        assert [metadata["traceparent"][36:52] for metadata in service.seen] == [first.span_id, second.span_id]

    def test_a_closed_channel_is_the_programs_error(self, spans, port):
        async def program(channel):
            ask = channel.unary_unary(f"/{SERVICE}/unary_unary")
            await channel.close()
            with pytest.raises(grpc.aio.UsageError):
                await ask(b"hello")

        self.within(port, program)
        (span,) = spans.of_kind("CLIENT")
        assert span.status == "ERROR"
        assert span.attributes["error.type"].endswith("UsageError")
