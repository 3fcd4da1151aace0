"""pg8000: three faces over one connection class, which forgets where it leads, so that is noted when it is made."""

from __future__ import annotations

from remora.conventions.database import DatabaseCall
from remora_plugins.database.asked_for import asked_for
from remora_plugins.database.dbapi import CursorCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

    Where = tuple[str | None, str | None, int | None]


def patch_core(core: ModuleType, patcher: Patcher) -> None:
    patcher.before(core.CoreConnection, "__init__", _made)


def patch_cursors(module: ModuleType, patcher: Patcher) -> None:
    """Of ``pg8000.dbapi`` and ``pg8000.legacy``; the latter also has prepared statements."""
    for name, reads in (
        ("execute", _CALLS.execute),
        ("executemany", _CALLS.executemany),
        ("callproc", _CALLS.callproc),
    ):
        if hasattr(module.Cursor, name):
            patcher.wrap(module.Cursor, name, **asked_for(patcher, reads, comments=False))
    if hasattr(module, "PreparedStatement"):
        patcher.wrap(module.PreparedStatement, "run", reads=_prepared)


def patch_native(native: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(native.Connection, "run", reads=_run)
    patcher.wrap(native.PreparedStatement, "run", reads=_prepared)


def _made(
    connection: Any,
    user: Any = None,
    host: Any = "localhost",
    database: Any = None,
    port: Any = 5432,
    password: Any = None,
    source_address: Any = None,
    unix_sock: Any = None,
    *_: Any,
    **__: Any,
) -> None:
    name = database or user  # the server's own rule
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    connection._remora_where = (name, unix_sock, None) if unix_sock else (name, host, port)


def _run(connection: Any, sql: Any = None, stream: Any = None, types: Any = None, **params: Any) -> DatabaseCall:
    return _call(connection, sql, bool(params))


def _prepared(statement: Any, *_: Any, **values: Any) -> DatabaseCall:
    return _call(statement.con, getattr(statement, "statement", None) or statement.operation, True)


def _call(connection: Any, text: Any, parameterized: bool) -> DatabaseCall:
    namespace, host, port = getattr(connection, "_remora_where", (None, None, None))
    return DatabaseCall("postgresql", text, parameterized=parameterized, namespace=namespace, host=host, port=port)


def _where(cursor: Any) -> Where:
    found: Where = cursor._c._remora_where
    return found


_CALLS = CursorCalls("postgresql", _where, holder="_c")
