"""mysql-connector-python: three modules of cursors (Python, C, asyncio) that override each other's methods."""

from __future__ import annotations

from remora_plugins.database.asked_for import asked_for
from remora_plugins.database.mysql_servers import MysqlCalls, follow, place, selected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database import DatabaseCall

_QUERY_ATTRIBUTES = 1 << 27  # CLIENT_QUERY_ATTRIBUTES of the protocol


def patch_cursors(cursors: ModuleType, patcher: Patcher) -> None:
    methods = (("executemany", _CALLS.executemany), ("callproc", _CALLS.callproc))
    for cursor in [value for value in vars(cursors).values() if isinstance(value, type)]:
        if cursor.__module__ == cursors.__name__:
            if "execute" in vars(cursor):
                is_prepared = "Prepared" in cursor.__name__
                patcher.wrap(cursor, "execute", **asked_for(patcher, _execute, comments=not is_prepared))
            for name, reads in methods:
                if name in vars(cursor):
                    patcher.wrap(cursor, name, reads=reads)


def patch_connection(connections: ModuleType, patcher: Patcher) -> None:
    for name in ("MySQLConnection", "CMySQLConnection"):
        connection: Any = getattr(connections, name, None)
        if connection is not None:
            own = vars(connection)["database"]
            patcher.replace(connection, "database", property(own.fget, _choosing(own.fset), own.fdel, own.__doc__))
            follow(connection, patcher, "cmd_init_db", "_open_connection", "cmd_change_user")
            patcher.around_method(connection, "info_query", _asking)
            if hasattr(connection, "query_attrs_append"):
                patcher.around_method(connection, "query_attrs_append", _appending)


def patch_async_connection(connections: ModuleType, patcher: Patcher) -> None:
    follow(connections.MySQLConnection, patcher, "set_database", "cmd_change_user")
    patcher.around_method(connections.MySQLConnection, "info_query", _asking_async)


def _choosing(choose: Any) -> Any:
    def database(connection: Any, value: str) -> None:
        choose(connection, value)
        connection._remora_database = value

    return database


def _asking(original: Any, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # Session variables that the driver wants to know (sql_mode, before it escapes a value): no query of the program's.
    connection._remora_asking = True
    try:
        return original(*args, **kwargs)
    finally:
        connection._remora_asking = False


def _asking_async(original: Any, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    async def info_query() -> Any:
        connection._remora_asking = True
        try:
            return await original(*args, **kwargs)
        finally:
            connection._remora_asking = False

    return info_query()


def _execute(cursor: Any, *args: Any, **kwargs: Any) -> DatabaseCall | None:
    try:
        if getattr(_connection(cursor), "_remora_asking", False):
            return None
    except ReferenceError:
        return None  # the connection is gone, of which a cursor only has a weak reference
    return _CALLS.execute(cursor, *args, **kwargs)


def _appending(original: Any, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # The library hands the current span to any server; from one that knows no such attributes comes a warning, or the
    # parameters of prepared statements arrive broken. Without Remora there is no span, and none of this.
    value = args[0] if args else kwargs.get("value")
    if isinstance(value, tuple) and value[:1] == ("traceparent",) and not _takes_attributes(connection):
        return None
    return original(*args, **kwargs)


def _takes_attributes(connection: Any) -> bool:
    try:
        known: bool | None = getattr(connection, "_query_attrs_supported", None)  # the C connection does not tell
        if known is not None:
            return known
        greeting = connection._handshake
        return (
            bool(greeting["capabilities"] & _QUERY_ATTRIBUTES) and "MariaDB" not in greeting["server_version_original"]
        )
    except Exception:
        return False


def _connection(cursor: Any) -> Any:
    try:
        return cursor._connection
    except AttributeError:
        return cursor._cnx  # the C cursors before 9


def _where(cursor: Any) -> tuple[str | None, str | None, int | None]:
    connection = _connection(cursor)
    return place(
        selected(connection, connection._database), connection._host, connection._port, connection._unix_socket
    )


def _version(cursor: Any) -> str | None:
    connection = _connection(cursor)
    known: str | None = getattr(connection, "_remora_version", None)
    if known is None:
        told = getattr(connection, "server_info", None)  # since 8.4, where the other one warns
        known = connection._remora_version = told or connection.get_server_info() or ""
    return known


# A cursor may have its connection by a weak reference only, and under one of two names.
_CALLS = MysqlCalls(_where, _version, holder=None)
