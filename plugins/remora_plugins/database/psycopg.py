"""psycopg 3: cursors are Python classes; the server-side ones override ``execute`` and need patches of their own."""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager

from remora_plugins.database.asked_for import asked_for
from remora_plugins.database.dbapi import CursorCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch_cursor(module: ModuleType, patcher: Patcher) -> None:
    _patch(module.Cursor, patcher)
    patcher.replace(module.Cursor, "copy", _copying(module.Cursor.copy, patcher))


def patch_cursor_async(module: ModuleType, patcher: Patcher) -> None:
    _patch(module.AsyncCursor, patcher)
    patcher.replace(module.AsyncCursor, "copy", _async_copying(module.AsyncCursor.copy, patcher))


def patch_server_cursor(module: ModuleType, patcher: Patcher) -> None:
    for name in ("ServerCursor", "AsyncServerCursor"):
        cursor = getattr(module, name, None)
        if cursor is not None:
            _patch(cursor, patcher, own_only=True)


def _patch(cursor: type, patcher: Patcher, own_only: bool = False) -> None:
    execute = asked_for(patcher, _CALLS.execute, formats=True, leaves=_is_prepared, comments=not own_only)
    for name, how in (("execute", execute), ("executemany", {"reads": _CALLS.executemany}), ("stream", execute)):
        if name in vars(cursor) if own_only else hasattr(cursor, name):
            patcher.wrap(cursor, name, **how)


def _is_prepared(_: Any, __: tuple[Any, ...], options: dict[str, Any]) -> bool:
    return bool(options.get("prepare"))


def _copying(plain: Any, patcher: Patcher) -> Any:
    def copy(self: Any, statement: Any, params: Any = None, **options: Any) -> Iterator[Any]:
        with plain(self, statement, params, **options) as made:
            yield made

    return contextmanager(patcher.traced(copy, reads=_CALLS.execute))


def _async_copying(plain: Any, patcher: Patcher) -> Any:
    async def copy(self: Any, statement: Any, params: Any = None, **options: Any) -> AsyncIterator[Any]:
        async with plain(self, statement, params, **options) as made:
            yield made

    return asynccontextmanager(patcher.traced(copy, reads=_CALLS.execute))


def _where(cursor: Any) -> tuple[str | None, str | None, int | None]:
    connection = cursor.connection
    known = getattr(connection, "_remora_where", None)
    if known is None:
        info = connection.info
        known = (info.dbname or None, info.host or None, info.port or None)
        connection._remora_where = known
    return known


def _text(cursor: Any, query: Any) -> str | None:
    if type(query) is str:
        return query
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    as_string = getattr(query, "as_string", None)
    return as_string(cursor) if as_string is not None else str(query)


_CALLS = CursorCalls("postgresql", _where, _text, holder="connection")
