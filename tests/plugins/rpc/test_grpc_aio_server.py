"""gRPC's asyncio server"""

from __future__ import annotations

import asyncio
import threading
from concurrent import futures
from contextlib import contextmanager

import grpc
import grpc.aio
import pytest
from opentelemetry import trace

from plugins.rpc.contract import SERVICE, GrpcServerContract, Plain, eventually


async def do(request, context):
    word, _, rest = request.partition(b" ")
    if word == b"abort":
        await context.abort(getattr(grpc.StatusCode, rest.decode()), "password=hunter2 is wrong")
    if word == b"set":
        context.set_code(getattr(grpc.StatusCode, rest.decode()))
        context.set_details("password=hunter2 is wrong")
    if word == b"raise":
        raise RuntimeError("password=hunter2 is wrong")
    if word == b"child":
        with trace.get_tracer("test").start_as_current_span("inside"):
            await asyncio.sleep(0)
    if word == b"sleep":
        await asyncio.sleep(float(rest))
    return request


async def answers(request, context):
    word = request.partition(b" ")[0]
    for number in range(10_000 if word == b"endless" else 3):
        if number == 1 or word not in (b"raise", b"abort"):
            await do(request, context)
        if word == b"endless":
            await asyncio.sleep(0.01)
        yield b"%d" % number


async def writes(request, context):
    async for answer in answers(request, context):
        await context.write(answer)


async def last(requests):
    return [request async for request in requests][-1]


async def stream_unary(requests, context):
    return await do(await last(requests), context)


async def stream_stream(requests, context):
    async for answer in answers(await last(requests), context):
        yield answer


def handlers(unary_stream=answers):
    return {
        "unary_unary": grpc.unary_unary_rpc_method_handler(do),
        "unary_stream": grpc.unary_stream_rpc_method_handler(unary_stream),
        "stream_unary": grpc.stream_unary_rpc_method_handler(stream_unary),
        "stream_stream": grpc.stream_stream_rpc_method_handler(stream_stream),
    }


@contextmanager
def serving(handlers, **options):
    ports = []
    started, over = threading.Event(), threading.Event()

    async def run():
        server = grpc.aio.server(**options)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        ports.append(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        started.set()
        await asyncio.get_running_loop().run_in_executor(None, over.wait)
        await server.stop(None)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert started.wait(5)
        yield ports[0]
    finally:
        over.set()
        thread.join()


class TestGrpcAioServer(GrpcServerContract):
    knows_its_address = False  # gRPC's asyncio server does not tell whom the client asked for

    def serving(self, **options):
        return serving(handlers(), **options)

    def test_the_programs_interceptors_are_still_there(self, spans):
        seen = []

        class Seeing(grpc.aio.ServerInterceptor):
            async def intercept_service(self, continuation, details):
                seen.append(details.method)
                return await continuation(details)

        with self.serving(interceptors=(Seeing(),)) as port:
            assert self.ask(port).code == "OK"
        assert seen == [f"/{SERVICE}/unary_unary"]
        assert len(eventually(spans, "SERVER")) == 1

    def test_a_server_that_was_started_inside_a_span_serves_outside_of_it(self, spans):
        async def run():
            server = grpc.aio.server()
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers()),))
            port = server.add_insecure_port("127.0.0.1:0")
            with trace.get_tracer("test").start_as_current_span("starting") as starting:
                await server.start()
                assert trace.get_current_span() is starting
                await asyncio.get_running_loop().run_in_executor(None, self.ask, port)
            await server.stop(None)

        asyncio.run(run())
        (span,) = eventually(spans, "SERVER")
        assert span.parent_id is None


class TestHandlersThatWrite(GrpcServerContract):
    """A coroutine function may answer a stream by ``context.write``."""

    knows_its_address = False

    def serving(self, **options):
        return serving(handlers(unary_stream=writes), **options)


class TestHandlersInThreads(GrpcServerContract):
    """Plain functions on the asyncio server."""

    knows_its_address = False

    def serving(self, **options):
        return serving(Plain().handlers(), migration_thread_pool=futures.ThreadPoolExecutor(8), **options)

    # gRPC lets such a handler run to its end, and does not tell it.
    test_a_stream_whose_client_goes_away_ends_without_an_error = None
    # An abort from a thread overtakes the answer that is being sent, and breaks gRPC's own sending.
    test_a_stream_that_is_aborted_midway_has_the_status_it_was_aborted_with = None

    def test_a_stream_that_is_aborted_at_once_has_the_status_it_was_aborted_with(self, spans):
        def aborting(request, context):
            context.abort(grpc.StatusCode.DATA_LOSS, "password=hunter2 is wrong")
            yield request

        with serving(
            {"unary_stream": grpc.unary_stream_rpc_method_handler(aborting)},
            migration_thread_pool=futures.ThreadPoolExecutor(2),
        ) as port:
            assert self.ask(port, kind="unary_stream").code == "DATA_LOSS"
            (span,) = eventually(spans, "SERVER")
        assert (span.attributes["rpc.response.status_code"], span.status) == ("DATA_LOSS", "ERROR")
        assert span.status_description == "password=REDACTED is wrong"


async def nothing_to_send(request, context):
    return object()


async def nothing_to_stream(request, context):
    yield object()


def in_a_thread(request, context):
    return object()


def streamed_from_a_thread(request, context):
    yield object()


def text_of(answer):
    return answer.text


UNSERIALIZABLE = {
    "coroutine": grpc.unary_unary_rpc_method_handler(nothing_to_send, response_serializer=text_of),
    "generator": grpc.unary_stream_rpc_method_handler(nothing_to_stream, response_serializer=text_of),
    "thread": grpc.unary_unary_rpc_method_handler(in_a_thread, response_serializer=text_of),
    "stream of a thread": grpc.unary_stream_rpc_method_handler(streamed_from_a_thread, response_serializer=text_of),
}


@pytest.mark.parametrize("name", UNSERIALIZABLE)
def test_an_answer_that_cannot_be_serialised_is_an_error_with_the_status_that_is_sent(spans, name):
    kind = "unary_stream" if UNSERIALIZABLE[name].response_streaming else "unary_unary"
    with serving({kind: UNSERIALIZABLE[name]}) as port:
        outcome = GrpcServerContract.ask(port, kind=kind)
        (span,) = eventually(spans, "SERVER")
    assert outcome.code == span.attributes["rpc.response.status_code"] == span.attributes["error.type"] == "UNKNOWN"
    assert span.status == "ERROR"
    assert [event.name for event in span.events] == ["exception"]


def serialised(answer):
    return b"<%s>" % answer


async def text(request, context):
    return "text"


async def refused(request, context):
    context.set_code(grpc.StatusCode.NOT_FOUND)


@pytest.mark.parametrize(
    ("handler", "kind", "serializer", "answers", "code"),
    [
        (do, "unary_unary", serialised, [b"<hello>"], "OK"),
        (answers, "unary_stream", serialised, [b"<0>", b"<1>", b"<2>"], "OK"),
        (writes, "unary_stream", serialised, [b"<0>", b"<1>", b"<2>"], "OK"),
        (text, "unary_unary", serialised, [b"<text>"], "OK"),
        (refused, "unary_unary", serialised, [], "NOT_FOUND"),
    ],
)
def test_every_answer_is_serialised_once(spans, handler, kind, serializer, answers, code):
    served = getattr(grpc, f"{kind}_rpc_method_handler")(handler, response_serializer=serializer)
    with serving({kind: served}) as port:
        outcome = GrpcServerContract.ask(port, kind=kind)
        (span,) = eventually(spans, "SERVER")
    assert (outcome.answers, outcome.code) == (answers, code)
    assert span.attributes["rpc.response.status_code"] == code
