"""urllib.request"""

from __future__ import annotations

import urllib.error
import urllib.request

from plugins.http.client_contract import HttpClientContract, server

__all__ = ["server"]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def ask(request, *handlers):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), *handlers)
    try:
        with opener.open(request, timeout=5) as response:
            response.read()
            return response.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


class TestUrllibRequest(HttpClientContract):
    follows_redirects = True

    def send(self, method, url, headers=None):
        url = url.replace("user:hunter2@", "")  # the library takes userinfo for a part of the host's name
        return ask(urllib.request.Request(url, method=method, headers=headers or {}), _NoRedirects())

    def follow(self, url):
        return ask(url)


def resend_counts(spans):
    return [span.attributes.get("http.request.resend_count") for span in spans]


def test_a_hop_counts_how_often_the_request_was_sent_again(spans, server):
    request = urllib.request.Request(server.url + "/redirect")
    ask(request)
    assert resend_counts(spans) == [None, 1]
    spans.clear()
    ask(request)
    assert resend_counts(spans)[0] is None


def test_http_client_beneath_makes_no_second_span(spans, server):
    ask(server.url)
    assert [span.scope for span in spans] == ["remora.urllib.request"]


def test_each_hop_carries_its_own_traceparent(spans, server):
    ask(server.url + "/redirect")
    sent = [headers["Traceparent"] for _, _, headers in server.seen]
    assert [span.span_id in header for span, header in zip(spans, sent, strict=True)] == [True, True]


def test_the_peer_is_the_sockets(spans, server):
    ask(server.url.replace("127.0.0.1", "localhost"))
    (span,) = spans
    assert span.attributes["server.address"] == "localhost"
    assert (span.attributes["network.peer.address"], span.attributes["network.peer.port"]) == ("127.0.0.1", server.port)


def test_a_request_that_was_signed_is_sent_as_it_was_signed(spans, server):
    signature = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=00"
    ask(urllib.request.Request(server.url, headers={"Authorization": signature}))
    ask(server.url + "/object?X-Goog-Signature=00")
    assert len(spans) == 2
    assert not any("traceparent" in {name.lower() for name in headers} for _, _, headers in server.seen)


def test_files_and_data_are_no_requests(spans):
    with urllib.request.urlopen("data:text/plain,ok") as response:
        assert response.read() == b"ok"
    assert spans == []
