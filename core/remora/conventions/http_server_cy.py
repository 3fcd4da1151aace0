"""An incoming HTTP request: one SERVER span, named by its route as soon as the framework knows it.

Compiled when it can be; the same source either way.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

from remora.conventions import errors, headers, methods, metrics
from remora.conventions import url_cy as url
from remora.conventions.call import HTTP_SERVER, SERVER
from remora.conventions.keys import (
    CLIENT_ADDRESS,
    ERROR_TYPE,
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
    SERVER_ADDRESS,
    SERVER_PORT,
    URL_PATH,
    URL_QUERY,
    URL_SCHEME,
    USER_AGENT_ORIGINAL,
)

if not cython.compiled:
    from remora.conventions.call_cy import Call
    from remora.conventions.network_cy import put_network
    from remora.conventions.redaction_cy import url_query
    from remora.conventions.values_cy import exact_int, exact_text
else:
    from cython.cimports.remora.conventions.call_cy import Call
    from cython.cimports.remora.conventions.network_cy import put_network
    from cython.cimports.remora.conventions.redaction_cy import url_query
    from cython.cimports.remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

COMPILED = cython.compiled
_MAX_USER_AGENT_CHARS = 512
_MAX_HOSTS = 256

# Raised into the application when the client has gone; by name, so that no framework is imported for it.
_DISCONNECTS = frozenset({"ClientDisconnect", "ClientDisconnected"})

_known: dict[str, str] = methods.KNOWN
_hosts: dict[str, tuple[str | None, int | None]] = {}
_ports: dict[str, int] = url.DEFAULT_PORTS
_trusts_forwarded: bool = True


def trust_forwarded(trusts: bool) -> None:
    """Whether Forwarded, X-Forwarded-* and X-Real-IP are believed; called once, at boot."""
    global _trusts_forwarded
    _trusts_forwarded = trusts


@cython.cclass
class HttpServerCall(Call):
    """One request the program serves.

    ``scheme``, ``path`` and ``query`` as the server has them (str or bytes; the path with the application's root);
    ``header`` reads a request header by its lower-case name (``conventions.headers.of_multidict`` makes one, and of a
    WSGI or ASGI request there is a record in ``conventions.environ`` and ``conventions.scope``); ``peer_address`` and
    ``peer_port`` are the socket's; ``host`` and ``port`` the server's own, used only where
    the request has no Host header.

    To be set afterwards, where known: ``status``; ``route``, the template that matched, never the path;
    ``exception``, if the framework answered an unhandled one itself; ``disconnected``, if the client went away;
    ``error_type``, a short fixed code for any other failure; ``response_headers`` in any shape that
    ``conventions.header_pairs`` reads.
    """

    family = HTTP_SERVER
    kind = SERVER
    extracts = True
    duration = metrics.HTTP_SERVER_REQUEST_DURATION
    active = metrics.HTTP_SERVER_ACTIVE_REQUESTS

    if not cython.compiled:
        __slots__ = (
            "disconnected",
            "error_type",
            "exception",
            "host",
            "method",
            "path",
            "peer_address",
            "peer_port",
            "port",
            "protocol_name",
            "protocol_version",
            "query",
            "reader",
            "response_headers",
            "route",
            "scheme",
            "status",
        )

    def __init__(
        self,
        method: object,
        scheme: object,
        path: object,
        query: object = None,
        header: Callable[[str], object] | None = None,
        *,
        peer_address: object = None,
        peer_port: object = None,
        protocol_version: object = None,
        host: object = None,
        port: object = None,
    ) -> None:
        self.carrier = None
        self.method = method
        self.scheme = scheme
        self.path = path
        self.query = query
        self.reader = header
        self.peer_address = peer_address
        self.peer_port = peer_port
        self.protocol_version = protocol_version
        self.protocol_name: object = None
        self.host = host
        self.port = port
        self.status: object = None
        self.route: object = None
        self.disconnected = False
        self.error_type: str | None = None
        self.exception: BaseException | None = None
        self.response_headers: object = None

    def release(self) -> Any:
        """Lets go of the request."""
        self.reader = None
        self.carrier = None
        self.response_headers = None
        return None

    def request_headers(self) -> Any:
        """All of the request's headers, for those who want to capture some; None: only ``header`` knows them."""
        return None

    def header(self, name: str) -> str | None:
        """One request header by its lower-case name."""
        read = self.reader
        if read is None:
            return None
        value = read(name)
        return value if type(value) is str or value is None else exact_text(value)

    def name(self) -> str:
        """The method, until the route is known."""
        method = self.method
        if type(method) is str:
            known = _known.get(method)
            if known is not None:
                return known
        return methods.name(method)

    def start(self) -> dict[str, Any]:
        """All the convention lets a sampler see, as the client saw it: what proxies forward goes first."""
        attributes: dict[str, Any] = {}
        method = self.method
        known = _known.get(method) if type(method) is str else None
        if known is not None:
            attributes[HTTP_REQUEST_METHOD] = known
        else:
            methods.put(attributes, method)
        path: Any = self.path
        if type(path) is not str:
            path = exact_text(path)
        if not path:
            path = "/"
        elif len(path) > url.MAX_URL_CHARS:
            path = path[: url.MAX_URL_CHARS]
        attributes[URL_PATH] = url.without_path_secrets(path) if ";" in path or "@" in path or "%" in path else path
        query: Any = self.query
        if query:
            if type(query) is not str:
                query = exact_text(query) or ""
            query = query.removeprefix("?")
            if query:
                attributes[URL_QUERY] = url_query(query)
        self.put_from_headers(attributes)
        if self.protocol_version is not None or self.peer_address is not None:
            put_network(attributes, self.protocol_name, self.protocol_version, self.peer_address, self.peer_port)
        return attributes

    def put_from_headers(self, attributes: dict[str, Any]) -> Any:
        """What the request's headers tell: the proxies' before the request's own."""
        client = host = scheme = None
        if not _trusts_forwarded:
            value = self.header("user-agent")
            if value:
                self.put_agent(attributes, value)
            return self.put_addresses(attributes, None, self.header("host") or self.header(":authority"), None, None)
        value = self.header("forwarded")
        if value:
            forwarded = headers.Forwarded(value)
            client, host, scheme = forwarded.client, forwarded.host, forwarded.scheme
        if client is None:
            value = self.header("x-forwarded-for")
            if value:
                client = headers.forwarded_for(value)
            if client is None:
                value = self.header("x-real-ip")
                if value:
                    client = headers.node(value)
        if host is None:
            value = self.header("x-forwarded-host")
            if value:
                host = headers.authority(value)
        if scheme is None:
            value = self.header("x-forwarded-proto")
            if value:
                scheme = headers.scheme(value)
        value = self.header("user-agent")
        if value:
            self.put_agent(attributes, value)
        if host is None:
            host = self.header("host") or self.header(":authority")
        return self.put_addresses(attributes, client, host, scheme, self.header("x-forwarded-port"))

    def put_agent(self, attributes: dict[str, Any], agent: str) -> Any:
        """Sets the program that the client is."""
        attributes[USER_AGENT_ORIGINAL] = (
            agent if len(agent) <= _MAX_USER_AGENT_CHARS else agent[:_MAX_USER_AGENT_CHARS]
        )
        return None

    def put_addresses(self, attributes: dict[str, Any], client: Any, host: Any, scheme: Any, port: Any) -> Any:
        """Sets scheme, server and client; ``port`` is what a proxy forwarded, used where the host names none."""
        if scheme is None:
            scheme = exact_text(self.scheme) or "http"
        attributes[URL_SCHEME] = scheme
        if host:
            known = _host_and_port(host)
            address: Any = known[0]
            number: Any = known[1]
        else:
            address, number = exact_text(self.host), exact_int(self.port)
        if address:
            attributes[SERVER_ADDRESS] = address
            if number is None and port:
                number = headers.port(port)
            if number is None:
                number = _ports.get(scheme)
            if number is not None:
                attributes[SERVER_PORT] = number
        if client is None and self.peer_address is not None:
            client = exact_text(self.peer_address)
        if client:
            attributes[CLIENT_ADDRESS] = client
        return None

    def end(self, exception: Any) -> dict[str, Any]:
        """Status and route; a 5xx and an exception are failures, a 4xx and a client that went away are none."""
        attributes: dict[str, Any] = {}
        error = self.error_type
        if self.status is not None:
            status = exact_int(self.status)
            if status is not None:
                attributes[HTTP_RESPONSE_STATUS_CODE] = status
                if status >= 500 and error is None:
                    error = str(status)
        if exception is not None and error is None and not _went_away(self, exception):
            error = errors.type_of(exception)
        if error is not None:
            attributes[ERROR_TYPE] = exact_text(error) or errors.OTHER
        if self.route is not None:
            route = exact_text(self.route)
            if route:
                attributes[HTTP_ROUTE] = route
        return attributes

    def description(self, exception: Any) -> str | None:
        """The exception's message, redacted; None where the status code says it."""
        status = exact_int(self.status)
        return None if status is not None and status >= 500 else errors.description(exception)

    def late_name(self) -> str | None:
        """Method and route; without a route the name stays the method."""
        route = exact_text(self.route)
        return f"{self.name()} {route}" if route else None

    def went_away(self, exception: Any) -> bool:
        """Whether the client gave up, so that ``exception`` is no failure of the server."""
        return _went_away(self, exception)


@cython.cfunc
def _went_away(call: HttpServerCall, exception: Any) -> cython.bint:
    return call.disconnected or type(exception).__name__ in _DISCONNECTS or errors.cancelled(exception)


@cython.cfunc
def _host_and_port(host: str) -> Any:
    """Of a Host header; remembered, for a server has few."""
    known = _hosts.get(host)
    if known is None:
        authority = headers.authority(host)
        known = url.host_and_port(authority) if authority else (None, None)
        if len(_hosts) >= _MAX_HOSTS:
            _hosts.clear()
        if len(host) <= url.MAX_URL_CHARS // 32:
            _hosts[host] = known
    return known
