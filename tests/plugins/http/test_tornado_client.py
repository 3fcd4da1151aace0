"""Tornado's clients"""

from __future__ import annotations

import asyncio
import socket

import pytest
from opentelemetry import trace
from tornado import curl_httpclient, httpclient, simple_httpclient, web, websocket

from plugins.http.client_contract import HttpClientContract, server
from plugins.http.test_tornado_server import Echo, serving

__all__ = ["server"]

tracer = trace.get_tracer("contract")


def fetched(client_class, url, **options):
    async def fetch():
        client = client_class(force_instance=True)
        try:
            return await client.fetch(httpclient.HTTPRequest(url, allow_nonstandard_methods=True, **options))
        except httpclient.HTTPClientError as error:
            if error.response is not None and error.code != 599:
                return error.response
            raise
        finally:
            client.close()

    return asyncio.run(fetch())


class TestTornadoSimpleClient(HttpClientContract):
    follows_redirects = True
    client = simple_httpclient.SimpleAsyncHTTPClient

    def send(self, method, url, headers=None):
        return fetched(self.client, url, method=method, headers=headers, follow_redirects=False).code

    def follow(self, url):
        return fetched(self.client, url).code


# The oldest version's way to rewind a body, with a libcurl of today.
@pytest.mark.filterwarnings("ignore:IOCTLFUNCTION:DeprecationWarning")
class TestTornadoCurlClient(TestTornadoSimpleClient):
    follows_redirects = False  # libcurl does, unseen
    client = curl_httpclient.CurlAsyncHTTPClient

    def test_one_fetch_with_redirects_is_one_span_of_the_last_answer(self, spans, server):
        assert self.follow(server.url + "/redirect") == 200
        span = self.only(spans)
        assert span.attributes["http.response.status_code"] == 200
        assert span.attributes["url.full"] == server.url + "/redirect"


@pytest.mark.parametrize("client", [simple_httpclient.SimpleAsyncHTTPClient, curl_httpclient.CurlAsyncHTTPClient])
def test_the_socket_s_peer_is_told(spans, server, client):
    fetched(client, server.url)
    (span,) = spans.of_kind("CLIENT")
    assert span.attributes["network.peer.address"] == "127.0.0.1"
    assert span.attributes["network.peer.port"] == server.port


@pytest.mark.parametrize("client", [simple_httpclient.SimpleAsyncHTTPClient, curl_httpclient.CurlAsyncHTTPClient])
def test_a_timeout_is_an_error_without_a_status(spans, client):
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        with pytest.raises(httpclient.HTTPClientError) as raised:
            fetched(client, f"http://127.0.0.1:{deaf.getsockname()[1]}/", request_timeout=0.05)
    (span,) = spans.of_kind("CLIENT")
    assert span.status == "ERROR"
    assert span.attributes["error.type"].rpartition(".")[2] == type(raised.value).__name__
    assert "http.response.status_code" not in span.attributes


def test_the_hops_of_a_redirect_count_and_have_one_parent(spans, server):
    with tracer.start_as_current_span("around"):
        fetched(simple_httpclient.SimpleAsyncHTTPClient, server.url + "/redirect")
    first, second = spans.of_kind("CLIENT")
    (around,) = spans.named("around")
    assert (first.parent_id, second.parent_id) == (around.span_id, around.span_id)
    assert [span.attributes.get("http.request.resend_count") for span in (first, second)] == [None, 1]
    assert server.headers()["traceparent"].startswith(f"00-{second.trace_id}-{second.span_id}-")
    assert first.end_ns <= second.start_ns


def test_a_request_that_had_to_wait_for_a_slot_keeps_its_parent_on_every_hop(spans, server):
    async def two():
        client = simple_httpclient.SimpleAsyncHTTPClient(force_instance=True, max_clients=1)

        async def one(name):
            with tracer.start_as_current_span(name):
                await client.fetch(server.url + "/redirect")

        await asyncio.gather(one("a"), one("b"))
        client.close()

    asyncio.run(two())
    for name in ("a", "b"):
        (around,) = spans.named(name)
        assert [span.name for span in spans.children_of(around)] == ["GET", "GET"]


def test_a_request_may_be_sent_twice(spans, server):
    async def twice():
        client = httpclient.AsyncHTTPClient()
        request = httpclient.HTTPRequest(server.url, headers={"X-Mine": "kept"})
        mine = request.headers
        for _ in range(2):
            response = await client.fetch(request)
            assert response.request is request
        return mine

    assert asyncio.run(twice()) == {"X-Mine": "kept"}
    first, second = spans.of_kind("CLIENT")
    assert first.attributes.get("http.request.resend_count") is second.attributes.get("http.request.resend_count")
    assert server.headers()["traceparent"].startswith(f"00-{second.trace_id}-{second.span_id}-")


def test_the_blocking_client_is_traced_within_the_callers_span(spans, server):
    with tracer.start_as_current_span("around"):
        client = httpclient.HTTPClient()
        assert client.fetch(server.url).code == 200
        client.close()
    (around,) = spans.named("around")
    assert [span.kind for span in spans.children_of(around)] == ["CLIENT"]


def test_a_websockets_handshake_is_a_span_that_the_server_s_goes_on_from(spans):
    async def talked(port):
        connection = await websocket.websocket_connect(f"ws://127.0.0.1:{port}/echo")
        await connection.write_message("hello")
        assert await connection.read_message() == "hello"
        connection.close()
        assert await connection.read_message() is None

    with serving(lambda: web.Application([(r"/echo", Echo)])) as port:
        asyncio.run(talked(port))
    (span,) = spans.of_kind("CLIENT")
    (answering,) = spans.of_kind("SERVER")
    assert span.attributes["url.full"] == f"ws://127.0.0.1:{port}/echo"
    assert (span.attributes["http.response.status_code"], span.status) == (101, "UNSET")
    assert (answering.trace_id, answering.parent_id) == (span.trace_id, span.span_id)


def test_a_refused_websocket_is_an_error_by_its_status(spans, server):
    async def refused():
        with pytest.raises(httpclient.HTTPClientError):
            await websocket.websocket_connect(f"ws://127.0.0.1:{server.port}/status/403")

    asyncio.run(refused())
    (span,) = spans.of_kind("CLIENT")
    assert (span.status, span.attributes["error.type"]) == ("ERROR", "403")
    assert span.events == []
