"""Django: the handler sees a request before any middleware; settings are the program's to read, and when it will.

A route is what the resolver put together of every ``include()`` on the way, paths and regular expressions mixed.
"""

from __future__ import annotations

from remora.conventions.environ import environ_call
from remora_plugins.http.asgi import request
from remora_plugins.http.patterns import template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.http_server import HttpServerCall


def patch_wsgi(wsgi: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(wsgi.WSGIHandler, "__call__", reads=environ_call, streams=True)


def patch_asgi(asgi: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(asgi.ASGIHandler, "__call__", reads=request)


def patch_test_client(client: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(client.ClientHandler, "__call__", reads=environ_call, ends=_answered)


def patch_base(base: ModuleType, patcher: Patcher) -> None:
    patcher.learn(base.BaseHandler, "resolve_request", _resolved)


def patch_exception(exception: ModuleType, patcher: Patcher) -> None:
    patcher.enrich(exception, "handle_uncaught_exception", _unhandled)


def _answered(call: HttpServerCall, response: Any) -> None:
    call.status = response.status_code
    call.response_headers = response


def _resolved(call: HttpServerCall, match: Any, *_: Any, **__: Any) -> None:
    if match.route is not None:
        call.route = template(match.route)


def _unhandled(call: HttpServerCall, request: Any, resolver: Any, exc_info: Any) -> None:
    call.exception = exc_info[1]
