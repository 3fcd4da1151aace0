"""OpenTelemetry's own ASGI middleware, added by hand: inside or around it a framework or server has a span of ours.

One that was given hooks or names of its own still runs for their sake; its spans are INTERNAL ones beneath ours.
"""

from __future__ import annotations

from remora.conventions.native import comes_to_us
from remora_plugins.http import asgi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_HOOKS = ("server_request_hook", "client_request_hook", "client_response_hook")


class PassedOn:
    """What a middleware passes the request on to, where it can be patched."""

    __slots__ = ("app",)

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        return await self.app(scope, receive, send)


def patch(contrib: ModuleType, patcher: Patcher) -> None:
    def serve(original: Callable[..., Any], middleware: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not comes_to_us(getattr(middleware, "tracer", None)):
            return original(*args, **kwargs)
        own_names = getattr(middleware, "default_span_details", None) is not default_names
        customised = own_names or any(getattr(middleware, hook, None) is not None for hook in _HOOKS)
        return PassedOn(original if customised else middleware.app)(*args, **kwargs)

    default_names = getattr(contrib, "get_default_span_details", None)
    patcher.wrap(PassedOn, "__call__", reads=asgi.request)
    patcher.around_method(contrib.OpenTelemetryMiddleware, "__call__", serve)
