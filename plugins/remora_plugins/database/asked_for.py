"""What users ask for beyond the default: how many rows came back, and the trace context in a comment of the statement.

It is looked at when a driver is patched. Where nobody asks, the driver is patched as without it.
"""

from __future__ import annotations

from remora.conventions import database_optional
from remora.conventions.database import DatabaseCall
from remora.conventions.keys import DB_RESPONSE_RETURNED_ROWS
from remora_plugins.database.dbapi import PackedCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.api import Patcher

    Leaves = Callable[[Any, tuple[Any, ...], dict[str, Any]], bool]

_QUERY = ("query", "operation", "sql", "statement")
_VALUES = ("args", "params", "vars", "parameters")
_FIELDS = (
    "batch_size",
    "collection",
    "namespace",
    "operation",
    "parameterized",
    "place",
    "port",
    "stored_procedure",
    "host",
    "told",
)


class _Counted:
    """Keeps the cursor until the call is over; ``rows`` are for libraries that have no cursors."""

    __slots__ = ()
    cursor: Any
    rows: Any

    def end(self, exception: Any) -> dict[str, Any]:
        attributes: dict[str, Any] = super().end(exception)  # type: ignore[misc]
        if exception is None and database_optional.returned_rows():
            if self.rows is not None:
                attributes[DB_RESPONSE_RETURNED_ROWS] = self.rows
            elif self.cursor is not None:
                database_optional.put_returned_rows(attributes, self.cursor)
        return attributes

    def release(self) -> Any:
        self.cursor = None
        return super().release()  # type: ignore[misc]


class CountedCall(_Counted, DatabaseCall):
    __slots__ = ("cursor", "rows")


class CountedPackedCall(_Counted, PackedCall):
    __slots__ = ("cursor", "rows")


def asked_for(
    patcher: Patcher,
    reads: Callable[..., Any],
    *,
    formats: bool = False,
    leaves: Leaves | None = None,
    comments: bool = True,
) -> dict[str, Any]:
    """The arguments for ``patcher.wrap`` or ``traced`` of a driver's ``execute(query, parameters)``.

    ``formats``: the driver puts the parameters into the text by ``%``, so that a percent sign must be doubled where
    there are any. ``leaves(cursor, args, kwargs)`` tells which statements stay as they are (prepared ones, those of
    cursors on the server); without ``comments`` all do.
    """
    comments = comments and database_optional.comments() and patcher.operations.propagation.trace
    if not comments and not database_optional.returned_rows():
        return {"reads": reads}

    def described(cursor: Any, *args: Any, **kwargs: Any) -> Any:
        return counted(reads(cursor, *args, **kwargs), cursor)

    if not comments:
        return {"reads": described}
    return {"reads": described, "rewrites": _commenting(patcher.operations, formats, leaves)}


def counted(call: Any, cursor: Any) -> Any:
    """The same record, with a place for the cursor; one that is no plain query is left as it is."""
    if type(call) is DatabaseCall:
        made: Any = CountedCall(call.system, call.text)
    elif type(call) is PackedCall:
        made = CountedPackedCall(call.system, call.text)
    else:
        return call
    for name in _FIELDS:
        setattr(made, name, getattr(call, name))
    made.cursor, made.rows = cursor, None
    return made


def _commenting(
    operations: Any, formats: bool, leaves: Leaves | None
) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]:
    from remora.conventions import sql_comment  # deferred: only where somebody asks

    def rewrite(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        call = sql_comment.current_call()
        cursor = getattr(call, "cursor", None)
        if call is None or (leaves is not None and leaves(cursor, args, kwargs)):
            return args, kwargs
        if operations.reaches is not None and not operations.reaches(call):
            return args, kwargs
        comment = sql_comment.of_current_span()
        if not comment:
            return args, kwargs
        name = "" if args else next((name for name in _QUERY if name in kwargs), None)
        if name is None:
            return args, kwargs
        query = args[0] if args else kwargs[name]
        if not isinstance(query, (str, bytes, bytearray)):
            # What psycopg and psycopg2 put statements together with.
            if not hasattr(query, "as_string") or cursor is None:
                return args, kwargs
            query = query.as_string(cursor)
        if formats and _values(args, kwargs) is not None:
            comment = comment.replace("%", "%%")
        query = sql_comment.commented(query, comment)
        return ((query, *args[1:]), kwargs) if args else (args, {**kwargs, name: query})

    return rewrite


def _values(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if len(args) > 1:
        return args[1]
    return next((kwargs[name] for name in _VALUES if name in kwargs), None)
