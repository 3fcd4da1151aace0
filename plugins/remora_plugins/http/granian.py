"""granian: each kind of worker gets hold of an application through a function it imported for its interface."""

from __future__ import annotations

from remora_plugins.http import asgi
from remora_plugins.http.wsgi import Served as ServedWsgi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


class Served:
    """The ASGI application a worker was given, where it can be patched."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        return await self.app(scope, receive, send)


def patch_asgi(_: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(Served, "__call__", reads=asgi.request)


def patch_workers(workers: ModuleType, patcher: Patcher) -> None:
    def served(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (Served(args[0]), *args[1:]), kwargs

    def served_wsgi(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (ServedWsgi(args[0], patcher), *args[1:]), kwargs

    patcher.intercept(workers, "_asgi_call_wrap", served)
    if hasattr(workers, "_wsgi_call_wrap"):
        patcher.intercept(workers, "_wsgi_call_wrap", served_wsgi)
