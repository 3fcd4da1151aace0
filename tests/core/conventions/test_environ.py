"""A WSGI request: what its environ says, and what it answered."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from remora.conventions.environ import EnvironCall

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/items/42",
    "QUERY_STRING": "page=2",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_NAME": "internal",
    "SERVER_PORT": "8000",
    "REMOTE_ADDR": "10.0.0.9",
    "REMOTE_PORT": "5555",
    "wsgi.url_scheme": "http",
    "HTTP_HOST": "shop.example:8080",
    "HTTP_USER_AGENT": "curl/8",
}


def asked(**more: Any) -> EnvironCall:
    return EnvironCall({**ENVIRON, **more})


def answered(call: EnvironCall, *status: Any, **named: Any) -> list[Any]:
    """What the server is told when the application answers through the ``start_response`` it is given."""
    told: list[Any] = []

    def start_response(*args: Any, **kwargs: Any) -> str:
        told.extend([args, kwargs])
        return "write"

    (_, listening), kwargs = call.arguments(({}, start_response), {})
    assert kwargs == {}
    assert listening(*status, **named) == "write"
    return told


def test_the_environ_is_told_in_full() -> None:
    assert asked().start() == {
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


def test_what_a_proxy_forwarded_goes_first() -> None:
    forwarded = {"HTTP_X_FORWARDED_FOR": "203.0.113.9", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_HOST": "shop.example"}
    attributes = asked(**forwarded).start()
    assert attributes["client.address"] == "203.0.113.9"
    assert (attributes["url.scheme"], attributes["server.port"]) == ("https", 443)
    assert attributes["user_agent.original"] == "curl/8"


def test_a_mapping_that_is_no_dict_is_read_all_the_same() -> None:
    class Frozen(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return ENVIRON[key]

        def __iter__(self) -> Any:
            return iter(ENVIRON)

        def __len__(self) -> int:
            return len(ENVIRON)

    assert EnvironCall(Frozen()).start() == asked().start()


def test_any_header_can_be_asked_for() -> None:
    call = asked(HTTP_TRACEPARENT="00-x", HTTP_X_REQUEST_ID="7")
    assert call.header("traceparent") == "00-x"
    assert [call.header("x-request-id") for _ in range(2)] == ["7", "7"]
    assert call.header("baggage") is None


def test_the_root_of_a_mounted_application_is_part_of_path_and_route() -> None:
    call = asked(SCRIPT_NAME="/shop", PATH_INFO="/items/42")
    assert call.start()["url.path"] == "/shop/items/42"
    call.route = "/items/<id>"
    assert call.end(None)["http.route"] == "/shop/items/<id>"


def test_a_root_that_a_header_names_is_no_part_of_the_route() -> None:
    call = asked(SCRIPT_NAME="/made-up", HTTP_SCRIPT_NAME="/made-up")
    call.route = "/items/<id>"
    assert call.end(None)["http.route"] == "/items/<id>"


def test_paths_are_bytes_in_latin_1_and_text_in_utf_8() -> None:
    assert asked(PATH_INFO="/caf\u00c3\u00a9").start()["url.path"] == "/caf\u00e9"


def test_the_status_is_overheard_and_passed_on() -> None:
    call = asked()
    assert answered(call, "404 Not Found", [("a", "b")]) == [("404 Not Found", [("a", "b")]), {}]
    assert call.end(None) == {"http.response.status_code": 404}


def test_a_start_response_given_by_name_is_overheard_as_well() -> None:
    call = asked()
    args, kwargs = call.arguments(({},), {"start_response": lambda *_: "write"})
    assert args == ({},)
    assert kwargs["start_response"]("200 OK", []) == "write"
    assert call.status == 200


@pytest.mark.parametrize("line", ["OK", "", "2xx"])
def test_a_status_without_a_number_is_passed_on_and_not_told(line: str) -> None:
    call = asked()
    assert answered(call, line, [])[0] == (line, [])
    assert call.status is None


def test_an_error_page_tells_the_exception_it_is_for() -> None:
    call = asked()
    try:
        raise ValueError("broken")  # noqa: TRY301 - the exception is what is looked at
    except ValueError:
        answered(call, "500 Oops", [], sys.exc_info())
    assert isinstance(call.exception, ValueError)


def test_an_application_that_raises_before_it_answers_is_a_500() -> None:
    found = asked().end(ValueError("broken"))
    assert (found["http.response.status_code"], found["error.type"]) == (500, "500")


def test_a_file_that_the_server_sends_itself_is_left_whole() -> None:
    class FileWrapper:
        pass

    call = asked(**{"wsgi.file_wrapper": FileWrapper})
    assert call.whole(FileWrapper())
    assert not call.whole(iter(()))
