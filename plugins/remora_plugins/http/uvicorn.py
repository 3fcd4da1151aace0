"""uvicorn: each connection's protocol starts ``run_asgi`` as a task, of whatever application it was given.

The next request of a connection is started from within the task that ended the last one; it must not inherit that.
"""

from __future__ import annotations

from remora_plugins.http import asgi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_HTTP_PROTOCOLS = ("H11Protocol", "HttpToolsProtocol", "ZttpProtocol", "ZttpH2Protocol")
_WEBSOCKET_PROTOCOLS = ("WebSocketProtocol", "WebSocketsSansIOProtocol", "WSProtocol")


class Served:
    """The application a protocol was given, where it can be patched."""

    __slots__ = ("app",)

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        return await self.app(scope, receive, send)


def patch_http(protocol: ModuleType, patcher: Patcher) -> None:
    def served(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (Served(kwargs["app"] if "app" in kwargs else args[0]),), {}

    patcher.wrap(Served, "__call__", reads=asgi.request)
    patcher.intercept(protocol.RequestResponseCycle, "run_asgi", served)
    for name in _HTTP_PROTOCOLS:
        if name in vars(protocol):
            patcher.isolate(getattr(protocol, name), "on_response_complete")


def patch_websocket(protocol: ModuleType, patcher: Patcher) -> None:
    def served(connection: Any) -> None:
        connection.app = Served(connection.app)

    patcher.wrap(Served, "__call__", reads=asgi.request)
    for name in _WEBSOCKET_PROTOCOLS:
        if name in vars(protocol):
            patcher.before(getattr(protocol, name), "run_asgi", served)


def patch_wsgi(wsgi: ModuleType, patcher: Patcher) -> None:
    def carried(responder: Any, *_: Any, **__: Any) -> None:
        responder.wsgi = patcher.carried(responder.wsgi)  # runs in a thread: the application inside is no second server

    patcher.before(wsgi.WSGIResponder, "__call__", carried)
