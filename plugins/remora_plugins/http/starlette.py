"""Starlette: routes and mounts are handed the request by ``handle``, for 405 too; Mount adds to the template."""

from __future__ import annotations

from remora.conventions.native import comes_to_us
from remora_plugins.http import asgi, one_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.http_server import HttpServerCall
    from remora.conventions.scope import ScopeCall


def patch(applications: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(applications.Starlette, "__call__", reads=asgi.request)


def patch_routing(routing: ModuleType, patcher: Patcher) -> None:
    patcher.enrich(routing.Route, "handle", _route)
    patcher.enrich(routing.WebSocketRoute, "handle", _route)
    patcher.enrich(routing.Mount, "handle", _mount)


def patch_native(opentelemetry: ModuleType, patcher: Patcher) -> None:
    def instead(middleware: Any, scope: asgi.Scope, *_: Any, **__: Any) -> ScopeCall | None:
        if comes_to_us(middleware._tracer_provider):
            scope["starlette.opentelemetry"] = True  # the middleware's own mark of a request that has its span
        else:
            one_trace.next_request_joins(middleware._tracer_provider, opentelemetry)
        return asgi.request(middleware, scope)

    patcher.wrap(opentelemetry.OpenTelemetryMiddleware, "__call__", reads=instead)
    one_trace.patch(opentelemetry, patcher)


def _route(call: HttpServerCall, route: Any, *_: Any, **__: Any) -> None:
    asgi.routed(call, route.path_format)


def _mount(call: HttpServerCall, mount: Any, *_: Any, **__: Any) -> None:
    asgi.mounted(call, mount.path_format)
