"""oracledb: cursors of plain Python over C, thin and thick; blocking and asyncio ones name things alike."""

from __future__ import annotations

from remora_plugins.database.dbapi import CursorCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database import DatabaseCall

    Where = tuple[str | None, str | None, int | None]


def patch(cursor: ModuleType, patcher: Patcher) -> None:
    for name in ("Cursor", "AsyncCursor"):
        cursors = getattr(cursor, name, None)
        if cursors is not None:
            patcher.wrap(cursors, "execute", reads=_execute)
            patcher.wrap(cursors, "executemany", reads=_executemany)
            patcher.wrap(cursors, "callproc", reads=_CALLS.callproc)
            patcher.wrap(cursors, "callfunc", reads=_CALLS.callproc)


def _execute(cursor: Any, statement: Any = None, parameters: Any = None, **values: Any) -> DatabaseCall:
    """Values may come by their names; without a statement the last one runs again."""
    options = ("suspend_on_success", "fetch_lobs", "fetch_decimals")
    given = parameters or {name: value for name, value in values.items() if name not in options}
    found: DatabaseCall = _CALLS.execute(cursor, statement or cursor.statement, given)
    return found


def _executemany(cursor: Any, statement: Any = None, parameters: Any = None, *_: Any, **__: Any) -> DatabaseCall:
    """Rows, or how often to run with what is bound already."""
    call = _CALLS.executemany(cursor, statement or cursor.statement, parameters)
    if type(parameters) is int:
        call.batch_size = parameters
    return call


def _where(cursor: Any) -> Where:
    """The thin driver knows host and service; the thick one what it was given."""
    connection = cursor.connection
    if getattr(connection, "thin", False):
        try:
            return connection.service_name or None, connection.host, connection.port
        except Exception:  # older ones have no such attributes
            return _easy(connection.dsn)
    return _easy(connection.dsn)


def _easy(dsn: Any) -> Where:
    """Of ``tcps://host:port/service``; a name that tnsnames.ora explains, or a descriptor, tells nothing."""
    if not isinstance(dsn, str) or "/" not in dsn or "(" in dsn:
        return None, None, None
    place, _, service = dsn.rpartition("://")[2].removeprefix("//").partition("/")
    host, _, port = place.rpartition(":") if place.rpartition(":")[2].isdigit() else (place, "", "")
    return service.partition("?")[0].partition(":")[0] or None, host.strip("[]") or None, int(port) if port else None


_CALLS = CursorCalls("oracle.db", _where)
