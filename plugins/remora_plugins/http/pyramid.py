"""Pyramid: the mapper of routes is asked before any view is looked for; subrequests inside a request ask it again."""

from __future__ import annotations

from remora.conventions.environ import environ_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.http_server import HttpServerCall


def patch_router(router: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(router.Router, "__call__", reads=environ_call, streams=True)


def patch_urldispatch(urldispatch: ModuleType, patcher: Patcher) -> None:
    patcher.learn(urldispatch.RoutesMapper, "__call__", _mapped)


def _mapped(call: HttpServerCall, info: Any, *_: Any, **__: Any) -> None:
    route = info["route"]
    if route is not None and call.route is None:
        call.route = f"/{route.pattern.removeprefix('/')}"
