"""aiomcache: a decorator takes a connection from the pool around each command, so the commands are what is traced."""

from __future__ import annotations

from remora.conventions.database import DatabaseCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_COMMANDS = {
    "add": "add",
    "append": "append",
    "cas": "cas",
    "decr": "decr",
    "delete": "delete",
    "flush_all": "flush_all",
    "get": "get",
    "gets": "gets",
    "incr": "incr",
    "multi_get": "get",
    "prepend": "prepend",
    "replace": "replace",
    "set": "set",
    "stats": "stats",
    "touch": "touch",
    "version": "version",
}


def patch(module: ModuleType, patcher: Patcher) -> None:
    owner = getattr(module, "FlagClient", None) or module.Client  # before 0.8 there was only the one
    for method, command in _COMMANDS.items():
        if hasattr(owner, method):
            patcher.wrap(owner, method, reads=_reads(command))


def _reads(command: str) -> Callable[..., DatabaseCall]:
    def described(client: Any, *_: Any, **__: Any) -> DatabaseCall:
        pool = client._pool
        return DatabaseCall("memcached", operation=command, host=pool._host, port=pool._port)

    return described
