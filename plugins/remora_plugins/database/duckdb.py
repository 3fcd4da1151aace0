"""DuckDB: a connection is its own cursor; relations run later, when their rows are asked for."""

from __future__ import annotations

import atexit

from remora.conventions.database import DatabaseCall
from remora_plugins.database.dbapi import CursorCalls
from remora_plugins.database.noted import Noted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

    Where = tuple[str | None, str | None, int | None]

# Statements that become a relation and run only when it is read.
_LAZY = ("SELECT", "FROM", "WITH", "VALUES", "(", "TABLE", "DESCRIBE", "SUMMARIZE", "SHOW", "PIVOT", "UNPIVOT")
_LONGEST_WORD_CHARS = 9
# Of relations before 2.0, whose every one of these runs the query.
_READS = ("fetchall", "fetchdf", "df", "to_df", "arrow", "fetch_arrow_table", "to_arrow_table", "pl", "fetchnumpy")
_WRITES = ("create", "to_table", "insert_into", "to_csv", "write_csv", "to_parquet", "write_parquet")


def patch(duckdb: ModuleType, patcher: Patcher) -> None:
    """Also the module's own functions, which ask a connection that all of the program shares."""
    # Its C library tells on stderr what of it outlives the interpreter, and what we hold of it does.
    atexit.register(patcher.undo)
    connections = duckdb.DuckDBPyConnection
    patcher.around(duckdb, "connect", _connecting)
    for name in ("cursor", "duplicate"):
        if hasattr(connections, name):
            patcher.around_method(connections, name, _copying)
    patcher.before(connections, "close", _noted.forget)
    for name, reads in (("execute", _CALLS.execute), ("executemany", _CALLS.executemany)):
        patcher.wrap(connections, name, reads=reads)
        patcher.wrap(duckdb, name, reads=_of_module(reads))
    for name in ("sql", "query", "from_query"):
        if hasattr(connections, name):
            patcher.wrap(connections, name, reads=_eager)
        if hasattr(duckdb, name):
            patcher.wrap(duckdb, name, reads=_of_module(_eager))
    seam = getattr(getattr(duckdb, "_relation", None), "_seam", None)
    if hasattr(seam, "submit"):
        patcher.wrap(seam, "submit", reads=_submitted)
        return
    for name in (*_READS, *_WRITES):
        if hasattr(duckdb.DuckDBPyRelation, name):
            patcher.wrap(duckdb.DuckDBPyRelation, name, reads=_relation)


class _PartCall(DatabaseCall):
    """What runs for another call that is open already, under a text that the library made of the program's."""

    __slots__ = ()

    def doubles(self, outer: Any) -> bool:
        """Any query of this database around it is the program's view of the same."""
        return bool(self.system == outer.system)


def _connecting(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    connection = wrapped(*args, **kwargs)
    try:
        _noted.note(connection, _name(args[0] if args else kwargs.get("database", _MEMORY)))
    except Exception:
        _noted.forget(connection)  # its spans have no namespace
    return connection


def _copying(original: Any, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    made = original(*args, **kwargs)
    _noted.note(made, _noted.of(connection))
    return made


def _name(database: Any) -> str:
    name = str(database)
    if name.startswith(("md:", "motherduck:")):
        name = name.partition("?")[0]  # what follows may be a token
    return _MEMORY if name in ("", ":default:") else name


def _of_module(reads: Any) -> Any:
    """The function takes the connection last and by name."""

    def call(*args: Any, connection: Any = None, **kwargs: Any) -> Any:
        return reads(connection, *args, **kwargs)

    return call


def _eager(connection: Any, query: Any = None, *_: Any, params: Any = None, **__: Any) -> DatabaseCall | None:
    """None for what only becomes a relation here."""
    text = _text(connection, query)
    if text is None or _is_lazy(text):
        return None
    found: DatabaseCall = _CALLS.execute(connection, query, params)
    return found


def _is_lazy(text: str) -> bool:
    start = text.lstrip()
    return start[:_LONGEST_WORD_CHARS].upper().startswith(_LAZY) and ";" not in start.rstrip().rstrip(";")


def _submitted(connection: Any, sql: Any = None, values: Any = None, *_: Any, **__: Any) -> DatabaseCall | None:
    if type(sql) is not str:
        return None
    return _PartCall("duckdb", sql, parameterized=False, namespace=_where(connection)[0])


def _relation(relation: Any, *_: Any, **__: Any) -> DatabaseCall | None:
    return _PartCall("duckdb", relation.sql_query(), parameterized=False)


def _where(connection: Any) -> Where:
    return (_MEMORY if connection is None else _noted.of(connection)), None, None


def _text(_: Any, query: Any) -> str | None:
    if isinstance(query, str):
        return str(query)
    text = getattr(query, "query", None)  # a statement that extract_statements parsed
    return text if isinstance(text, str) else None


_MEMORY = ":memory:"
_noted = Noted()
_CALLS = CursorCalls("duckdb", _where, _text)
