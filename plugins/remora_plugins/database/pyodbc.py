"""pyodbc: connection and cursor are C types that cannot be subclassed, and lead to whatever has a driver for ODBC."""

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

# What drivers call their database (SQL_DBMS_NAME), in lower case, by its beginning.
_SYSTEMS = (
    ("postgresql", "postgresql"),
    ("mariadb", "mariadb"),
    ("mysql", "mysql"),
    ("microsoft sql", "microsoft.sql_server"),
    ("oracle", "oracle.db"),
    ("sqlite", "sqlite"),
    ("db2", "ibm.db2"),
    ("informix", "ibm.informix"),
    ("clickhouse", "clickhouse"),
    ("snowflake", "snowflake"),
    ("trino", "trino"),
    ("teradata", "teradata"),
    ("hdb", "sap.hana"),
    ("firebird", "firebirdsql"),
    ("apache hive", "hive"),
    ("spark", "spark"),
    ("redshift", "aws.redshift"),
    ("amazon redshift", "aws.redshift"),
    ("netezza", "ibm.netezza"),
)
# Words of a connection string, in lower case; some drivers have several for the same.
_HOST = ("server", "servername", "host", "hostname", "address", "addr", "network address")
_PORT = ("port",)
_DATABASE = ("database", "db", "dbname", "dbq", "initial catalog")
_NAMES = frozenset((*_HOST, *_PORT, *_DATABASE))


def patch(pyodbc: ModuleType, patcher: Patcher) -> None:
    def connecting(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        connection = wrapped(*args, **kwargs)
        try:
            _noted.note(connection, _place(pyodbc, connection, args[0] if args else None, kwargs))
        except Exception:
            _noted.forget(connection)  # its spans do not tell where it leads
        return connection

    patcher.around(pyodbc, "connect", connecting)
    connections, cursors = fixed_type(pyodbc.Connection), fixed_type(pyodbc.Cursor)
    patcher.before(connections, "close", _noted.forget)
    patcher.wrap(connections, "execute", reads=_execute_on_connection)
    patcher.wrap(cursors, "execute", reads=_execute)
    patcher.wrap(cursors, "executemany", reads=_CALLS.executemany)


def _execute(cursor: Any, query: Any = None, *values: Any, **_: Any) -> DatabaseCall:
    """Values come one by one or in a sequence."""
    found: DatabaseCall = _CALLS.execute(cursor, query, values)
    return found


def _execute_on_connection(connection: Any, query: Any = None, *values: Any, **_: Any) -> DatabaseCall:
    found: DatabaseCall = _CALLS.execute(_Holding(connection), query, values)
    return found


class _Holding:
    """Stands for the cursor that a connection's own ``execute`` makes."""

    __slots__ = ("connection",)

    def __init__(self, connection: Any) -> None:
        self.connection = connection


class _OdbcCalls(CursorCalls):
    def _call(self, cursor: Any, query: Any, *, parameterized: bool) -> DatabaseCall:
        # Known before the base asks: the text is read by the rules of the system.
        call = super()._call(cursor, query, parameterized=parameterized)
        known = _known(cursor)
        call.system = known[0] if known is not None else "other_sql"
        return call


def _place(pyodbc: ModuleType, connection: Any, text: Any, kwargs: dict[str, Any]) -> tuple[str, Where]:
    """The system, and where it is; the driver's answers come from what it was told when it connected."""
    told = _pairs(text) if isinstance(text, str) else {}
    told.update({name.lower(): str(value) for name, value in kwargs.items() if name.lower() in _NAMES})
    system = _system(connection.getinfo(pyodbc.SQL_DBMS_NAME))
    host = _first(told, _HOST)
    port = _first(told, _PORT)
    if host is None:
        host = _info(connection, pyodbc.SQL_SERVER_NAME)  # from a DSN of odbc.ini
    if host is not None and system == "microsoft.sql_server":
        host, port = _sql_server(host, port)
    database = _first(told, _DATABASE) or _info(connection, pyodbc.SQL_DATABASE_NAME)
    return system, (database, host, int(port) if port and port.isdigit() else None)


def _system(name: Any) -> str:
    lower = str(name).lower()
    return next((system for beginning, system in _SYSTEMS if lower.startswith(beginning)), "other_sql")


def _sql_server(host: str, port: str | None) -> tuple[str, str | None]:
    """Of ``tcp:host\\instance,port``."""
    name, _, number = host.removeprefix("tcp:").partition(",")
    return name.partition("\\")[0].strip(), number.strip() or port


def _first(told: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((told[name] for name in names if told.get(name)), None)


def _info(connection: Any, what: int) -> str | None:
    try:
        return connection.getinfo(what) or None
    except Exception:  # not every driver answers
        return None


def _pairs(text: str) -> dict[str, str]:
    """The words of a connection string that say where: ``Name=value;Name={va;lue}``. No other is kept."""
    told: dict[str, str] = {}
    position = 0
    while position < len(text):
        equals = text.find("=", position)
        if equals < 0:
            break
        name = text[position:equals].strip().lower()
        start = equals + 1
        if text[start : start + 1] == "{":
            end = text.find("}", start)
            while end >= 0 and text[end + 1 : end + 2] == "}":  # }} is one of the value's
                end = text.find("}", end + 2)
            end = len(text) if end < 0 else end
            value, position = text[start + 1 : end].replace("}}", "}"), text.find(";", end) + 1
        else:
            end = text.find(";", start)
            value, position = (text[start:end], end + 1) if end >= 0 else (text[start:], 0)
        if name in _NAMES:
            told.setdefault(name, value.strip())
        if position <= 0:
            break
    return told


def _known(cursor: Any) -> tuple[str, Where] | None:
    found: tuple[str, Where] | None = _noted.of(cursor.connection)
    return found


def _where(cursor: Any) -> Where:
    known = _known(cursor)
    return known[1] if known is not None else (None, None, None)


_noted = Noted()
_CALLS = _OdbcCalls("other_sql", _where)
