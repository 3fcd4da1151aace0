"""Requests by a library's client that make each condition of the conventions' client span hold at least once."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from conformity.counting import Score, count_duration, count_span
from conformity.registry import name_of_duration
from conformity.situation import Expected, TypeNamed
from conformity.unknowable import UNKNOWABLE
from plugins.http.client_contract import Server
from remora.testing import collect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformity.subjects import Subject

_OF_AN_ANSWER = ("http.response.status_code", "network.protocol.version")


def count_client(subject: Subject) -> Score:
    """Sends requests by the library to a server of the tests, one situation after the other."""
    score = Score(subject.library, subject.side)
    contract = subject.way()
    for situation in getattr(contract, "situations", Situations)(contract):
        with collect() as spans, Server() as server:
            wanted = situation(server.port)
        clients = spans.of_kind("CLIENT")
        where = f"in {wanted[0].situation!r}"
        score.check("span rules", len(clients) == len(wanted), f"{len(clients)} CLIENT spans {where}")
        for expected, span in zip(wanted, clients, strict=False):
            count_span(score, expected, span)
            count_duration(score, expected, spans.metrics)
        counted = sum(point.count or 0 for point in spans.metrics.named(name_of_duration("client")))
        score.check("metrics", counted == len(wanted), f"{counted} durations {where}")
    return score


class Situations:
    """What can be sent by a client as the client contract describes it."""

    scheme = "http"

    def __init__(self, contract: Any) -> None:
        self._contract = contract
        self._untold = UNKNOWABLE.get(type(contract).__name__.removeprefix("Test"), {})

    def __iter__(self) -> Iterator[Any]:
        yield from (
            self.a_query,
            self.a_name,
            self.a_body,
            self.a_client_error,
            self.a_server_error,
            self.an_unknown_method,
            self.a_refused_connection,
            self.no_answer,
        )
        if self._contract.follows_redirects:
            yield self.a_redirect

    def a_query(self, port: int) -> list[Expected]:
        return [self.sent("a query", port, "/path?q=1")]

    def a_name(self, port: int) -> list[Expected]:
        return [self.sent("a host with a name", port, "/", host="localhost")]

    def a_body(self, port: int) -> list[Expected]:
        return [self.sent("a body", port, "/", method="POST", **{"http.request.method": "POST"})]

    def a_client_error(self, port: int) -> list[Expected]:
        error = {"http.response.status_code": 404, "error.type": "404"}
        return [self.sent("a client error", port, "/status/404", failed=True, **error)]

    def a_server_error(self, port: int) -> list[Expected]:
        error = {"http.response.status_code": 503, "error.type": "503"}
        return [self.sent("a server error", port, "/status/503", failed=True, **error)]

    def an_unknown_method(self, port: int) -> list[Expected]:
        original = {"http.request.method": "_OTHER", "http.request.method_original": "BREW"}
        return [self.sent("an unknown method", port, "/", method="BREW", **original)]

    def a_refused_connection(self, _: int) -> list[Expected]:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            return [self._failed("a refused connection", nobody.getsockname()[1], "GET")]

    def no_answer(self, _: int) -> list[Expected]:
        with _closing() as port:
            return [self._failed("a connection closed without an answer", port, "POST", connected=True)]

    def a_redirect(self, port: int) -> list[Expected]:
        url = f"http://127.0.0.1:{port}"
        assert self._contract.follow(url + "/redirect") == 200
        first = {**self._told(url + "/redirect", port), "http.response.status_code": 302}
        second = {**self._told(url + "/landed", port), "http.request.resend_count": 1}
        return [self._expected("a redirect", first), self._expected("a request sent again", second)]

    def sent(
        self,
        situation: str,
        port: int,
        target: str,
        *,
        method: str = "GET",
        host: str = "127.0.0.1",
        failed: bool = False,
        **attributes: Any,
    ) -> Expected:
        """Sends, and says what every request has and what this one has besides."""
        url = f"{self.scheme}://{host}:{port}{target}"
        self._contract.send(method, url)
        told = {**self._told(url, port), "server.address": host, **attributes}
        return self._expected(situation, told, failed=failed)

    def _failed(self, situation: str, port: int, method: str, *, connected: bool = False) -> Expected:
        url = f"{self.scheme}://127.0.0.1:{port}/"
        error = _raised(self._contract.send, method, url)
        told = {**self._told(url, port), "http.request.method": method}
        for key in _OF_AN_ANSWER:
            del told[key]
        peer = {key: told.pop(key) for key in ("network.peer.address", "network.peer.port")}
        expected = self._expected(situation, {**told, "error.type": TypeNamed(_names(error))}, failed=True)
        # Who is told that the connection broke has no socket any more to ask.
        return replace(expected, may_be=frozenset(peer)) if connected else expected

    def _told(self, url: str, port: int) -> dict[str, Any]:
        return {
            "http.request.method": "GET",
            "server.address": "127.0.0.1",
            "server.port": port,
            "url.full": url,
            "http.response.status_code": 200,
            "network.peer.address": "127.0.0.1",
            "network.peer.port": port,
            "network.protocol.version": "1.1",
        }

    def _expected(self, situation: str, attributes: dict[str, Any], *, failed: bool = False) -> Expected:
        method = attributes["http.request.method"]
        told = {key: value for key, value in attributes.items() if key not in self._untold}
        name = "HTTP" if method == "_OTHER" else method
        return Expected(situation, "client", name, told, "ERROR" if failed else "UNSET", self._untold)


def _names(error: BaseException | None) -> tuple[str, ...]:
    """Of what was raised and of what it was raised from: libraries wrap what an attempt ends with."""
    return () if error is None else (type(error).__name__, *_names(error.__cause__ or error.__context__))


def _raised(call: Any, *arguments: Any) -> Exception:
    try:
        call(*arguments)
    except Exception as error:
        return error
    raise AssertionError("the library raised nothing")


@contextmanager
def _closing() -> Iterator[int]:
    """A server that reads what it is sent and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)
