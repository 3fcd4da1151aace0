"""websockets' clients: by asyncio, by threads, and the legacy one"""

from __future__ import annotations

import asyncio
import socket
from contextlib import contextmanager

import pytest
from opentelemetry import trace
from opentelemetry.context import attach, detach, set_value

from plugins.http.client_contract import server
from plugins.http.test_websockets_server import WEBSOCKETS, serving_sync
from support.servers import missing

__all__ = ["server"]

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # what is legacy says so

tracer = trace.get_tracer("contract")


def by_asyncio(url, headers=None):
    if WEBSOCKETS.major < 13:
        missing("websockets.asyncio came with websockets 13")
    from websockets.asyncio.client import connect

    asyncio.run(_talked(connect(url, additional_headers=headers, **_direct())))


def by_legacy(url, headers=None):
    from websockets.legacy.client import connect

    async def talked():  # it wants a running loop to be made
        await _talked(connect(url, extra_headers=headers))

    asyncio.run(talked())


def by_threads(url, headers=None):
    from websockets.sync.client import connect

    with connect(url, additional_headers=headers, **_direct()) as connection:
        connection.send("hello")
        assert connection.recv() == "hello"


async def _talked(connecting):
    async with connecting as connection:
        await connection.send("hello")
        assert await connection.recv() == "hello"


def _direct():
    return {"proxy": None} if WEBSOCKETS.major >= 15 else {}


@pytest.fixture(params=[by_asyncio, by_legacy, by_threads], ids=lambda talk: talk.__name__)
def talk(request):
    return request.param


@contextmanager
def suppressed():
    token = attach(set_value("suppress_instrumentation", True))
    try:
        yield
    finally:
        detach(token)


def test_a_handshake_is_one_span_that_the_servers_goes_on_from(spans, talk):
    with serving_sync() as port, tracer.start_as_current_span("around"):
        talk(f"ws://127.0.0.1:{port}/chat?q=1")
    (span,) = spans.of_kind("CLIENT")
    (answering,) = spans.of_kind("SERVER")
    (around,) = spans.named("around")
    expected = {
        "http.request.method": "GET",
        "http.response.status_code": 101,
        "url.full": f"ws://127.0.0.1:{port}/chat?q=1",
        "server.address": "127.0.0.1",
        "server.port": port,
        "network.peer.address": "127.0.0.1",
        "network.protocol.version": "1.1",
    }
    assert expected.items() <= span.attributes.items()
    assert (span.name, span.status, span.parent_id) == ("GET", "UNSET", around.span_id)
    assert (answering.trace_id, answering.parent_id) == (span.trace_id, span.span_id)


def test_a_refused_handshake_is_an_error_by_its_status(spans, talk, server):
    with pytest.raises(Exception, match="403"):
        talk(f"ws://127.0.0.1:{server.port}/status/403")
    (span,) = spans.of_kind("CLIENT")
    assert (span.status, span.attributes["error.type"]) == ("ERROR", "403")
    assert span.events == []


@pytest.mark.parametrize("talk", [by_asyncio, by_threads])
def test_a_refused_connection_is_an_error_and_the_exception_is_kept(spans, talk):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            talk(f"ws://127.0.0.1:{nobody.getsockname()[1]}/")
    (span,) = spans.of_kind("CLIENT")
    assert (span.status, span.attributes["error.type"]) == ("ERROR", "ConnectionRefusedError")
    assert "http.response.status_code" not in span.attributes


def test_the_programs_own_headers_arrive_and_stay_as_they_were(spans, talk, server):
    mine = {"X-Mine": "kept", "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    before = dict(mine)
    with pytest.raises(Exception, match=r"."):
        talk(server.url.replace("http", "ws"), mine)
    assert mine == before
    assert server.headers()["x-mine"] == "kept"
    assert server.headers()["traceparent"] == mine["Traceparent"]


def test_secrets_in_the_url_are_redacted(spans, talk, server):
    with pytest.raises(Exception, match=r"."):
        talk(f"ws://user:hunter2@127.0.0.1:{server.port}/x?sig=hunter2&a=1")
    (span,) = spans.of_kind("CLIENT")
    assert "hunter2" not in repr(span.attributes)
    assert "sig=REDACTED&a=1" in span.attributes["url.full"]


def test_suppressed_instrumentation_is_respected(spans, talk, server):
    with suppressed(), pytest.raises(Exception, match=r"."):
        talk(server.url.replace("http", "ws"))
    assert spans == []
    assert "traceparent" not in server.headers()
