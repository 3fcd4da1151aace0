"""mysqlclient: the C connection does not tell where it leads, so that is noted when it is made."""

from __future__ import annotations

from remora_plugins.database.asked_for import asked_for
from remora_plugins.database.mysql_servers import MysqlCalls, follow, place, selected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch_cursors(cursors: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(cursors.BaseCursor, "execute", **asked_for(patcher, _CALLS.execute, formats=True))
    patcher.wrap(cursors.BaseCursor, "executemany", reads=_CALLS.executemany)
    patcher.wrap(cursors.BaseCursor, "callproc", reads=_CALLS.callproc)


def patch_connections(connections: ModuleType, patcher: Patcher) -> None:
    patcher.before(connections.Connection, "__init__", _made)
    follow(connections.Connection, patcher, "select_db")


def _made(
    connection: Any,
    host: Any = None,
    user: Any = None,
    passwd: Any = None,
    db: Any = None,
    port: Any = None,
    unix_socket: Any = None,
    *_: Any,
    **kwargs: Any,
) -> None:
    connection._remora_where = place(db or kwargs.get("database"), host, port, unix_socket)


def _where(cursor: Any) -> tuple[str | None, str | None, int | None]:
    connection = cursor.connection
    database, host, port = connection._remora_where
    return selected(connection, database), host, port


def _version(cursor: Any) -> str | None:
    version: str | None = cursor.connection.get_server_info()
    return version


_CALLS = MysqlCalls(_where, _version)
