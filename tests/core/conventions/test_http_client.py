"""Outgoing requests: what their spans are called and say."""

from __future__ import annotations

import asyncio
import http
from typing import Any

import pytest

from remora.conventions import methods, protocols
from remora.conventions.http_client import HttpClientCall


class Text(str):
    __slots__ = ()


def test_a_get_is_named_after_its_method_and_never_after_its_url() -> None:
    call = HttpClientCall("GET", "https://shop.example/items/42")
    assert call.name() == "GET"
    assert call.late_name() is None


def test_the_sampler_sees_method_address_port_and_url() -> None:
    assert HttpClientCall("GET", "https://shop.example/items?page=2", {}).start() == {
        "http.request.method": "GET",
        "server.address": "shop.example",
        "server.port": 443,
        "url.full": "https://shop.example/items?page=2",
    }


def test_an_unknown_method_is_other_and_keeps_its_original() -> None:
    call = HttpClientCall("BREW", "http://pot.example/")
    assert call.name() == "HTTP"
    start = call.start()
    assert (start["http.request.method"], start["http.request.method_original"]) == ("_OTHER", "BREW")


def test_methods_are_case_sensitive_as_on_the_wire() -> None:
    assert HttpClientCall("get", "http://a.example/").start()["http.request.method_original"] == "get"


@pytest.mark.parametrize(
    "method", ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"]
)
def test_the_methods_of_the_registry_are_known(method: str) -> None:
    assert HttpClientCall(method, "http://a.example/").name() == method


def test_the_known_methods_can_be_replaced_as_a_whole() -> None:
    methods.configure(["BREW", " WHEN "])
    try:
        assert HttpClientCall("BREW", "http://a.example/").name() == "BREW"
        assert HttpClientCall("WHEN", "http://a.example/").name() == "WHEN"
        assert HttpClientCall("GET", "http://a.example/").name() == "HTTP"
    finally:
        methods.configure(())
    assert HttpClientCall("GET", "http://a.example/").name() == "GET"


@pytest.mark.parametrize("method", ["GET", Text("GET"), b"GET"])
def test_the_method_becomes_an_exact_str(method: object) -> None:
    call = HttpClientCall(method, "http://a.example/")
    value = call.start()["http.request.method"]
    assert value == "GET"
    assert type(value) is str
    assert type(call.name()) is str


def test_a_call_without_a_method_still_makes_a_span() -> None:
    call = HttpClientCall(None, None)
    assert call.name() == "HTTP"
    assert call.start()["http.request.method"] == "_OTHER"


def test_a_good_answer_has_a_status_and_no_error() -> None:
    call = HttpClientCall("GET", "http://a.example/")
    call.status = http.HTTPStatus.OK
    end = call.end(None)
    assert end == {"http.response.status_code": 200}
    assert type(end["http.response.status_code"]) is int


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_answer_from_400_on_is_an_error_that_needs_no_description(status: int) -> None:
    call = HttpClientCall("GET", "http://a.example/")
    call.status = status
    assert call.end(None)["error.type"] == str(status)
    assert call.description(RuntimeError("what the code says")) is None


@pytest.mark.parametrize("status", [100, 204, 302, 399])
def test_other_answers_are_none(status: int) -> None:
    call = HttpClientCall("GET", "http://a.example/")
    call.status = status
    assert "error.type" not in call.end(None)


def test_a_builtin_exception_goes_without_its_module() -> None:
    call = HttpClientCall("GET", "http://a.example/")
    assert call.end(ConnectionResetError("gone"))["error.type"] == "ConnectionResetError"
    assert call.description(ConnectionResetError("gone")) == "gone"


def test_any_other_exception_is_fully_qualified() -> None:
    error = HttpClientCall("GET", "http://a.example/").end(asyncio.IncompleteReadError(b"", 1))["error.type"]
    assert error == "asyncio.exceptions.IncompleteReadError"


def test_an_exception_after_a_good_status_is_an_error_of_its_own() -> None:
    call = HttpClientCall("GET", "http://a.example/")
    call.status = 200
    assert call.end(TimeoutError())["error.type"] == "TimeoutError"


def test_the_library_may_name_the_error_itself() -> None:
    call = HttpClientCall("GET", "http://a.example/")
    call.error_type = "curl_28"
    assert call.end(None)["error.type"] == "curl_28"


@pytest.mark.parametrize("exception", [asyncio.CancelledError(), GeneratorExit()])
def test_a_call_given_up_by_its_caller_is_no_error(exception: BaseException) -> None:
    assert "error.type" not in HttpClientCall("GET", "http://a.example/").end(exception)


@pytest.mark.parametrize(
    ("told", "written"),
    [
        (11, "1.1"),
        (10, "1.0"),
        ("1", "1.0"),
        (20, "2"),
        ("HTTP/1.1", "1.1"),
        (b"HTTP/2", "2"),
        ("h2", "2"),
        ("h3", "3"),
        ("2.0", "2"),
        ((1, 1), "1.1"),
        ("http/1.1", "1.1"),
        ("", None),
        (None, None),
        ("?", None),
        ([], None),
    ],
)
def test_the_protocol_version_is_written_as_the_convention_wants_it(told: object, written: str | None) -> None:
    assert protocols.version(told) == written


def test_the_protocol_is_named_only_if_it_is_not_http() -> None:
    call = HttpClientCall("GET", "http://a.example/")
    call.protocol_version, call.protocol_name = "3.1", "SPDY"
    assert call.end(None)["network.protocol.name"] == "spdy"
    call.protocol_name = "HTTP"
    assert "network.protocol.name" not in call.end(None)


def test_the_peer_is_told_and_its_port_only_with_its_address() -> None:
    call = HttpClientCall("GET", "http://a.example/")
    call.peer_port = 80
    assert "network.peer.port" not in call.end(None)
    call.peer_address = "10.0.0.1"
    end = call.end(None)
    assert (end["network.peer.address"], end["network.peer.port"]) == ("10.0.0.1", 80)


def test_only_a_resent_request_is_counted() -> None:
    call = HttpClientCall("GET", "http://a.example/")
    assert "http.request.resend_count" not in call.end(None)
    call.resend_count = 2
    assert call.end(None)["http.request.resend_count"] == 2


def test_outgoing_headers_go_where_the_plugin_says() -> None:
    carrier: dict[str, str] = {}
    call = HttpClientCall("GET", "http://a.example/", carrier)
    assert call.injects
    assert call.carrier is carrier
    assert not call.extracts


@pytest.mark.parametrize("value", ["x", b"x", object(), 1.5, [], None, -1, 10**40])
def test_nothing_a_plugin_may_set_makes_it_raise(value: Any) -> None:
    call = HttpClientCall(value, value, {})
    call.status = call.protocol_version = call.protocol_name = call.peer_address = call.peer_port = value
    call.resend_count = value
    call.error_type = value
    start, end = call.start(), call.end(RuntimeError())
    assert all(type(found) in (str, int) for found in [*start.values(), *end.values()])
    assert type(call.name()) is str
