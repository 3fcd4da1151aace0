"""PyMySQL: plain Python cursors; what varies between them lies below ``execute``."""

from __future__ import annotations

from remora_plugins.database.asked_for import asked_for
from remora_plugins.database.mysql_servers import MysqlCalls, follow, place, selected, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch_cursors(cursors: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(cursors.Cursor, "execute", **asked_for(patcher, _CALLS.execute, formats=True))
    patcher.wrap(cursors.Cursor, "executemany", reads=_CALLS.executemany)
    patcher.wrap(cursors.Cursor, "callproc", reads=_CALLS.callproc)


def patch_connections(connections: ModuleType, patcher: Patcher) -> None:
    follow(connections.Connection, patcher, "select_db", "connect")


def _where(cursor: Any) -> tuple[str | None, str | None, int | None]:
    connection = cursor.connection
    return place(selected(connection, connection.db), connection.host, connection.port, connection.unix_socket)


_CALLS = MysqlCalls(_where, version_of)
