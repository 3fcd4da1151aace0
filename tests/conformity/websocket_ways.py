"""websockets serves and asks for nothing but handshakes, so it is counted by situations of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformity import calling, serving
from plugins.http import test_websockets_client as clients
from plugins.http import test_websockets_server as servers
from plugins.http.client_contract import HttpClientContract
from plugins.http.server_contract import HttpServerContract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformity.situation import Expected

_HANDSHAKE = {name.replace("-", "_"): value for name, value in servers.HANDSHAKE.items()}


class Answered(serving.Situations):
    """Of a server: handshakes that succeed, are refused, fail, and what is none."""

    scheme = "ws"

    def __iter__(self) -> Iterator[Any]:
        yield from (self.a_query, self.no_query, self.a_client_error, self.an_exception, self.forwarded, self.no_route)

    def a_query(self, port: int) -> Expected:
        return self._shaken("a query", port, "/chat?a=1", **{"url.query": "a=1"})

    def no_query(self, port: int) -> Expected:
        return self._shaken("no query", port, "/chat")

    def a_client_error(self, port: int) -> Expected:
        return self._shaken("a refused handshake", port, "/refused", status=403)

    def an_exception(self, port: int) -> Expected:
        error = {"error.type": "500"}
        return self._shaken("an exception", port, "/boom", status=500, failed=True, **error)

    def forwarded(self, port: int) -> Expected:
        headers = {"X_Forwarded_For": "203.0.113.9"}
        return self._shaken("a proxy", port, "/chat", headers, **{"client.address": "203.0.113.9"})

    def no_route(self, port: int) -> Expected:
        return self.expected("no handshake", port, "/", status=426)

    def _shaken(
        self, situation: str, port: int, target: str, headers: dict[str, str] | None = None, **more: Any
    ) -> Expected:
        return self.expected(situation, port, target, {**_HANDSHAKE, **(headers or {})}, **{"status": 101, **more})


class Sent(calling.Situations):
    """Of a client: handshakes that succeed, are refused, and find nobody."""

    scheme = "ws"

    def __iter__(self) -> Iterator[Any]:
        yield from (self.a_query, self.a_client_error, self.a_server_error)
        if "a refused connection" not in self._untold:
            yield self.a_refused_connection

    def a_query(self, _: int) -> list[Expected]:
        with servers.serving_sync() as port:
            return [self.sent("a query", port, "/chat?q=1", **{"http.response.status_code": 101})]


class _Server(HttpServerContract):
    knows_routes = False
    situations = Answered


class TestWebsocketsServer(_Server):
    def serving(self) -> Any:
        return servers.serving_asyncio()


class TestWebsocketsLegacyServer(_Server):
    def serving(self) -> Any:
        return servers.serving_legacy()


class TestWebsocketsThreadedServer(_Server):
    def serving(self) -> Any:
        return servers.serving_sync()


class _Client(HttpClientContract):
    situations = Sent
    talk: Any = None

    def send(self, method: str, url: str, headers: dict[str, str] | None = None) -> int:
        """Raises what a refusal is told by: the status is the server's own."""
        try:
            type(self).talk(url, headers)
        except Exception as refused:
            if "HTTP" in str(refused):
                return 0
            raise
        return 101


class TestWebsocketsClient(_Client):
    talk = staticmethod(clients.by_asyncio)


class TestWebsocketsLegacyClient(_Client):
    talk = staticmethod(clients.by_legacy)


class TestWebsocketsThreadedClient(_Client):
    talk = staticmethod(clients.by_threads)
