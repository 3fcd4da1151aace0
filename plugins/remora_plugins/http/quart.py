"""Quart: Flask's shape on ASGI; requests and websockets are dispatched by functions of their own."""

from __future__ import annotations

from remora_plugins.http import asgi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from quart import Quart

    from remora.api import Patcher
    from remora.conventions.http_server import HttpServerCall


def patch(app: ModuleType, patcher: Patcher) -> None:
    from quart.globals import request, websocket  # quart.app has imported it

    def route(call: HttpServerCall, *_: Any, **__: Any) -> None:
        if request.url_rule is not None:
            asgi.routed(call, request.url_rule.rule)

    def websocket_route(call: HttpServerCall, *_: Any, **__: Any) -> None:
        if websocket.url_rule is not None:
            asgi.routed(call, websocket.url_rule.rule)

    patcher.wrap(app.Quart, "__call__", reads=asgi.request)
    patcher.enrich(app.Quart, "full_dispatch_request", route)
    patcher.enrich(app.Quart, "full_dispatch_websocket", websocket_route)
    patcher.enrich(app.Quart, "handle_exception", _unhandled)
    patcher.enrich(app.Quart, "handle_websocket_exception", _unhandled)


def _unhandled(call: HttpServerCall, app: Quart, *args: Any, **kwargs: Any) -> None:
    exception = kwargs.get("error", args[0] if args else None)
    if isinstance(exception, BaseException):
        call.exception = exception
