"""sqlite3: connection and cursor are C types, so ``connect`` makes real subclasses of them."""

from __future__ import annotations

from remora_plugins.database.dbapi import CursorCalls, TracedClasses, traced_methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_FACTORY = 5  # connect(database, timeout, detect_types, isolation_level, check_same_thread, factory, ...)


def patch(sqlite3: ModuleType, patcher: Patcher) -> None:
    calls = CursorCalls("sqlite", _where, holder="")
    of_cursors = CursorCalls("sqlite", _where, holder="connection")
    plain: type[Any] = sqlite3.Connection
    cursors = TracedClasses(sqlite3.Cursor, traced_methods(sqlite3.Cursor, of_cursors, patcher))

    def cursor(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._remora_untraced:
            return plain.cursor(self, *args, **kwargs)
        if args:
            args = (cursors.of(args[0]), *args[1:])
        elif "factory" in kwargs:
            kwargs["factory"] = cursors.of(kwargs["factory"])
        else:
            args = (cursors.of(sqlite3.Cursor),)
        return plain.cursor(self, *args, **kwargs)

    # Connection.execute and its like make a cursor of their own, past our ``cursor``.
    own = {
        **traced_methods(plain, calls, patcher),
        "cursor": cursor,
        "_remora_database": None,
        "_remora_place": None,
        "_remora_untraced": False,
    }
    connections = TracedClasses(plain, own)

    def connecting(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if len(args) > _FACTORY:
            args = (*args[:_FACTORY], connections.of(args[_FACTORY]), *args[_FACTORY + 1 :])
        else:
            kwargs = {**kwargs, "factory": connections.of(kwargs.get("factory", plain))}
        connection = wrapped(*args, **kwargs)
        try:
            connection._remora_database = _name(args[0] if args else kwargs.get("database"))
        except Exception:
            return connection  # a class of the program's that takes no attributes: its spans have no namespace
        return connection

    patcher.around(sqlite3, "connect", connecting)
    patcher.around(sqlite3.dbapi2, "connect", connecting)


def _where(cursor: Any) -> tuple[str | None, str | None, int | None]:
    connection = getattr(cursor, "connection", cursor)  # a connection describes itself
    return getattr(connection, "_remora_database", None), None, None


def _name(database: Any) -> str | None:
    text = database.decode("utf-8", "replace") if isinstance(database, bytes) else str(database)
    return text.partition("?")[0].removeprefix("file:") or None
