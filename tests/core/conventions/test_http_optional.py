"""Attributes that are opt-in: those the registry has, and none that nobody asked for."""

from __future__ import annotations

from typing import Any

import pytest

from remora.conventions import http_optional
from remora.conventions.captured_headers import Captured
from remora.conventions.http_client import HttpClientCall
from remora.conventions.http_client_optional import HttpClientOptional
from remora.conventions.http_server import HttpServerCall
from remora.conventions.http_server_optional import HttpServerOptional
from remora.conventions.keys import HTTP_REQUEST_HEADER, HTTP_RESPONSE_HEADER
from remora.conventions.url_templates import UrlTemplates

# What no library knows: the bytes of head and body together.
NOT_KNOWN = {"http.request.size", "http.response.size"}
HEADERS = {"content-length": "7", "x-a": "1"}


class Request(HttpServerCall):
    def request_headers(self) -> Any:
        return HEADERS


def server_call(**more: Any) -> HttpServerCall:
    more = {"peer_address": "10.0.0.9", "peer_port": 5555, "host": "10.0.0.1", "port": 8080, **more}
    call = Request("GET", "http", "/", None, {"user-agent": "AlwaysOn/1"}.get, **more)
    call.response_headers = HEADERS
    return call


def client_call() -> HttpClientCall:
    call = HttpClientCall("GET", "https://a.example/users/7?a=1", {"User-Agent": "Googlebot", **HEADERS})
    call.response_headers = HEADERS
    return call


def captured() -> tuple[Captured, Captured]:
    return Captured(HTTP_REQUEST_HEADER, ["x-a"], ()), Captured(HTTP_RESPONSE_HEADER, ["x-a"], ())


def server_told(call: HttpServerCall, *names: str) -> dict[str, Any]:
    optional = HttpServerOptional(http_optional.wanted(names, http_optional.SERVER), *captured())
    before = call.start()
    attributes = dict(before)
    assert optional.begun(call, "GET", attributes) == "GET"
    optional.ended(call, attributes)
    return {name: value for name, value in attributes.items() if name not in before}


def client_told(call: HttpClientCall, *names: str) -> dict[str, Any]:
    templates = UrlTemplates(["/users/{id}"])
    optional = HttpClientOptional(http_optional.wanted(names, http_optional.CLIENT), *captured(), templates)
    before = call.start()
    attributes = dict(before)
    assert optional.begun(call, "GET", attributes) == "GET /users/{id}"
    optional.ended(call, attributes)
    return {name: value for name, value in attributes.items() if name not in before}


@pytest.mark.parametrize("span", ["http.server", "http.client"])
def test_every_opt_in_attribute_of_the_registry_can_be_had(span: str, registry: Any) -> None:
    told = server_told(server_call(), "*") if span == "http.server" else client_told(client_call(), "*")
    had = {name.partition("header.")[0] + ("header" if ".header." in name else "") for name in told}
    rows = registry["spans"][span]["attributes"]
    assert had == {name for name, row in rows.items() if row["requirement_level"] == "opt_in"} - NOT_KNOWN


def test_the_values_have_the_types_of_the_registry(registry: Any) -> None:
    for name, value in {**server_told(server_call(), "*"), **client_told(client_call(), "*")}.items():
        if ".header." in name:
            assert type(value) is tuple
        else:
            row = registry["attributes"][name]
            assert type(value) is (int if row["type"] == "int" else str), name
            assert "members" not in row or value in {member["value"] for member in row["members"]}


def test_a_server_tells_what_its_socket_is() -> None:
    told = server_told(server_call(), "network.*", "client.port")
    assert (told["network.local.address"], told["network.local.port"], told["client.port"]) == ("10.0.0.1", 8080, 5555)
    assert told["network.transport"] == "tcp"
    assert server_told(server_call(peer_address="/run/app.sock"), "network.transport")["network.transport"] == "unix"
    assert server_told(server_call(protocol_version="3"), "network.transport")["network.transport"] == "quic"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "shop.example", "", None])
def test_a_name_or_a_wildcard_is_no_local_address(host: str | None) -> None:
    assert "network.local.address" not in server_told(server_call(host=host), "network.local.*")


def test_the_port_of_a_proxy_is_not_the_clients() -> None:
    call = server_call()
    call.reader = {"x-forwarded-for": "203.0.113.7"}.get
    assert "client.port" not in server_told(call, "client.port")


def test_headers_that_cannot_be_read_cost_their_attributes_and_nothing_else(capfd: pytest.CaptureFixture[str]) -> None:
    call = server_call()
    call.response_headers = 7
    told = server_told(call, "http.*")
    assert told["http.request.body.size"] == 7
    assert "opt-in attribute could not be read" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("Twitterbot", "bot"),
        ("my-crawler", "bot"),
        ("AlwaysOn Monitor", "test"),
        ("Mozilla/5.0 (X11; Linux x86_64)", None),
        ("Cubot X18", None),
        ("", None),
    ],
)
def test_bots_and_tests_are_told_by_their_words(agent: str, kind: str | None) -> None:
    attributes: dict[str, Any] = {}
    http_optional.put_synthetic_type(attributes, agent)
    assert attributes.get("user_agent.synthetic.type") == kind


TEMPLATES = [
    ("a.example", "/users/7", "/users/{id}"),
    ("a.example", "/users/7/", "/users/{id}"),
    ("a.example", "/users/7/x", None),
    ("a.example", "/users/", None),
    ("a.example", "/a/b/c.d", "/a/:b/c.d"),
    ("a.example", "/a/b/cxd", None),
    ("files.example", "/1/2", "/{a}/{b}"),
    ("FILES.example", "/1/2", "/{a}/{b}"),
    ("other.example", "/1/2", None),
]


@pytest.mark.parametrize(("host", "path", "template"), TEMPLATES)
def test_a_listed_template_fits_whole_paths_on_its_host(host: str, path: str, template: str | None) -> None:
    listed = UrlTemplates(["/users/{id}", "/a/:b/c.d", "*files.example/{a}/{b}"])
    assert listed.find(host, path) == template
