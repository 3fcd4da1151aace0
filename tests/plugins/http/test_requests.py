"""requests"""

from __future__ import annotations

import io

import pytest
import requests
import urllib3

from plugins.http.client_contract import HttpClientContract, server

__all__ = ["server"]


class TestRequests(HttpClientContract):
    follows_redirects = True

    def send(self, method, url, headers=None):
        return requests.request(method, url, headers=headers, allow_redirects=False, timeout=5).status_code

    def follow(self, url):
        return requests.get(url, timeout=5).status_code


def test_urllib3_beneath_makes_no_second_span(spans, server):
    requests.get(server.url, timeout=5)
    assert [span.scope for span in spans] == ["remora.requests"]


def test_a_prepared_request_sent_twice_carries_each_its_own_traceparent(spans, server):
    with requests.Session() as session:
        prepared = session.prepare_request(requests.Request("GET", server.url))
        for _ in range(2):
            session.send(prepared, timeout=5)
    sent = [headers["traceparent"] for _, _, headers in server.seen]
    assert len(set(sent)) == 2


def resend_counts(spans):
    return [span.attributes.get("http.request.resend_count") for span in spans]


def test_a_hop_counts_how_often_the_request_was_sent_again(spans, server):
    with requests.Session() as session:
        session.get(server.url + "/redirect", timeout=5)
        session.get(server.url, timeout=5)
    assert resend_counts(spans) == [None, 1, None]


def test_retries_of_the_adapter_are_counted_by_the_one_span(spans, server):
    with requests.Session() as session:
        retries = urllib3.Retry(2, status_forcelist=[503], backoff_factor=0, raise_on_status=False)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        assert session.get(server.url + "/status/503", timeout=5).status_code == 503
    assert len(server.seen) == 3
    assert resend_counts(spans) == [2]


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
def test_the_peer_is_the_sockets(spans, server, connection):
    url = server.url.replace("127.0.0.1", "localhost")
    requests.get(url, headers={"Connection": connection}, timeout=5)
    (span,) = spans
    assert span.attributes["server.address"] == "localhost"
    assert (span.attributes["network.peer.address"], span.attributes["network.peer.port"]) == ("127.0.0.1", server.port)


def test_an_adapter_of_the_programs_that_answers_itself_is_traced_without_a_peer(spans):
    class Canned(requests.adapters.HTTPAdapter):
        def get_connection_with_tls_context(self, *_, **__):
            return self

        def get_connection(self, *_, **__):  # before requests 2.32
            return self

        def urlopen(self, **_):
            return urllib3.HTTPResponse(body=io.BytesIO(), status=204, preload_content=False)

    with requests.Session() as session:
        session.mount("http://", Canned())
        assert session.get("http://canned.example/").status_code == 204
    (span,) = spans
    assert span.attributes["http.response.status_code"] == 204
    assert "network.peer.address" not in span.attributes


def test_the_programs_headers_and_the_sessions_stay_as_they_were(spans, server):
    mine = {"X-Mine": "kept"}
    with requests.Session() as session:
        before = dict(session.headers)
        session.get(server.url, headers=mine, timeout=5)
        assert dict(session.headers) == before
    assert mine == {"X-Mine": "kept"}


def test_a_request_that_was_signed_is_sent_as_it_was_signed(spans, server):
    signature = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=00"
    requests.get(server.url, headers={"Authorization": signature}, timeout=5)
    requests.get(server.url + "/object?X-Amz-Signature=00", timeout=5)
    assert len(spans) == 2
    assert not any("traceparent" in {name.lower() for name in headers} for _, _, headers in server.seen)
