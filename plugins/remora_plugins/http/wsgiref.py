"""wsgiref: the standard library's reference server runs any application through ``BaseHandler.run``."""

from __future__ import annotations

from remora.conventions.environ import environ_call
from remora_plugins.http.wsgi import Served

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.environ import EnvironCall


def patch(handlers: ModuleType, patcher: Patcher) -> None:
    def run(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        application = kwargs.pop("application") if "application" in kwargs else args[0]
        return (Served(application, patcher, reads=_request),), kwargs

    patcher.intercept(handlers.BaseHandler, "run", run)


def _request(_: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> EnvironCall | None:
    call = environ_call(_, environ, start_response)
    if call is not None and call.peer_port is None:
        # The port is told by the server's own handler only, which ``start_response`` is bound to.
        handler = getattr(getattr(start_response, "__self__", None), "request_handler", None)
        address = getattr(handler, "client_address", None)
        if isinstance(address, tuple) and len(address) > 1:
            call.peer_port = address[1]
    return call
