"""Falcon: the router knows the template; an exception nobody handles gets its page from a method of the application."""

from __future__ import annotations

from remora.conventions.environ import environ_call
from remora_plugins.http.asgi import request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.http_server import HttpServerCall


def patch(app: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(app.App, "__call__", reads=environ_call, streams=True)
    patcher.learn(app.App, "_get_responder", _found)
    patcher.enrich(app.App, "_python_error_handler", _unhandled)


def patch_asgi(app: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(app.App, "__call__", reads=request)
    patcher.enrich(app.App, "_python_error_handler", _unhandled)


def _found(call: HttpServerCall, found: Any, *_: Any, **__: Any) -> None:
    call.route = found[3]  # None for sinks, static files and what was not found


def _unhandled(
    call: HttpServerCall, app: Any, request: Any, response: Any, error: BaseException, *_: Any, **__: Any
) -> None:
    call.exception = error
