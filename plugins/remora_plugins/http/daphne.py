"""daphne: one ``Server`` starts the application as a task for each request and websocket, as channels' runserver does.

The next request of a connection may be started from within the task that ended the last one; it must not inherit that.
"""

from __future__ import annotations

from remora_plugins.http import asgi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


class Served:
    """The application a server was given, where it can be patched."""

    __slots__ = ("app",)

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        return await self.app(scope, receive, send)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)


def patch(server: ModuleType, patcher: Patcher) -> None:
    def made(initialize: Any, instance: Any, args: Any, kwargs: Any) -> None:
        initialize(*args, **kwargs)
        instance.application = Served(instance.application)

    patcher.wrap(Served, "__call__", reads=asgi.request)
    patcher.around_method(server.Server, "__init__", made)
    patcher.isolate(server.Server, "create_application")
