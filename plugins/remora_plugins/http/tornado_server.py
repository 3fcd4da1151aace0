"""Tornado's server: a handler's ``_execute`` is one request, or a websocket's whole connection, and answers its own
exceptions.

The rule that matched is known to nobody afterwards; it is one of those that lead to the handler's class.
"""

from __future__ import annotations

from remora.conventions.http_server import HttpServerCall
from remora_plugins.http.patterns import template
from remora_plugins.http.wsgi import Served

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

    from tornado.web import RequestHandler

    from remora.api import Patcher


def patch(web: ModuleType, patcher: Patcher) -> None:
    def request(handler: RequestHandler, *_: Any, **__: Any) -> TornadoCall | None:
        # What a FallbackHandler hands the request on to has a span of its own.
        if isinstance(handler, web.FallbackHandler):
            return None
        return TornadoWebSocketCall(handler) if hasattr(handler, "ws_connection") else TornadoCall(handler)

    patcher.wrap(web.RequestHandler, "_execute", reads=request)
    patcher.enrich(web.RequestHandler, "_handle_request_exception", _raised)
    patcher.enrich(web.RequestHandler, "log_exception", _logged)


def patch_wsgi(wsgi: ModuleType, patcher: Patcher) -> None:
    def made(initialize: Callable[..., None], container: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        initialize(*args, **kwargs)
        container.wsgi_application = Served(container.wsgi_application, patcher)

    patcher.around_method(wsgi.WSGIContainer, "__init__", made)


class TornadoCall(HttpServerCall):
    """One request and the handler that was made for it."""

    __slots__ = ("handler",)

    def __init__(self, handler: RequestHandler) -> None:
        request = handler.request
        address: Any = getattr(getattr(request.connection, "context", None), "address", None)
        internet = isinstance(address, tuple) and len(address) >= 2
        super().__init__(
            request.method,
            request.protocol,
            request.path,
            request.query,
            request.headers.get,
            peer_address=address[0] if internet else address or None,
            peer_port=address[1] if internet else None,
            protocol_version=request.version,
        )
        self.handler: RequestHandler | None = handler

    def request_headers(self) -> Any:
        return self.handler.request.headers if self.handler is not None else None

    def end(self, exception: BaseException | None) -> dict[str, Any]:
        handler = self.handler
        if handler is not None:
            if handler._finished or handler._headers_written:  # else the client was gone before its body was in
                self.status = handler.get_status()
                self.response_headers = handler._headers
            self.route = _route(handler)
        return super().end(exception)

    def release(self) -> None:
        super().release()
        self.handler = None


class TornadoWebSocketCall(TornadoCall):
    """Not measured: a connection may last for days."""

    __slots__ = ()
    duration: Any = None
    active: Any = None


def _raised(call: HttpServerCall, handler: RequestHandler, exception: BaseException) -> None:
    if not isinstance(call, TornadoCall) or call.handler is not handler:
        return  # an application that another server's request leads to
    stream: Any = getattr(handler.request.connection, "stream", None)
    if type(exception).__name__ == "StreamClosedError" and stream is not None and stream.closed():
        call.disconnected = True
    elif type(exception).__name__ != "Finish" and not hasattr(exception, "status_code"):
        call.exception = exception


def _logged(call: HttpServerCall, handler: RequestHandler, kind: object, exception: Any, *_: Any, **__: Any) -> None:
    _raised(call, handler, exception)  # a websocket's callbacks come only here


def _route(handler: RequestHandler) -> str | None:
    found = list(_leading(handler.application.default_router, type(handler), None))
    if len(found) > 1:  # the same class, or another host's
        path = handler.request.path
        found = [regex for regex in found if regex.match(path)]
    return template(found[0].pattern) if found else None


def _leading(router: Any, kind: type, regex: Any) -> Iterator[Any]:
    """The regular expressions of the rules, nested ones too, by which ``router`` leads to handlers of a kind."""
    for rule in getattr(router, "rules", ()):
        own = getattr(rule.matcher, "regex", regex)
        if rule.target is kind:
            if own is not None:
                yield own
        elif hasattr(rule.target, "rules"):
            yield from _leading(rule.target, kind, own)
