"""websockets' servers: by asyncio, by threads, and the legacy ones"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from http import HTTPStatus

import pytest
from opentelemetry import trace

from plugins.http.server_contract import PARENT, HttpServerContract
from support.processes import wait_until
from support.servers import missing
from support.versions import installed_version

WEBSOCKETS = installed_version("websockets")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what is legacy says so

tracer = trace.get_tracer("contract")
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


async def echo(connection):
    async for message in connection:
        with tracer.start_as_current_span("inside"):
            await connection.send(message)


def echo_sync(connection):
    for message in connection:
        with tracer.start_as_current_span("inside"):
            connection.send(message)


def refuse(connection, request):
    if request.path.startswith("/refused"):
        return connection.protocol.reject(HTTPStatus.FORBIDDEN, "no\n")
    if request.path.startswith("/boom"):
        raise RuntimeError("password=hunter2")
    return None


async def refuse_legacy(path, headers):
    if path.startswith("/refused"):
        return 403, [], b"no\n"
    if path.startswith("/boom"):
        raise RuntimeError("password=hunter2")
    return None


@contextmanager
def serving_asyncio():
    if WEBSOCKETS.major < 13:
        missing("websockets.asyncio came with websockets 13")
    from websockets.asyncio.server import serve

    with _in_a_loop(lambda: serve(echo, "127.0.0.1", 0, process_request=refuse)) as port:
        yield port


@contextmanager
def serving_legacy():
    from websockets.legacy.server import serve

    with _in_a_loop(lambda: serve(echo, "127.0.0.1", 0, process_request=refuse_legacy)) as port:
        yield port


@contextmanager
def _in_a_loop(made):
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), []

    async def serve():
        server = await made()
        ports.append(next(iter(server.sockets)).getsockname()[1])
        ready.set()
        return server

    async def stop(server):
        server.close()
        await server.wait_closed()

    def run():
        server = loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(stop(server))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(5)
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


@contextmanager
def serving_sync():
    from websockets.sync.server import serve

    with serve(echo_sync, "127.0.0.1", 0, process_request=refuse) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join(5)


KINDS = [serving_asyncio, serving_legacy, serving_sync]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def port(request, spans):
    with request.param() as port:
        yield port


def shake(port, path="/chat?a=1", **headers):
    return HttpServerContract.ask(port, path, headers={**HANDSHAKE, **headers})[0]


only = HttpServerContract.only


def test_a_handshake_is_one_span_with_the_stable_attributes(spans, port):
    assert shake(port, **{"User-Agent": "tester", "X-Forwarded-For": "203.0.113.9"}) == 101
    span = only(spans)
    expected = {
        "http.request.method": "GET",
        "http.response.status_code": 101,
        "url.path": "/chat",
        "url.query": "a=1",
        "url.scheme": "ws",
        "server.address": "127.0.0.1",
        "server.port": port,
        "client.address": "203.0.113.9",
        "network.peer.address": "127.0.0.1",
        "network.protocol.version": "1.1",
        "user_agent.original": "tester",
    }
    assert expected.items() <= span.attributes.items()
    assert (span.name, span.status, span.events) == ("GET", "UNSET", [])
    assert span.parent_id is None


def test_the_callers_trace_goes_on(spans, port):
    shake(port, traceparent=PARENT)
    assert (only(spans).trace_id, only(spans).parent_id) == (PARENT[3:35], PARENT[36:52])


def test_the_span_ends_with_the_handshake_and_the_handlers_work_stays_in_its_trace(spans, port):
    from websockets.sync.client import connect

    with connect(f"ws://127.0.0.1:{port}/chat") as connection:
        wait_until("the handshake is over", lambda: spans.of_kind("SERVER"))
        span = only(spans)
        for _ in range(2):
            connection.send("hello")
            assert connection.recv() == "hello"
    assert [child.name for child in spans.children_of(span)] == ["inside", "inside"]
    assert len(spans.of_kind("SERVER")) == 1


def test_a_refused_handshake_is_an_answer(spans, port):
    assert shake(port, "/refused") == 403
    assert (only(spans).status, only(spans).attributes["http.response.status_code"]) == ("UNSET", 403)


def test_what_is_no_websocket_is_told_so(spans, port):
    assert HttpServerContract.ask(port, "/")[0] == 426
    assert (only(spans).status, only(spans).attributes["http.response.status_code"]) == ("UNSET", 426)


def test_an_exception_in_the_handshake_is_a_500_with_its_secrets_redacted(spans, port):
    assert shake(port, "/boom?sig=hunter2") == 500
    span = only(spans)
    assert (span.status, span.attributes["error.type"]) == ("ERROR", "500")
    assert "hunter2" not in repr(span.attributes) + repr([event.attributes for event in span.events])
