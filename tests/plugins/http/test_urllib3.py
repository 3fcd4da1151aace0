"""urllib3"""

from __future__ import annotations

import socket
import threading

import pytest
import urllib3

from plugins.http.client_contract import HttpClientContract, server

__all__ = ["server"]


class TestUrllib3(HttpClientContract):
    follows_redirects = True

    def send(self, method, url, headers=None):
        with urllib3.PoolManager() as pool:
            return pool.request(method, url, headers=headers, redirect=False, retries=False, timeout=5).status

    def follow(self, url):
        with urllib3.PoolManager() as pool:
            return pool.request("GET", url, timeout=5).status


def test_each_retry_is_a_span_of_its_own(spans, server):
    retries = urllib3.Retry(2, status_forcelist=[503], backoff_factor=0, raise_on_status=False)
    with urllib3.PoolManager() as pool:
        assert pool.request("GET", server.url + "/status/503", retries=retries, timeout=5).status == 503
    assert [span.attributes["http.response.status_code"] for span in spans] == [503, 503, 503]


def resend_counts(spans):
    return [span.attributes.get("http.request.resend_count") for span in spans]


def test_retries_and_redirects_count_how_often_the_request_was_sent_again(spans, server):
    retries = urllib3.Retry(1, status_forcelist=[503], backoff_factor=0, raise_on_status=False)
    with urllib3.PoolManager() as pool:
        pool.request("GET", server.url + "/status/503", retries=retries, timeout=5)
        pool.request("GET", server.url + "/redirect", timeout=5)
        pool.request("GET", server.url, timeout=5)
    if urllib3.__version__.startswith("1."):
        return
    assert resend_counts(spans) == [None, 1, None, 1, None]


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
@pytest.mark.parametrize("preload", [True, False])
def test_the_peer_is_the_sockets(spans, server, connection, preload):
    if connection == "close" and preload:
        pytest.skip("the library has closed the socket itself by then")
    with urllib3.PoolManager() as pool:
        url = server.url.replace("127.0.0.1", "localhost")
        pool.request("GET", url, headers={"Connection": connection}, preload_content=preload, timeout=5)
    (span,) = spans
    assert span.attributes["server.address"] == "localhost"
    assert (span.attributes["network.peer.address"], span.attributes["network.peer.port"]) == ("127.0.0.1", server.port)


def test_the_programs_headers_and_the_pools_stay_as_they_were(spans, server):
    mine, shared = {"X-Mine": "kept"}, {"X-All": "too"}
    with urllib3.PoolManager(headers=shared) as pool:
        pool.request("GET", server.url, headers=mine, timeout=5)
        pool.request("GET", server.url, timeout=5)
    assert (mine, shared) == ({"X-Mine": "kept"}, {"X-All": "too"})


@pytest.fixture
def proxy():
    """A proxy that lets tunnels be dug and then answers by itself, with TLS left out."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        seen = []

        def serve():
            connection, _ = listening.accept()
            with connection:
                for answer in (b"HTTP/1.1 200 Dug\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"):
                    seen.append(connection.recv(65536))
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", seen


@pytest.mark.skipif(urllib3.__version__.startswith("1."), reason="TLS cannot be left out of urllib3 1.26 in this way")
def test_headers_sent_through_a_tunnel_stay_as_they_were_too(spans, proxy, monkeypatch):
    from urllib3 import connection

    url, seen = proxy
    plain = lambda **options: connection._WrappedAndVerifiedSocket(options["sock"], is_verified=True)  # noqa: E731
    monkeypatch.setattr(connection, "_ssl_wrap_socket_and_match_hostname", plain)
    shared = {"X-All": "too"}
    with urllib3.ProxyManager(url, headers=shared) as pool:
        assert pool.request("GET", "https://far.example/", timeout=5, retries=False).status == 200
    assert shared == {"X-All": "too"}
    assert b"traceparent" not in seen[0]
    assert spans[0].span_id.encode() in seen[1]


def test_a_request_that_was_signed_is_sent_as_it_was_signed(spans, server):
    signature = b"AWS4-HMAC-SHA256 Credential=AKID/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=00"
    with urllib3.PoolManager() as pool:
        pool.request("GET", server.url, headers={"authorization": signature}, timeout=5)
    assert len(spans) == 1
    assert "traceparent" not in server.headers()
