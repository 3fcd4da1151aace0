"""pymssql: connection and cursor are types of Cython that make each other, and none tells where it leads."""

from __future__ import annotations

from remora_plugins.database.dbapi import CursorCalls
from remora_plugins.database.fixed_types import fixed_type
from remora_plugins.database.noted import Noted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database import DatabaseCall

    Where = tuple[str | None, str | None, int | None]


def patch(pymssql: ModuleType, patcher: Patcher) -> None:
    patcher.around(pymssql, "connect", _connecting)
    connections, cursors = fixed_type(pymssql.Connection), fixed_type(pymssql.Cursor)
    patcher.before(connections, "close", _noted.forget)
    patcher.wrap(cursors, "execute", reads=_execute)
    patcher.wrap(cursors, "executemany", reads=_CALLS.executemany)
    patcher.wrap(cursors, "callproc", reads=_CALLS.callproc)
    if hasattr(pymssql.Connection, "bulk_copy"):
        patcher.wrap(connections, "bulk_copy", reads=_bulk_copy)


def _connecting(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    connection = wrapped(*args, **kwargs)
    try:
        _noted.note(connection, _place(*args, **kwargs))
    except Exception:
        _noted.forget(connection)  # its spans do not tell where it leads
    return connection


def _place(
    server: Any = ".",
    user: Any = None,
    password: Any = None,
    database: Any = "",
    timeout: Any = 0,
    login_timeout: Any = 60,
    charset: Any = "UTF-8",
    as_dict: Any = False,
    host: Any = "",
    appname: Any = None,
    port: Any = "1433",
    *_: Any,
    **__: Any,
) -> Where:
    """Of ``host``, ``host\\instance``, ``host:port`` and ``host,port``; a dot is this machine."""
    name = str(host or server).partition("\\")[0]
    number = str(port)
    for mark in (",", ":"):
        if name.count(mark) == 1:
            name, _mark, number = name.partition(mark)
    if name in (".", "(local)"):
        name = "localhost"
    return str(database) or None, name or None, int(number) if number.isdigit() else None


def _execute(cursor: Any, operation: Any = None, params: Any = None, *_: Any, **__: Any) -> DatabaseCall:
    """One value may come without a sequence around it; an object of the library's own stands for none."""
    if type(params) is object:
        params = None
    elif isinstance(params, (int, float)):
        params = (params,)
    found: DatabaseCall = _CALLS.execute(cursor, operation, params)
    return found


def _bulk_copy(connection: Any, table_name: Any = None, elements: Any = (), *_: Any, **__: Any) -> DatabaseCall:
    return _CALLS.command(_Holding(connection), "BULK INSERT", table_name)


class _Holding:
    """Stands for a cursor, where the connection itself is called."""

    __slots__ = ("connection",)

    def __init__(self, connection: Any) -> None:
        self.connection = connection


def _where(cursor: Any) -> Where:
    found: Where = _noted.of(cursor.connection) or (None, None, None)
    return found


_noted = Noted()
_CALLS = CursorCalls("microsoft.sql_server", _where)
