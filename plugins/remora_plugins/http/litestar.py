"""Litestar: a route's ``handle`` lies inside its middleware, which may answer first; later versions note the template
in the scope before that (``path_template``, which ``ScopeCall`` reads).
"""

from __future__ import annotations

from remora_plugins.http import asgi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.http_server import HttpServerCall


def patch(app: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(app.Litestar, "__call__", reads=asgi.request)


def patch_http_route(http: ModuleType, patcher: Patcher) -> None:
    patcher.enrich(http.HTTPRoute, "handle", _route)


def patch_websocket_route(websocket: ModuleType, patcher: Patcher) -> None:
    patcher.enrich(websocket.WebSocketRoute, "handle", _route)


def patch_asgi_route(module: ModuleType, patcher: Patcher) -> None:
    patcher.enrich(module.ASGIRoute, "handle", _application)


def _route(call: HttpServerCall, route: Any, *_: Any, **__: Any) -> None:
    asgi.routed(call, route.path_format)


def _application(call: HttpServerCall, route: Any, *_: Any, **__: Any) -> None:
    if route.route_handler.is_mount:
        asgi.mounted(call, route.path_format.rstrip("/") + "/{path}")
    else:
        asgi.routed(call, route.path_format)
