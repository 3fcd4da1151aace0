"""asyncmy: cursors are C types, so ``Connection.cursor`` makes real subclasses of them."""

from __future__ import annotations

from remora_plugins.database.asked_for import asked_for
from remora_plugins.database.dbapi import TracedClasses
from remora_plugins.database.mysql_servers import MysqlCalls, attributes_of, follow, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch(connections: ModuleType, patcher: Patcher) -> None:
    plain: Any = connections.Cursor

    # Coroutine functions of Cython do not look like such before Python 3.12; these do.
    async def execute(self: Any, query: Any, args: Any = None) -> Any:
        return await plain.execute(self, query, args)

    async def executemany(self: Any, query: Any, args: Any) -> Any:
        return await plain.executemany(self, query, args)

    async def callproc(self: Any, procname: Any, args: Any = ()) -> Any:
        return await plain.callproc(self, procname, args)

    cursors = TracedClasses(
        plain,
        {
            "execute": patcher.traced(execute, **asked_for(patcher, _CALLS.execute, formats=True)),
            "executemany": patcher.traced(executemany, reads=_CALLS.executemany),
            "callproc": patcher.traced(callproc, reads=_CALLS.callproc),
        },
    )

    def cursor(original: Any, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        wanted = (args[0] if args else kwargs.get("cursor")) or getattr(connection, "_cursor_cls", plain)
        if args:
            return original(cursors.of(wanted), *args[1:], **kwargs)
        return original(**{**kwargs, "cursor": cursors.of(wanted)})

    patcher.around_method(connections.Connection, "cursor", cursor)
    follow(connections.Connection, patcher, "select_db", "connect")


_CALLS = MysqlCalls(attributes_of, version_of)
