"""psycopg2: connection and cursor are C types; ``connect`` makes real subclasses, which register_type accepts."""

from __future__ import annotations

from remora_plugins.database.asked_for import asked_for
from remora_plugins.database.dbapi import CursorCalls, TracedClasses, traced_methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database import DatabaseCall


def patch(psycopg2: ModuleType, patcher: Patcher) -> None:
    from psycopg2.extensions import connection as plain_connection  # psycopg2 has imported it
    from psycopg2.extensions import cursor as plain_cursor

    calls = CursorCalls("postgresql", _where, _text, holder="connection")

    def copy(cursor: Any, file: Any = None, table: Any = None, *_: Any, **__: Any) -> DatabaseCall:
        return calls.command(cursor, "COPY", table)

    methods = traced_methods(plain_cursor, calls, patcher)
    methods["execute"] = patcher.traced(
        plain_cursor.execute, **asked_for(patcher, calls.execute, formats=True, leaves=_is_on_the_server)
    )
    methods["copy_expert"] = patcher.traced(plain_cursor.copy_expert, reads=calls.script)
    methods["copy_from"] = patcher.traced(plain_cursor.copy_from, reads=copy)
    methods["copy_to"] = patcher.traced(plain_cursor.copy_to, reads=copy)
    cursors = TracedClasses(plain_cursor, methods)

    def cursor(self: Any, *args: Any, **kwargs: Any) -> Any:
        # (name, cursor_factory, scrollable, withhold); a factory of None means the connection's own.
        if len(args) > 1:
            args = (args[0], cursors.of(args[1] or self.cursor_factory or plain_cursor), *args[2:])
        else:
            wanted = kwargs.get("cursor_factory") or self.cursor_factory or plain_cursor
            kwargs["cursor_factory"] = cursors.of(wanted)
        return plain_connection.cursor(self, *args, **kwargs)

    connections = TracedClasses(plain_connection, {"cursor": cursor, "_remora_where": None, "_remora_place": None})

    def connecting(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if len(args) > 1:
            args = (args[0], connections.of(args[1] or plain_connection), *args[2:])
        else:
            factory = kwargs.get("connection_factory") or plain_connection
            kwargs = {**kwargs, "connection_factory": connections.of(factory)}
        return wrapped(*args, **kwargs)

    patcher.around(psycopg2, "connect", connecting)


def _is_on_the_server(cursor: Any, *_: Any) -> bool:
    return getattr(cursor, "name", None) is not None


def _where(cursor: Any) -> tuple[str | None, str | None, int | None]:
    connection = cursor.connection
    known = getattr(connection, "_remora_where", None)
    if known is None:
        parameters = connection.get_dsn_parameters()
        port = parameters.get("port")
        known = (parameters.get("dbname"), parameters.get("host"), int(port) if port else None)
        if hasattr(type(connection), "_remora_where"):
            connection._remora_where = known
    return known


def _text(cursor: Any, query: Any) -> str | None:
    if type(query) is str:
        return query
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    as_string = getattr(query, "as_string", None)
    return as_string(cursor) if as_string is not None else None
