"""Flask: ``__call__`` sees the request before any middleware; the route is known once the request is dispatched."""

from __future__ import annotations

from remora.conventions.environ import environ_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from flask import Flask

    from remora.api import Patcher
    from remora.conventions.http_server import HttpServerCall


def patch(app: ModuleType, patcher: Patcher) -> None:
    from flask.globals import request  # flask.app has imported it

    def route(call: HttpServerCall, *_: Any, **__: Any) -> None:
        rule = request.url_rule
        if rule is not None:
            call.route = rule.rule

    patcher.wrap(app.Flask, "__call__", reads=environ_call, streams=True)
    patcher.enrich(app.Flask, "full_dispatch_request", route)
    patcher.enrich(app.Flask, "handle_exception", _unhandled)


def _unhandled(call: HttpServerCall, app: Flask, *args: Any, **kwargs: Any) -> None:
    exception = kwargs.get("e", args[-1] if args else None)
    if isinstance(exception, BaseException):
        call.exception = exception
