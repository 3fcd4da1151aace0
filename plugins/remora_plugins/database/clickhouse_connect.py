"""clickhouse-connect: many methods to ask by, few beneath them that send; the same names in the asyncio client."""

from __future__ import annotations

from remora_plugins.database.requested import RequestedCursorCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.database import DatabaseCall


def patch_client(httpclient: ModuleType, patcher: Patcher) -> None:
    _patch(httpclient.HttpClient, patcher)


def patch_asyncio_client(asyncclient: ModuleType, patcher: Patcher) -> None:
    if "_query_with_context" in vars(asyncclient.AsyncClient):  # before 1.0 it hands over to the other one
        _patch(asyncclient.AsyncClient, patcher)


def patch_cursor(cursor: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(cursor.Cursor, "executemany", reads=_executemany)


def _patch(client: Any, patcher: Patcher) -> None:
    patcher.wrap(client, "_query_with_context", reads=_query)
    patcher.wrap(client, "command", reads=_text)
    patcher.wrap(client, "raw_query", reads=_text)
    patcher.wrap(client, "raw_stream", reads=_text)
    patcher.wrap(client, "data_insert", reads=_insert)
    patcher.wrap(client, "raw_insert", reads=_raw_insert)


def _query(client: Any, context: Any = None, *_: Any, **__: Any) -> DatabaseCall | None:
    if getattr(context, "internal", False):
        return None  # what the library itself wants to know
    found: DatabaseCall = _CALLS.execute(client, context.query, context.parameters)
    return found


def _text(client: Any, query: Any = None, parameters: Any = None, *_: Any, **kwargs: Any) -> DatabaseCall:
    query = kwargs.get("cmd") if query is None else query
    found: DatabaseCall = _CALLS.execute(client, query, parameters, **kwargs)
    return found


def _insert(client: Any, context: Any = None, *_: Any, **__: Any) -> DatabaseCall:
    return _CALLS.command(client, "INSERT", context.table)


def _raw_insert(client: Any, table: Any = None, *_: Any, **__: Any) -> DatabaseCall:
    return _CALLS.command(client, "INSERT", table)


def _executemany(cursor: Any, *args: Any, **kwargs: Any) -> DatabaseCall:
    return _CALLS.executemany(cursor.client, *args, **kwargs)


def _where(client: Any) -> tuple[str | None, str | None, int | None]:
    _, _, rest = client.url.partition("://")
    host, _, port = rest.partition("/")[0].rpartition(":")
    return client.database or None, host.strip("[]"), int(port)


_CALLS = RequestedCursorCalls("clickhouse", _where)
