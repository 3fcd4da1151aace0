"""clickhouse-driver: the client does the work, also beneath the cursors of PEP 249; rows to insert are parameters."""

from __future__ import annotations

from remora_plugins.database.dbapi import CursorCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database import DatabaseCall


def patch(client: ModuleType, patcher: Patcher) -> None:
    for name in ("execute", "execute_with_progress", "execute_iter"):
        patcher.wrap(client.Client, name, reads=_execute)
    patcher.wrap(client.Client, "insert_dataframe", reads=_insert)
    for name in ("query_dataframe", "query_arrow", "query_arrow_stream"):
        if hasattr(client.Client, name):
            patcher.wrap(client.Client, name, reads=_CALLS.execute)


def _execute(client: Any, query: Any = None, params: Any = None, *_: Any, **__: Any) -> DatabaseCall:
    """A dict of values for the query's names; a list or an iterator of rows to insert."""
    if params is None or isinstance(params, dict):
        found: DatabaseCall = _CALLS.execute(client, query, params)
        return found
    return _CALLS.executemany(client, query, params)


def _insert(client: Any, query: Any = None, dataframe: Any = None, *_: Any, **__: Any) -> DatabaseCall:
    return _CALLS.executemany(client, query, dataframe)


def _where(client: Any) -> tuple[str | None, str | None, int | None]:
    connection = client.connection
    host, port = getattr(connection, "host", None), getattr(connection, "port", None)
    if host is None:  # not connected yet: it begins with the first
        host, port = connection.hosts[0][:2]
    return connection.database or None, host, port


_CALLS = CursorCalls("clickhouse", _where)
