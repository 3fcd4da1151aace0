"""FastAPI: on Starlette, but an included router's route handles requests itself, under a template of the inclusion."""

from __future__ import annotations

from remora_plugins.http import asgi, fastapi_telemetry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.http_server import HttpServerCall


def patch(applications: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(applications.FastAPI, "__call__", reads=asgi.request)
    fastapi_telemetry.patch(applications, patcher)


def patch_routing(routing: ModuleType, patcher: Patcher) -> None:
    patcher.enrich(routing.APIRoute, "handle", _route)


def _route(call: HttpServerCall, route: Any, scope: asgi.Scope, *_: Any, **__: Any) -> None:
    included = scope.get("fastapi", {}).get("effective_route_context")
    effective = included if getattr(included, "original_route", None) is route else route
    asgi.routed(call, effective.path_format)
