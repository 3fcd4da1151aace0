"""Requests to a library's server that make each condition of the conventions' server span hold at least once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformity.counting import Score, count_duration, count_span
from conformity.registry import name_of_duration
from conformity.situation import ANY, Expected, OneOf, TemplateOf
from conformity.unknowable import UNKNOWABLE
from conformity.wire import ask
from remora.testing import collect
from support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformity.subjects import Subject
    from remora.testing import Spans

_FORWARDED = {"Forwarded": 'for="[2001:db8::7]:4711";proto=https;host=shop.example:8443'}
_X_FORWARDED = {
    "X_Forwarded_For": "203.0.113.9, 10.0.0.1",
    "X_Forwarded_Proto": "https",
    "X_Forwarded_Host": "shop.example",
}


def count_server(subject: Subject) -> Score:
    """Asks a running server of the library, one situation after the other."""
    score = Score(subject.library, subject.side)
    contract = subject.way()
    with collect(), contract.serving() as port:
        for situation in getattr(contract, "situations", Situations)(contract):
            with collect() as spans:
                expected = situation(port)
                wait_until("the request is measured", lambda spans=spans: _measured(spans), within_s=3)
            _count(score, expected, spans)
    return score


def _count(score: Score, expected: Expected, spans: Spans) -> None:
    servers = spans.of_kind("SERVER")
    score.check("span rules", len(servers) == 1, f"{len(servers)} SERVER spans in {expected.situation!r}")
    for span in servers[:1]:
        count_span(score, expected, span)
    count_duration(score, expected, spans.metrics)


def _measured(spans: Spans) -> bool:
    over = any(point.count for point in spans.metrics.named(name_of_duration("server")))
    under_way = sum(point.value or 0 for point in spans.metrics.named("http.server.active_requests"))
    return over and not under_way and bool(spans.of_kind("SERVER"))


class Situations:
    """What can be asked of an application as the server contract describes it."""

    scheme = "http"

    def __init__(self, contract: Any) -> None:
        self._knows_routes: bool = contract.knows_routes
        self._untold = UNKNOWABLE.get(type(contract).__name__.removeprefix("Test"), {})

    def __iter__(self) -> Iterator[Any]:
        yield from (
            self.a_query,
            self.no_query,
            self.a_server_error,
            self.a_client_error,
            self.an_exception,
            self.no_route,
            self.an_unknown_method,
            self.a_body,
            self.forwarded,
            self.x_forwarded,
            self.http_1_0,
            self.no_user_agent,
            self.a_streamed_answer,
        )

    def a_query(self, port: int) -> Expected:
        return self.expected("a query", port, "/items/7?a=1", route=True, **{"url.query": "a=1"})

    def no_query(self, port: int) -> Expected:
        return self.expected("no query", port, "/", route=True)

    def a_server_error(self, port: int) -> Expected:
        error = {"error.type": "503"}
        return self.expected("a server error", port, "/status/503", route=True, failed=True, status=503, **error)

    def a_client_error(self, port: int) -> Expected:
        return self.expected("a client error", port, "/status/418", route=True, status=418)

    def an_exception(self, port: int) -> Expected:
        error = {"error.type": OneOf(("500", "RuntimeError"))}
        return self.expected("an exception", port, "/boom", route=True, failed=True, status=500, **error)

    def no_route(self, port: int) -> Expected:
        return self.expected("no route", port, "/nowhere/at/all", status=404)

    def an_unknown_method(self, port: int) -> Expected:
        original = {"http.request.method": "_OTHER", "http.request.method_original": "PROPFIND"}
        return self.expected("an unknown method", port, "/nowhere", method="PROPFIND", status=ANY, **original)

    def a_body(self, port: int) -> Expected:
        post = {"http.request.method": "POST"}
        return self.expected("a body", port, "/nowhere", {"Content_Length": "0"}, method="POST", status=ANY, **post)

    def forwarded(self, port: int) -> Expected:
        seen = {
            "client.address": "2001:db8::7",
            "url.scheme": "https",
            "server.address": "shop.example",
            "server.port": 8443,
        }
        return self.expected("a proxy's Forwarded", port, "/", _FORWARDED, route=True, **seen)

    def x_forwarded(self, port: int) -> Expected:
        seen = {
            "client.address": "203.0.113.9",
            "url.scheme": "https",
            "server.address": "shop.example",
            "server.port": 443,
        }
        return self.expected("a proxy's X-Forwarded-*", port, "/", _X_FORWARDED, route=True, **seen)

    def http_1_0(self, port: int) -> Expected:
        return self.expected("HTTP/1.0", port, "/", route=True, version="1.0", **{"network.protocol.version": "1.0"})

    def no_user_agent(self, port: int) -> Expected:
        return self.expected("no user agent", port, "/", {"User_Agent": ""}, route=True)

    def a_streamed_answer(self, port: int) -> Expected:
        return self.expected("a streamed answer", port, "/stream", route=True)

    def expected(
        self,
        situation: str,
        port: int,
        target: str,
        headers: dict[str, str] | None = None,
        *,
        method: str = "GET",
        version: str = "1.1",
        route: bool = False,
        failed: bool = False,
        status: object = 200,
        **attributes: Any,
    ) -> Expected:
        """Asks, and says what every request has and what this one has besides."""
        answer = ask(port, target, method, version, **(headers or {}))
        wanted = {
            "http.request.method": method,
            "url.path": target.partition("?")[0],
            "url.scheme": self.scheme,
            "http.response.status_code": status,
            "server.address": "127.0.0.1",
            "server.port": port,
            "client.address": "127.0.0.1",
            "network.peer.address": "127.0.0.1",
            "network.peer.port": answer.peer_port,
            "network.protocol.version": "1.1",
            "user_agent.original": "tester/1",
            **attributes,
        }
        if headers and "User_Agent" in headers:
            del wanted["user_agent.original"]
        if answer.status is None:  # no page for it
            del wanted["http.response.status_code"]
        elif status is ANY:
            wanted["http.response.status_code"] = answer.status
            if answer.status >= 500:
                failed, wanted["error.type"] = True, str(answer.status)
        name = "HTTP" if wanted["http.request.method"] == "_OTHER" else method
        if route and self._knows_routes:
            wanted["http.route"] = TemplateOf(wanted["url.path"])
        told = {key: value for key, value in wanted.items() if key not in self._untold}
        return Expected(situation, "server", name, told, "ERROR" if failed else "UNSET", self._untold)
