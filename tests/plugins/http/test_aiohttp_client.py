"""aiohttp's client"""

from __future__ import annotations

import asyncio
import socket
import threading

import aiohttp
import pytest
from opentelemetry import trace

from plugins.http.client_contract import HttpClientContract, server

__all__ = ["server"]


def ask(url, method="GET", **options):
    async def asked():
        async with aiohttp.ClientSession() as session, session.request(method, url, **options) as response:
            await response.read()
            return response.status

    return asyncio.run(asked())


class TestAiohttpClient(HttpClientContract):
    follows_redirects = True

    def send(self, method, url, headers=None):
        return ask(url, method, headers=headers, allow_redirects=False)

    def follow(self, url):
        return ask(url)


@pytest.fixture
def abrupt():
    """A server that answers the first request on a connection, closes it at the second, and answers again."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            for answers in (1, 9):
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    for _ in range(answers):
                        if not connection.recv(65536):
                            break
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    else:
                        connection.recv(65536)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


@pytest.fixture
def silent():
    """A server that takes requests and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def resend_counts(spans):
    return [span.attributes.get("http.request.resend_count") for span in spans.of_kind("CLIENT")]


def test_a_hop_counts_how_often_the_request_was_sent_again(spans, server):
    ask(server.url + "/redirect")
    assert resend_counts(spans) == [None, 1]


@pytest.mark.skipif(aiohttp.__version__.startswith(("3.8.", "3.9.")), reason="aiohttp retries from 3.10 on")
def test_a_retry_on_a_connection_that_had_been_closed_is_an_attempt_of_its_own(spans, abrupt):
    async def twice():
        async with aiohttp.ClientSession() as session:
            for _ in range(2):
                async with session.get(abrupt) as response:
                    assert response.status == 200

    asyncio.run(twice())
    assert resend_counts(spans) == [None, None, 1]
    failed = spans[1]
    assert failed.attributes["error.type"].startswith("aiohttp.client_exceptions.")
    assert failed.status == "ERROR"
    assert [span.attributes.get("http.response.status_code") for span in spans] == [200, None, 200]


def test_the_peer_is_the_sockets(spans, server):
    ask(server.url.replace("127.0.0.1", "localhost"))
    (span,) = spans
    assert span.attributes["server.address"] == "localhost"
    assert (span.attributes["network.peer.address"], span.attributes["network.peer.port"]) == ("127.0.0.1", server.port)


def test_a_cancelled_request_is_no_error(spans, silent):
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(asyncio.wait_for(asked_for_ever(silent), 0.05))
    (span,) = spans
    assert span.status == "UNSET"
    assert "error.type" not in span.attributes


async def asked_for_ever(url):
    async with aiohttp.ClientSession() as session:
        await session.get(url)


def test_a_timeout_of_the_librarys_is_an_error_though_it_cancels_inside(spans, silent):
    with pytest.raises(asyncio.TimeoutError):
        ask(silent, timeout=aiohttp.ClientTimeout(total=0.05))
    (span,) = spans
    assert span.status == "ERROR"
    assert span.attributes["error.type"].endswith("TimeoutError")


def test_a_streamed_answer_is_one_span_that_ends_with_the_headers(spans, server):
    async def streamed():
        async with aiohttp.ClientSession() as session, session.get(server.url) as response:
            assert len(spans) == 1
            assert [chunk async for chunk in response.content.iter_any()] == [b"ok"]

    asyncio.run(streamed())
    assert len(spans) == 1


def test_requests_at_once_are_children_of_their_own_callers(spans, server):
    tracer = trace.get_tracer("test")

    async def all_of_them():
        async with aiohttp.ClientSession() as session:

            async def one(number):
                with tracer.start_as_current_span(f"caller {number}"):
                    async with session.get(f"{server.url}/redirect?{number}") as response:
                        await response.read()

            await asyncio.gather(*(one(number) for number in range(8)))

    asyncio.run(all_of_them())
    for number in range(8):
        (caller,) = spans.named(f"caller {number}")
        first, second = spans.children_of(caller)
        assert first.attributes["url.full"].endswith(f"/redirect?{number}")
        assert second.attributes["url.full"].endswith("/landed")


def test_a_request_made_to_write_the_body_of_another_has_its_span_too(spans, server):
    async def piped():
        async with aiohttp.ClientSession() as session:

            async def body():
                async with session.get(server.url + "/from") as response:
                    yield await response.read()

            length = {"Content-Length": "2"}
            async with session.post(server.url + "/to", data=body(), headers=length) as response:
                return response.status

    assert asyncio.run(piped()) == 200
    assert sorted(span.name for span in spans) == ["GET", "POST"]


def test_the_programs_headers_and_the_sessions_stay_as_they_were(spans, server):
    mine = {"X-Mine": "kept"}

    async def asked():
        async with aiohttp.ClientSession(headers={"X-All": "too"}) as session:
            async with session.get(server.url, headers=mine) as response:
                await response.read()
            return dict(session.headers)

    assert asyncio.run(asked()) == {"X-All": "too"}
    assert mine == {"X-Mine": "kept"}


def test_a_websockets_handshake_is_a_span(spans):
    from aiohttp import web

    async def greeted():
        async def handler(request):
            websocket = web.WebSocketResponse()
            await websocket.prepare(request)
            await websocket.close()
            return websocket

        app = web.Application()
        app.router.add_get("/", handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as websocket:
            await websocket.receive()
        await runner.cleanup()

    asyncio.run(greeted())
    (span,) = spans.of_kind("CLIENT")
    assert span.attributes["http.response.status_code"] == 101
