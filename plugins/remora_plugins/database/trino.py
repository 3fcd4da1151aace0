"""trino: plain Python over requests; a query is a POST and the GETs of its pages."""

from __future__ import annotations

from remora_plugins.database.requested import RequestedCursorCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch(dbapi: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(dbapi.Cursor, "execute", reads=_CALLS.execute)
    patcher.wrap(dbapi.Cursor, "executemany", reads=_CALLS.executemany)


def _where(cursor: Any) -> tuple[str | None, str | None, int | None]:
    """The namespace is that of now: USE changes it, and the client follows."""
    connection = cursor.connection
    session = connection._client_session
    catalog, schema = session.catalog, session.schema
    namespace = f"{catalog}|{schema}" if catalog and schema else catalog or schema
    return namespace, connection.host, connection.port


_CALLS = RequestedCursorCalls("trino", _where)
