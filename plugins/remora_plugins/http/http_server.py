"""http.server: a connection's handler waits in ``handle_one_request``; the request begins when its head is parsed.

wsgiref and werkzeug build their handlers on this one; their requests begin with the WSGI application instead.
"""

from __future__ import annotations

from remora.conventions import headers
from remora.conventions.http_server import HttpServerCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_RUNNING = "_remora_running"  # in the handler's __dict__, False while it waits for a request


def patch(server: ModuleType, patcher: Patcher) -> None:
    operations = patcher.operations

    def handle_one_request(wrapped: Any, handler: BaseHTTPRequestHandler, args: Any, kwargs: Any) -> None:
        kind = type(handler)  # asked by its class: werkzeug's handlers have a slow ``__getattr__``
        if hasattr(kind, "get_environ") or hasattr(kind, "run_wsgi"):
            wrapped(*args, **kwargs)
            return
        vars(handler)[_RUNNING] = False
        try:
            wrapped(*args, **kwargs)
        except BaseException as error:
            _over(handler, error)
            raise
        else:
            _over(handler)

    def parse_request(wrapped: Any, handler: BaseHTTPRequestHandler, args: Any, kwargs: Any) -> Any:
        understood = wrapped(*args, **kwargs)
        if understood and vars(handler).get(_RUNNING) is False:
            try:
                vars(handler)[_RUNNING] = operations.begin(_request(handler))
            except Exception as error:
                operations.fault("parse_request", error)
        return understood

    patcher.around_method(server.BaseHTTPRequestHandler, "handle_one_request", handle_one_request)
    patcher.around_method(server.BaseHTTPRequestHandler, "parse_request", parse_request)
    patcher.before(server.BaseHTTPRequestHandler, "send_response_only", _answered)
    patcher.before(server.BaseHTTPRequestHandler, "end_headers", _head)


class HandlerCall(HttpServerCall):
    """One request of a connection's handler; the lines of the answer's head wait in its buffer until they are sent."""

    __slots__ = ("handler",)
    handler: BaseHTTPRequestHandler | None

    def request_headers(self) -> Any:
        return self.handler.headers if self.handler is not None else None

    def release(self) -> None:
        super().release()
        self.handler = None


def _request(handler: BaseHTTPRequestHandler) -> HandlerCall:
    path, _, query = handler.path.partition("?")
    own, peer = handler.server.server_address, handler.client_address
    call = HandlerCall(
        handler.command,
        "https" if hasattr(handler.connection, "getpeercert") else "http",
        path,
        query,
        headers.of_multidict(handler.headers),
        peer_address=peer[0] if isinstance(peer, tuple) else peer or None,
        peer_port=peer[1] if isinstance(peer, tuple) else None,
        protocol_version=handler.request_version,
        host=own[0] if isinstance(own, tuple) else None,
        port=own[1] if isinstance(own, tuple) else None,
    )
    call.handler = handler
    return call


def _answered(handler: BaseHTTPRequestHandler, code: int, *_: Any, **__: Any) -> None:
    running: Any = vars(handler).get(_RUNNING)
    if running and (code >= 200 or code == 101):
        running.call.status = code


def _head(handler: BaseHTTPRequestHandler) -> None:
    running: Any = vars(handler).get(_RUNNING)
    if running:
        lines = [line.partition(b":") for line in getattr(handler, "_headers_buffer", ())[1:]]
        running.call.response_headers = [(name, value.strip()) for name, _, value in lines]


def _over(handler: BaseHTTPRequestHandler, error: BaseException | None = None) -> None:
    running: Any = vars(handler).pop(_RUNNING, None)
    if running:
        running.call.disconnected = isinstance(error, ConnectionError) and _gone(handler)
        running.end(error)


def _gone(handler: BaseHTTPRequestHandler) -> bool:
    try:
        handler.connection.getpeername()
    except OSError:
        return True
    return False  # the handler's own connection to somebody else broke
