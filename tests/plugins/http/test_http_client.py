"""http.client by itself"""

from __future__ import annotations

import gc
import http.client
import socket
import threading
import warnings
import weakref
from urllib.parse import urlsplit

import pytest
from opentelemetry import trace

from plugins.http.client_contract import HttpClientContract, server

__all__ = ["server"]


class TestHttpClient(HttpClientContract):
    def send(self, method, url, headers=None):
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
        try:
            connection.request(method, parts._replace(scheme="", netloc="").geturl(), headers=headers or {})
            with connection.getresponse() as response:
                return response.status
        finally:
            connection.close()


@pytest.fixture
def connection(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    yield connection
    connection.close()


def test_a_request_put_together_by_hand_is_a_span_with_its_traceparent(spans, server, connection):
    connection.putrequest("POST", "/by/hand")
    connection.putheader("Content-Length", "2")
    connection.endheaders()
    connection.send(b"ab")
    assert connection.getresponse().read() == b"ok"
    (span,) = spans
    assert (span.name, span.attributes["http.response.status_code"]) == ("POST", 200)
    assert span.span_id in server.headers()["traceparent"]


def test_requests_on_one_connection_are_a_span_each(spans, server, connection):
    for number in range(3):
        connection.request("GET", f"/{number}")
        connection.getresponse().read()
    assert [span.attributes["url.full"][-2:] for span in spans] == ["/0", "/1", "/2"]
    assert {span.attributes["network.peer.port"] for span in spans} == {server.port}


def test_what_the_program_does_before_the_answer_is_not_inside_the_request(spans, connection):
    connection.request("GET", "/")
    with trace.get_tracer("test").start_as_current_span("meanwhile"):
        pass
    connection.getresponse().read()
    (meanwhile,) = spans.named("meanwhile")
    assert meanwhile.parent_id is None


def test_a_request_that_is_given_up_ends_without_an_error(spans, connection):
    connection.request("GET", "/")
    connection.close()
    (span,) = spans
    assert span.status == "UNSET"
    assert "http.response.status_code" not in span.attributes


def test_an_answer_that_is_none_is_an_error(spans):
    def hang_up():
        peer, _ = listening.accept()
        with peer:
            peer.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=hang_up, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", listening.getsockname()[1], timeout=5)
        connection.request("GET", "/")
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)) as raised:
            connection.getresponse()
        connection.close()
    (span,) = spans
    assert span.attributes["error.type"].endswith(type(raised.value).__name__)


def test_a_request_that_may_not_be_sent_yet_leaves_the_one_before_it_alone(spans, connection):
    connection.request("GET", "/first")
    with pytest.raises(http.client.CannotSendRequest):
        connection.request("GET", "/second")
    connection.getresponse().read()
    (span,) = spans
    assert span.attributes["url.full"].endswith("/first")


def test_the_programs_own_traceparent_and_headers_stand(spans, server, connection):
    mine = {"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    connection.request("GET", "/", headers=mine)
    connection.getresponse().read()
    assert list(mine) == ["Traceparent"]
    assert server.headers()["traceparent"] == mine["Traceparent"]


def test_a_request_that_was_signed_is_sent_as_it_was_signed(spans, server, connection):
    signature = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu/s3/aws4_request, SignedHeaders=host, Signature=00"
    connection.request("GET", "/", headers={"authorization": signature})
    connection.getresponse().read()
    assert len(spans) == 1
    assert "traceparent" not in server.headers()


def test_a_tunnel_is_named_by_where_it_leads(spans, server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection._tunnel = lambda: None  # the proxy is of no interest here
    connection.set_tunnel("far.example", 8080)
    connection.request("GET", "/path")
    connection.getresponse().read()
    connection.close()
    (span,) = spans
    assert span.attributes["url.full"] == "http://far.example:8080/path"
    assert (span.attributes["server.address"], span.attributes["server.port"]) == ("far.example", 8080)
    assert span.attributes["network.peer.address"] == "127.0.0.1"


def test_a_subclass_that_calls_the_methods_of_its_base_by_name_works_and_is_traced(spans, server):
    class Old(http.client.HTTPConnection):
        def putrequest(self, method, url, *args, **kwargs):
            return http.client.HTTPConnection.putrequest(self, method, url, *args, **kwargs)

        def endheaders(self, *args, **kwargs):
            return http.client.HTTPConnection.endheaders(self, *args, **kwargs)

        def getresponse(self):
            return http.client.HTTPConnection.getresponse(self)

        def close(self):
            http.client.HTTPConnection.close(self)

    connection = Old("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/old")
    connection.getresponse().read()
    connection.close()
    (span,) = spans
    assert span.attributes["http.response.status_code"] == 200
    assert span.span_id in server.headers()["traceparent"]


def test_a_connection_that_is_dropped_unanswered_is_freed_at_once(spans, server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/")
    watched = weakref.ref(connection)
    gc.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # of the socket, as without us
            del connection
        assert watched() is None
    finally:
        gc.enable()


def test_methods_that_the_program_put_on_a_connection_are_called_and_stay(spans, server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    original, asked = connection.getresponse, []

    def own():
        asked.append("getresponse")
        return original()

    connection.getresponse = own
    connection.request("GET", "/")
    connection.getresponse().read()
    assert asked == ["getresponse"]
    assert connection.getresponse is own
    connection.close()
