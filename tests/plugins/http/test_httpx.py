"""httpx"""

from __future__ import annotations

import asyncio

import httpx
import pytest

from plugins.http.client_contract import HttpClientContract, server

__all__ = ["server"]


class TestHttpx(HttpClientContract):
    follows_redirects = True

    def send(self, method, url, headers=None):
        with httpx.Client(trust_env=False) as client:
            return client.request(method, url, headers=headers, timeout=5).status_code

    def follow(self, url):
        with httpx.Client(trust_env=False) as client:
            return client.get(url, follow_redirects=True, timeout=5).status_code


class TestHttpxAsync(HttpClientContract):
    follows_redirects = True

    def send(self, method, url, headers=None):
        async def sent():
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.request(method, url, headers=headers, timeout=5)).status_code

        return asyncio.run(sent())

    def follow(self, url):
        async def followed():
            async with httpx.AsyncClient(trust_env=False) as client:
                return (await client.get(url, follow_redirects=True, timeout=5)).status_code

        return asyncio.run(followed())


def resend_counts(spans):
    return [span.attributes.get("http.request.resend_count") for span in spans]


def hopping(request):
    """Three redirects, then an answer."""
    number = int(request.url.path.rpartition("/")[2] or 0)
    return httpx.Response(200) if number == 3 else httpx.Response(302, headers={"Location": f"/{number + 1}"})


def test_each_hop_counts_how_often_the_request_was_sent_again(spans):
    with httpx.Client(transport=httpx.MockTransport(hopping), follow_redirects=True) as client:
        client.get("http://hops.example/0")
        assert resend_counts(spans) == [None, 1, 2, 3]
        spans.clear()
        client.get("http://hops.example/2")
    assert resend_counts(spans) == [None, 1]


def test_each_hop_of_an_asynchronous_client_counts_alike(spans):
    async def followed():
        async with httpx.AsyncClient(transport=httpx.MockTransport(hopping), follow_redirects=True) as client:
            await asyncio.gather(*(client.get("http://hops.example/1") for _ in range(3)))

    asyncio.run(followed())
    assert sorted(resend_counts(spans), key=str) == [1, 1, 1, 2, 2, 2, None, None, None]


def test_requests_of_an_event_hook_do_not_confuse_the_count(spans):
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(204))) as other:
        hooks = {"request": [lambda _: other.get("http://other.example/")]}
        with httpx.Client(transport=httpx.MockTransport(hopping), follow_redirects=True, event_hooks=hooks) as client:
            client.get("http://hops.example/2")
    assert not any(resend_counts(span for span in spans if "other" in span.attributes["url.full"]))


def test_the_second_request_of_an_authentication_is_a_resend(spans):
    def challenge(request):
        if "Authorization" in request.headers:
            return httpx.Response(200)
        return httpx.Response(401, headers={"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'})

    with httpx.Client(transport=httpx.MockTransport(challenge), auth=httpx.DigestAuth("user", "hunter2")) as client:
        assert client.get("http://digest.example/").status_code == 200
    assert [span.attributes["http.response.status_code"] for span in spans] == [401, 200]
    assert resend_counts(spans) == [None, 1]
    assert "hunter2" not in repr(spans)


def test_the_same_request_sent_twice_by_the_program_is_no_resend(spans, server):
    with httpx.Client(trust_env=False) as client:
        request = client.build_request("GET", server.url)
        client.send(request)
        client.send(request)
    assert resend_counts(spans) == [None, None]
    assert len({headers["traceparent"] for _, _, headers in server.seen}) == 2


def test_the_peer_is_the_sockets(spans, server):
    with httpx.Client(trust_env=False) as client:
        client.get(server.url.replace("127.0.0.1", "localhost"))
    (span,) = spans
    assert span.attributes["server.address"] == "localhost"
    assert (span.attributes["network.peer.address"], span.attributes["network.peer.port"]) == ("127.0.0.1", server.port)


def test_the_peer_of_an_asynchronous_client_is_the_sockets(spans, server):
    async def sent():
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(server.url)

    asyncio.run(sent())
    assert spans[0].attributes["network.peer.address"] == "127.0.0.1"
    assert spans[0].attributes["network.peer.port"] == server.port


def test_an_applications_transport_is_traced_like_any_other(spans):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [environ["HTTP_TRACEPARENT"].encode()]

    with httpx.Client(transport=httpx.WSGITransport(application)) as client:
        seen = client.get("http://inside.example/").text
    (span,) = spans
    assert span.span_id in seen
    assert "network.peer.address" not in span.attributes


def test_a_streamed_answer_is_one_span_that_ends_with_the_headers(spans, server):
    with httpx.Client(trust_env=False) as client, client.stream("GET", server.url) as response:
        assert len(spans) == 1
        assert response.read() == b"ok"
    assert len(spans) == 1


def test_a_cancelled_request_is_no_error(spans):
    async def given_up():
        async def never(_):
            await asyncio.sleep(60)

        async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as client:
            await asyncio.wait_for(client.get("http://slow.example/"), 0.01)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(given_up())
    (span,) = spans
    assert span.status == "UNSET"
    assert "error.type" not in span.attributes


def test_a_timeout_of_the_librarys_is_an_error(spans):
    def late(request):
        raise httpx.ReadTimeout("too late", request=request)

    with httpx.Client(transport=httpx.MockTransport(late)) as client, pytest.raises(httpx.ReadTimeout):
        client.get("http://slow.example/")
    assert spans[0].attributes["error.type"] == "httpx.ReadTimeout"


def test_http_2_is_version_2(spans):
    def answer(request):
        return httpx.Response(200, extensions={"http_version": b"HTTP/2"})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        client.get("https://two.example/")
    assert spans[0].attributes["network.protocol.version"] == "2"


def test_the_programs_headers_and_the_clients_stay_as_they_were(spans, server):
    mine = {"X-Mine": "kept"}
    with httpx.Client(trust_env=False) as client:
        before = dict(client.headers)
        client.get(server.url, headers=mine)
        assert dict(client.headers) == before
    assert mine == {"X-Mine": "kept"}


def test_a_signed_request_is_sent_as_it_was_signed(spans, server):
    signature = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=00"
    with httpx.Client(trust_env=False) as client:
        client.get(server.url, headers={"Authorization": signature})
        client.get(server.url + "/object?X-Amz-Signature=00")
    assert len(spans) == 2
    assert not any("traceparent" in {name.lower() for name in headers} for _, _, headers in server.seen)


class TestHttpx2(HttpClientContract):
    """Its successor, with the same inside."""

    follows_redirects = True

    @staticmethod
    def client():
        return pytest.importorskip("httpx2").Client(trust_env=False, timeout=5)

    def send(self, method, url, headers=None):
        with self.client() as client:
            return client.request(method, url, headers=headers).status_code

    def follow(self, url):
        with self.client() as client:
            return client.get(url, follow_redirects=True).status_code
