"""An ASGI request: what its scope describes, and what is sent in answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from remora.conventions.scope import ScopeCall, request

SCOPE: dict[str, Any] = {
    "type": "http",
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/items/42",
    "query_string": b"page=2",
    "root_path": "",
    "headers": [(b"host", b"shop.example:8080"), (b"user-agent", b"curl/8")],
    "client": ("10.0.0.9", 5555),
    "server": ("127.0.0.1", 8000),
}


def asked(**more: Any) -> ScopeCall:
    return ScopeCall({**SCOPE, **more})


def answered(call: ScopeCall, *messages: Any) -> tuple[list[Any], list[str]]:
    """What the server gets when the application sends these, and what happened in which order."""
    sent: list[Any] = []
    order: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message)
        order.append("sent")

    async def answer() -> None:
        (_, _, sending), kwargs = call.serving((call.scope, None, send), {}, lambda: order.append("over"))
        assert kwargs == {}
        for message in messages:
            await sending(message)

    asyncio.run(answer())
    return sent, order


def test_the_scope_is_told_in_full() -> None:
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


def test_the_least_scope_is_enough() -> None:
    call = ScopeCall({"type": "http", "path": "/"})
    assert call.start() == {"http.request.method": "GET", "url.path": "/", "url.scheme": "http"}


@pytest.mark.parametrize("headers", [(), None, iter([(b"host", b"shop.example")])])
def test_headers_come_in_any_iterable(headers: Any) -> None:
    assert asked(headers=headers).start().get("server.address") in {"127.0.0.1", "shop.example"}


def test_a_header_sent_twice_reads_as_one() -> None:
    call = asked(headers=[(b"tracestate", b"a=1"), (b"tracestate", b"b=2")])
    assert call.header("tracestate") == "a=1, b=2"
    assert call.header("traceparent") is None


def test_the_request_is_over_when_its_last_message_is_sent() -> None:
    call = asked()
    start = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}
    more = {"type": "http.response.body", "body": b"a", "more_body": True}
    last = {"type": "http.response.body", "body": b"b"}
    assert answered(call, start, more, last) == ([start, more, last], ["sent", "sent", "sent", "over"])
    assert call.end(None) == {"http.response.status_code": 200}


@pytest.mark.parametrize("message", [{}, None, "text"])
def test_what_is_no_message_is_the_servers_to_refuse(message: Any) -> None:
    assert answered(asked(), message) == ([message], ["sent"])


def test_send_given_by_name_is_overheard_as_well() -> None:
    call = asked()

    async def send(_: Any) -> None:
        pass

    args, kwargs = call.serving((call.scope,), {"receive": None, "send": send}, lambda: None)
    assert args == (call.scope,)
    asyncio.run(kwargs["send"]({"type": "http.response.start", "status": 404}))
    assert call.status == 404


def test_the_exception_behind_an_error_page_is_told() -> None:
    call = asked()

    async def page() -> None:
        async def send(_: Any) -> None:
            pass

        sending = call.serving((call.scope, None, send), {}, lambda: None)[0][2]
        try:
            raise ValueError("broken")  # noqa: TRY301 - the exception is what is looked at
        except ValueError:
            await sending({"type": "http.response.start", "status": 500})

    asyncio.run(page())
    assert isinstance(call.exception, ValueError)


def test_a_websocket_is_accepted_with_101_and_refused_with_403() -> None:
    accepted, refused = asked(type="websocket"), asked(type="websocket")
    answered(accepted, {"type": "websocket.accept"})
    _, order = answered(refused, {"type": "websocket.close"})
    assert (accepted.status, refused.status) == (101, 403)
    assert order == ["sent", "over"]


def test_the_root_of_a_mounted_application_is_part_of_the_route() -> None:
    call = asked(root_path="/shop", path="/shop/items/42")
    call.route = "/items/{id}"
    assert call.end(None)["http.route"] == "/shop/items/{id}"


def test_a_lifespan_is_no_request() -> None:
    assert request(None, {"type": "lifespan"}) is None
    assert request(None, SCOPE) is not None
