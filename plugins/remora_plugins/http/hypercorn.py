"""hypercorn: every worker class calls an ASGI application through ``ASGIWrapper``, a WSGI one through ``WSGIWrapper``.

That one runs the application in a thread, and tells the server what it answers as an ASGI application would.
"""

from __future__ import annotations

from remora_plugins.http import asgi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch(app_wrappers: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(app_wrappers.ASGIWrapper, "__call__", reads=asgi.request)
    wsgi = getattr(app_wrappers, "WSGIWrapper", None)
    if wsgi is not None:

        def carried(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            return _inside(patcher, args, kwargs)

        patcher.wrap(wsgi, "__call__", reads=asgi.request)
        patcher.intercept(wsgi, "handle_http", carried)


def _inside(patcher: Patcher, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with a ``sync_spawn`` whose function runs with the request's span current."""

    def within(spawn: Any) -> Any:
        async def spawned(function: Any, *rest: Any) -> Any:
            return await spawn(patcher.carried(function), *rest)

        return spawned

    if "sync_spawn" in kwargs:
        return args, {**kwargs, "sync_spawn": within(kwargs["sync_spawn"])}
    return (*args[:3], within(args[3]), *args[4:]), kwargs
