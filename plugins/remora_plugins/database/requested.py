"""Drivers that talk to their database by HTTP: the request beneath is the call itself, and is told by one span."""

from __future__ import annotations

from remora.conventions.call import DATABASE, HTTP_CLIENT
from remora.conventions.database import DatabaseCall
from remora_plugins.database.dbapi import CursorCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class RequestedCall(DatabaseCall):
    """A query and the requests that carry it: the first, those for its further pages, and retries."""

    family = DATABASE | HTTP_CLIENT
    __slots__ = ()

    def doubles(self, outer: Any) -> bool:
        """Another query is one of its own; a request of the program's around it is not this call seen from above."""
        return isinstance(outer, DatabaseCall) and super().doubles(outer)


class RequestedCursorCalls(CursorCalls):
    """Describers for the cursors of such a driver."""

    def _call(self, cursor: Any, query: Any, *, parameterized: bool) -> RequestedCall:
        told = super()._call(cursor, query, parameterized=parameterized)
        return RequestedCall(
            told.system,
            told.text,
            parameterized=parameterized,
            namespace=told.namespace,
            host=told.host,
            port=told.port,
        )
