"""Incoming requests: whom they are from, whom they are for, and when they have failed."""

from __future__ import annotations

import asyncio
import email.message
from typing import Any

import pytest

from remora.conventions import headers
from remora.conventions.http_server import HttpServerCall


def served(given: dict[str, str] | None = None, **more: Any) -> HttpServerCall:
    given = {"Host": "shop.example"} if given is None else given
    more.setdefault("peer_address", "10.0.0.9")
    return HttpServerCall(
        more.pop("method", "GET"),
        more.pop("scheme", "http"),
        more.pop("path", "/items/42"),
        more.pop("query", None),
        {name.lower(): value for name, value in given.items()}.get,
        **more,
    )


def test_a_plain_request_is_told_in_full() -> None:
    call = served(
        {"Host": "shop.example:8080", "User-Agent": "curl/8"},
        query="page=2",
        peer_port=5555,
        protocol_version="HTTP/1.1",
    )
    assert call.start() == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/items/42",
        "url.query": "page=2",
        "server.address": "shop.example",
        "server.port": 8080,
        "client.address": "10.0.0.9",
        "user_agent.original": "curl/8",
        "network.peer.address": "10.0.0.9",
        "network.peer.port": 5555,
        "network.protocol.version": "1.1",
    }


def test_the_span_takes_the_route_into_its_name_and_never_the_path() -> None:
    call = served()
    assert call.name() == "GET"
    assert call.late_name() is None
    call.route = "/items/{id}"
    assert call.late_name() == "GET /items/{id}"
    assert call.end(None)["http.route"] == "/items/{id}"


def test_an_empty_route_is_none() -> None:
    call = served()
    call.route = ""
    assert call.late_name() is None
    assert "http.route" not in call.end(None)


def test_an_unknown_method_does_not_get_into_the_name() -> None:
    call = served(method="X" * 1000)
    call.route = "/a"
    assert call.late_name() == "HTTP /a"
    start = call.start()
    assert start["http.request.method"] == "_OTHER"
    assert len(start["http.request.method_original"]) < 100


SERVERS = [
    ({"Host": "a.example"}, "http", ("a.example", 80)),
    ({"Host": "a.example"}, "https", ("a.example", 443)),
    ({"Host": "a.example:8080"}, "http", ("a.example", 8080)),
    ({"Host": "[2001:db8::1]:8080"}, "http", ("2001:db8::1", 8080)),
    ({"Host": "[::1]"}, "http", ("::1", 80)),
    ({"Host": "in:1", "X-Forwarded-Host": "out.example"}, "http", ("out.example", 80)),
    ({"Host": "in:1", "X-Forwarded-Host": "out.example", "X-Forwarded-Proto": "https"}, "http", ("out.example", 443)),
    ({"Host": "in:1", "X-Forwarded-Host": "out.example:9, mid"}, "http", ("out.example", 9)),
    ({"Host": "in", "X-Forwarded-Host": "out.example", "X-Forwarded-Port": "8443"}, "http", ("out.example", 8443)),
    ({"Host": "in:1", "Forwarded": "host=out.example:81;proto=https"}, "http", ("out.example", 81)),
    (
        {"Host": "in:1", "Forwarded": 'for=a;host="out.example:81"', "X-Forwarded-Host": "b"},
        "http",
        ("out.example", 81),
    ),
    ({"Host": "in:1", "X-Forwarded-Host": "<script>"}, "http", ("in", 1)),
]


@pytest.mark.parametrize(("given", "scheme", "expected"), SERVERS)
def test_the_server_is_the_one_the_client_asked_for(
    given: dict[str, str], scheme: str, expected: tuple[str, int]
) -> None:
    start = served(given, scheme=scheme).start()
    assert (start["server.address"], start["server.port"]) == expected


def test_without_a_host_header_the_server_names_itself() -> None:
    start = served({}, host="localhost", port="8000").start()
    assert (start["server.address"], start["server.port"]) == ("localhost", 8000)


CLIENTS = [
    ({}, "10.0.0.9"),
    ({"X-Real-IP": "203.0.113.7"}, "203.0.113.7"),
    ({"X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
    ({"X-Forwarded-For": "203.0.113.7, 198.51.100.2"}, "203.0.113.7"),
    ({"X-Forwarded-For": "203.0.113.7:1234"}, "203.0.113.7"),
    ({"X-Forwarded-For": "2001:db8::7"}, "2001:db8::7"),
    ({"X-Forwarded-For": "[2001:db8::7]:99"}, "2001:db8::7"),
    ({"X-Forwarded-For": "unknown, 198.51.100.2"}, "198.51.100.2"),
    ({"X-Forwarded-For": ", ,"}, "10.0.0.9"),
    ({"X-Forwarded-For": "' or 1=1 --"}, "10.0.0.9"),
    ({"X-Forwarded-For": "1" * 5000}, "10.0.0.9"),
    ({"Forwarded": "for=203.0.113.7"}, "203.0.113.7"),
    ({"Forwarded": 'For="[2001:db8::7]:4711"'}, "2001:db8::7"),
    ({"Forwarded": "for=_hidden, for=198.51.100.2"}, "198.51.100.2"),
    ({"Forwarded": "for=unknown;proto=https", "X-Forwarded-For": "203.0.113.7"}, "203.0.113.7"),
    ({"Forwarded": "for=203.0.113.7, for=198.51.100.2", "X-Forwarded-For": "192.0.2.1"}, "203.0.113.7"),
    ({"Forwarded": 'for="203.0.113.7;by=x'}, "10.0.0.9"),
    ({"Forwarded": ";;,=,for"}, "10.0.0.9"),
]


@pytest.mark.parametrize(("given", "expected"), CLIENTS)
def test_the_client_is_the_first_that_the_proxies_saw(given: dict[str, str], expected: str) -> None:
    assert served({"Host": "a.example", **given}).start()["client.address"] == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"X-Forwarded-Proto": "HTTPS"}, "https"),
        ({"X-Forwarded-Proto": "https, http"}, "https"),
        ({"Forwarded": 'proto="https"'}, "https"),
        ({"X-Forwarded-Proto": "<x>"}, "http"),
        ({}, "http"),
    ],
)
def test_the_scheme_is_the_one_the_client_used(given: dict[str, str], expected: str) -> None:
    assert served(given).start()["url.scheme"] == expected


def test_secrets_in_query_and_path_are_redacted_and_their_keys_stay() -> None:
    start = served(path="/a;jsessionid=s3cret/b", query=b"x=1&sig=s3cret&token=s3cret").start()
    assert start["url.path"] == "/a;jsessionid=REDACTED/b"
    assert start["url.query"] == "x=1&sig=REDACTED&token=REDACTED"


@pytest.mark.parametrize("query", ["", b"", None])
def test_without_a_query_there_is_no_query(query: object) -> None:
    assert "url.query" not in served(query=query).start()


def test_a_path_is_always_told() -> None:
    assert served(path="").start()["url.path"] == "/"


def test_a_server_error_is_an_error_that_needs_no_description() -> None:
    call = served()
    call.status = 503
    assert call.end(None) == {"http.response.status_code": 503, "error.type": "503"}
    assert call.description(RuntimeError("no")) is None


@pytest.mark.parametrize("status", [200, 302, 400, 404, 499])
def test_what_the_client_got_wrong_is_no_error_of_the_server(status: int) -> None:
    call = served()
    call.status = status
    assert "error.type" not in call.end(None)


def test_an_exception_is_an_error_and_its_message_is_redacted() -> None:
    call = served()
    assert call.end(ValueError("bad"))["error.type"] == "ValueError"
    assert call.description(ValueError("password=s3cret")) == "password=REDACTED"


class ClientDisconnect(Exception):  # noqa: N818 - the name is the point
    """Starlette's has this name."""


@pytest.mark.parametrize("exception", [GeneratorExit(), asyncio.CancelledError(), ClientDisconnect()])
def test_a_client_that_goes_away_is_no_error(exception: BaseException) -> None:
    call = served()
    call.status = 200
    assert "error.type" not in call.end(exception)


def test_the_plugin_can_tell_that_the_client_went_away() -> None:
    call = served()
    call.disconnected = True
    assert "error.type" not in call.end(BrokenPipeError())


def test_incoming_headers_are_read_whatever_the_server_keeps_them_in() -> None:
    for value in ("00-x", b"00-x"):
        call = HttpServerCall("GET", "http", "/", header={"traceparent": value}.get)
        assert call.header("traceparent") == "00-x"
        assert call.header("tracestate") is None
    assert HttpServerCall("GET", "http", "/").header("traceparent") is None
    assert HttpServerCall.extracts


def test_a_header_sent_more_than_once_reads_as_one_list() -> None:
    message = email.message.Message()
    for state in ("a=1", "b=2"):
        message["TraceState"] = state
    plain = {"tracestate": "a=1, b=2"}
    for read in (headers.of_multidict(message), headers.of_multidict(plain)):
        call = HttpServerCall("GET", "http", "/", header=read)
        assert call.header("tracestate") == "a=1, b=2"
        assert call.header("traceparent") is None


@pytest.mark.parametrize("value", ["x", b"\xff", object(), 1.5, [], None, -1])
def test_nothing_a_server_may_hand_over_makes_it_raise(value: Any) -> None:
    call = HttpServerCall(
        value,
        value,
        value,
        value,
        lambda _: value,
        peer_address=value,
        peer_port=value,
        protocol_version=value,
        host=value,
    )
    call.status = call.route = call.error_type = value
    found = [*call.start().values(), *call.end(RuntimeError()).values()]
    assert all(type(each) in (str, int) for each in found)
