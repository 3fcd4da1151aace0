"""hypercorn: every worker class calls an ASGI application through ``ASGIWrapper``."""

from __future__ import annotations

from remora_plugins.http import asgi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from remora.api import Patcher


def patch(app_wrappers: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(app_wrappers.ASGIWrapper, "__call__", reads=asgi.request)
