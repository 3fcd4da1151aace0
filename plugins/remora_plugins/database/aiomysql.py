"""aiomysql: PyMySQL's cursors with coroutine methods, not derived from them."""

from __future__ import annotations

from remora_plugins.database.asked_for import asked_for
from remora_plugins.database.mysql_servers import MysqlCalls, attributes_of, follow, version_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

    from remora.api import Patcher


def patch_cursors(cursors: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(cursors.Cursor, "execute", **asked_for(patcher, _CALLS.execute, formats=True))
    patcher.wrap(cursors.Cursor, "executemany", reads=_CALLS.executemany)
    patcher.wrap(cursors.Cursor, "callproc", reads=_CALLS.callproc)


def patch_connections(connections: ModuleType, patcher: Patcher) -> None:
    follow(connections.Connection, patcher, "select_db", "_connect")


_CALLS = MysqlCalls(attributes_of, version_of)
