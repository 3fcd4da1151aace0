"""waitress: a server surrounds the application with its own middleware, which drops what untrusted proxies say."""

from __future__ import annotations

from remora_plugins.http.wsgi import Served

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch(server: ModuleType, patcher: Patcher) -> None:
    def made(initialize: Callable[..., None], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        initialize(*args, **kwargs)
        serving: Any = initialize.__self__  # type: ignore[attr-defined]  # a method of the server
        serving.application = Served(serving.application, patcher)

    patcher.around(server.BaseWSGIServer, "__init__", made)
