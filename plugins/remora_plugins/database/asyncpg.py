"""asyncpg: no PEP 249. Calls of a pool and of prepared statements end in the same connection; what the library says
on its own behalf (BEGIN, COMMIT, the clean-up of a pool) goes through the program's methods and is left out.
"""

from __future__ import annotations

from remora.conventions import database_optional
from remora.conventions.database import DatabaseCall
from remora_plugins.database.asked_for import asked_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_own_doings: set[int] = set()  # ids of connections that are busy with something nobody asked for


def patch_connection(module: ModuleType, patcher: Patcher) -> None:
    connection = module.Connection
    patcher.wrap(connection, "execute", **asked_for(patcher, _query, leaves=_is_kept_script))
    patcher.wrap(connection, "fetchval", **asked_for(patcher, _query, leaves=_is_kept))
    for name, fetched in _fetched().items():
        patcher.wrap(connection, name, **asked_for(patcher, _query, leaves=_is_kept), ends=fetched)
    for name, reads in (
        ("executemany", _batch),
        ("fetchmany", _batch),  # since 0.30
        ("copy_from_query", _query),
        ("copy_from_table", _copy),
        ("copy_to_table", _copy),
        ("copy_records_to_table", _copy),
    ):
        if hasattr(connection, name):
            patcher.wrap(connection, name, reads=reads)
    patcher.around_method(connection, "reset", _quietly)


def patch_prepared(module: ModuleType, patcher: Patcher) -> None:
    statement = module.PreparedStatement
    patcher.wrap(statement, "fetchval", reads=_prepared)
    for name, fetched in _fetched().items():
        patcher.wrap(statement, name, **asked_for(patcher, _prepared, comments=False), ends=fetched)
    for name in ("executemany", "fetchmany"):
        if hasattr(statement, name):
            patcher.wrap(statement, name, reads=_prepared_batch)


def patch_cursor(module: ModuleType, patcher: Patcher) -> None:
    for name in ("_bind_exec", "_bind"):  # once for each cursor; fetching more of it is no query
        patcher.wrap(module.BaseCursor, name, reads=_opened)


def patch_transaction(module: ModuleType, patcher: Patcher) -> None:
    for name in ("start", "_Transaction__commit", "_Transaction__rollback"):
        patcher.around_method(module.Transaction, name, _quietly)


def _is_kept(connection: Any, *_: Any) -> bool:
    # The library prepares a statement and keeps it by its text: one with another comment every time would be prepared
    # every time.
    return bool(connection._stmt_cache.get_max_size())


def _is_kept_script(connection: Any, args: tuple[Any, ...], _: dict[str, Any]) -> bool:
    # Without parameters it goes as it is.
    return len(args) > 1 and _is_kept(connection)


def _fetched() -> dict[str, Any]:
    """The methods that return rows, and what counts them if that is asked for."""
    if not database_optional.returned_rows():
        return {"fetch": None, "fetchrow": None}
    return {"fetch": _rows, "fetchrow": _row}


def _rows(call: Any, rows: Any) -> None:
    call.rows = len(rows)


def _row(call: Any, row: Any) -> None:
    call.rows = 0 if row is None else 1


def _quietly(original: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    async def run() -> Any:
        busy = id(getattr(instance, "_connection", instance))
        _own_doings.add(busy)
        try:
            return await original(*args, **kwargs)
        finally:
            _own_doings.discard(busy)

    return run()


def _query(connection: Any, query: Any, *args: Any, **_: Any) -> DatabaseCall | None:
    if _own_doings and id(connection) in _own_doings:
        return None
    return _call(connection, query, bool(args))


def _batch(connection: Any, query: Any, args: Any, *_: Any, **__: Any) -> DatabaseCall:
    return _sized(_call(connection, query, True), args)


def _copy(connection: Any, table_name: Any, **options: Any) -> DatabaseCall:
    call = _call(connection, None, True)
    call.operation = "COPY"
    schema = options.get("schema_name")
    call.collection = f"{schema}.{table_name}" if schema else table_name
    return call


def _prepared(statement: Any, *args: Any, **_: Any) -> DatabaseCall:
    return _call(statement._connection, statement._query, bool(args))


def _prepared_batch(statement: Any, args: Any, *_: Any, **__: Any) -> DatabaseCall:
    return _sized(_call(statement._connection, statement._query, True), args)


def _opened(cursor: Any, *_: Any, **__: Any) -> DatabaseCall:
    return _call(cursor._connection, cursor._query, bool(cursor._args))


def _call(connection: Any, query: Any, parameterized: bool) -> DatabaseCall:
    address = connection._addr
    host, port = (address, None) if isinstance(address, str) else (address[0], address[1])
    return DatabaseCall(
        "postgresql",
        query,
        parameterized=parameterized,
        namespace=connection._params.database,
        host=host,
        port=port,
    )


def _sized(call: DatabaseCall, rows: Any) -> DatabaseCall:
    if hasattr(rows, "__len__"):
        call.batch_size = len(rows)
    return call
