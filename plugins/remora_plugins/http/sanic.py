"""Sanic: on its own server each connection's protocol holds a ``request_handler``; elsewhere it is an ASGI application.

Its own methods cannot be patched: when the application starts it compiles ``handle_request`` and others anew from their
source. That also takes out signals nobody listens to, so none is used here.
"""

from __future__ import annotations

from remora.conventions import headers
from remora.conventions.http_server import HttpServerCall
from remora_plugins.http import asgi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch(app: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(app.Sanic, "__call__", reads=asgi.request)


def patch_protocol(http_protocol: ModuleType, patcher: Patcher) -> None:
    def made(initialize: Any, protocol: Any, args: Any, kwargs: Any) -> None:
        initialize(*args, **kwargs)
        protocol.request_handler = Served(protocol.request_handler)

    patcher.wrap(Served, "__call__", reads=_request)
    patcher.around_method(http_protocol.HttpProtocol, "__init__", made)


def patch_router(router: ModuleType, patcher: Patcher) -> None:
    patcher.learn(router.Router, "get", _routed)


def patch_handlers(handlers: ModuleType, patcher: Patcher) -> None:
    patcher.enrich(handlers.ErrorHandler, "default", _unhandled)
    patcher.enrich(handlers.ErrorHandler, "_lookup", _raised)
    patcher.enrich(handlers.ErrorHandler, "log", _logged)


class Served:
    """A protocol's ``request_handler``, where it can be patched."""

    __slots__ = ("handler",)

    def __init__(self, handler: Any) -> None:
        self.handler = handler

    async def __call__(self, request: Any) -> Any:
        return await self.handler(request)


class SanicCall(HttpServerCall):
    """One request on Sanic's own server, or a websocket's whole connection."""

    __slots__ = ("request",)
    request: Any

    def __init__(self, request: Any) -> None:
        connection: Any = request.conn_info
        peer, own = connection.peername, connection.sockname
        super().__init__(
            request.method,
            "https" if connection.ssl else "http",
            request.path,
            request.query_string,
            headers.of_multidict(request.headers),
            peer_address=peer[0] if isinstance(peer, tuple) else peer or None,
            peer_port=peer[1] if isinstance(peer, tuple) else None,
            protocol_version=request.version,
            host=own[0] if isinstance(own, tuple) else None,
            port=own[1] if isinstance(own, tuple) else None,
        )
        self.request = request

    def request_headers(self) -> Any:
        return self.request.headers

    def begun(self) -> bool:
        """Whether the answer is on its way already."""
        stream: Any = self.request.stream if self.request is not None else None
        return stream is not None and stream.stage.name != "HANDLER"

    def end(self, exception: BaseException | None) -> dict[str, Any]:
        stream: Any = self.request.stream if self.request is not None else None
        response = getattr(stream, "response", None)
        if response is not None:
            self.status = response.status
            self.response_headers = response.headers
        elif exception is None and getattr(stream, "upgrade_websocket", False):
            self.status = 101
        return super().end(exception)

    def release(self) -> None:
        super().release()
        self.request = None


class SanicWebSocketCall(SanicCall):
    """Not measured: a connection may last for days."""

    __slots__ = ()
    duration: Any = None
    active: Any = None


def _request(_: Served, request: Any) -> SanicCall:
    upgrades = request.headers.get("upgrade", "").lower() == "websocket"
    return SanicWebSocketCall(request) if upgrades else SanicCall(request)


def _routed(call: HttpServerCall, found: Any, *_: Any, **__: Any) -> None:
    asgi.routed(call, "/" + found[0].path)


def _unhandled(call: HttpServerCall, _: Any, __: object, exception: object) -> None:
    if isinstance(exception, Exception) and not hasattr(exception, "status_code"):
        call.exception = exception


def _raised(call: HttpServerCall, handler: Any, exception: object, *_: Any, **__: Any) -> None:
    begun = call.begun() if isinstance(call, SanicCall) else call.status is not None
    if begun:  # there will be no page for it
        _unhandled(call, handler, None, exception)


def _logged(call: HttpServerCall, _: object, exception: object) -> None:
    _unhandled(call, None, None, exception)  # of a websocket's handler
