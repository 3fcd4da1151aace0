"""PEP 249 once for all drivers: what ``execute``, ``executemany`` and ``callproc`` mean."""

from __future__ import annotations

from remora.conventions.database import DatabaseCall, QueryReads, has_values, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.api import Patcher

    # The connection's database, host and port, known without a network call.
    Where = Callable[[Any], tuple[str | None, str | None, int | None]]


_QUERY = ("query", "sql", "operation", "sql_script")
_VALUES = ("vars", "params", "args", "parameters")
_ROWS = ("vars_list", "params_seq", "seq_params", "param_sets", "args", "parameters")
_PROCEDURE = ("procname", "name")


class PackedCall(DatabaseCall):
    """A query that came as bytes: inside ``executemany`` it is the driver's own, all rows packed into one statement."""

    __slots__ = ()

    def doubles(self, outer: Any) -> bool:
        """Part of the batch around it; else as any query."""
        return outer.batch_size is not None or super().doubles(outer)


class CursorCalls:
    """Describers for the cursors of one driver; ``where`` is asked with a cursor.

    With ``holder`` it is asked once for a connection: that is what a cursor has under this name, or with "" itself. It
    is asked again when the connection's ``_remora_place`` is None. ``text`` is not asked then for what is a plain str.
    """

    def __init__(
        self,
        system: str,
        where: Where,
        text: Callable[[Any, Any], str | None] | None = None,
        *,
        holder: str | None = None,
    ) -> None:
        self._system = system
        self._where = where
        self._text = text or _plain_text
        self._holder = holder
        self.execute: Callable[..., DatabaseCall] = (
            self._execute if holder is None else QueryReads(holder, self._execute)
        )

    def _execute(self, cursor: Any, query: Any = None, parameters: Any = None, *_: Any, **kwargs: Any) -> DatabaseCall:
        if kwargs:
            query = _named(query, kwargs, _QUERY)
            parameters = _named(parameters, kwargs, _VALUES)
        return self._call(cursor, query, parameterized=has_values(parameters))

    def executemany(self, cursor: Any, query: Any = None, rows: Any = None, *_: Any, **kwargs: Any) -> DatabaseCall:
        if kwargs:
            query = _named(query, kwargs, _QUERY)
            rows = _named(rows, kwargs, _ROWS)
        call = self._call(cursor, query, parameterized=True)
        if hasattr(rows, "__len__"):
            call.batch_size = len(rows)
        return call

    def script(self, cursor: Any, query: Any = None, *_: Any, **kwargs: Any) -> DatabaseCall:
        return self._call(cursor, _named(query, kwargs, _QUERY), parameterized=False)

    def callproc(self, cursor: Any, name: Any = None, *_: Any, **kwargs: Any) -> DatabaseCall:
        call = self._call(cursor, None, parameterized=True)
        call.operation = "CALL"
        call.stored_procedure = str(_named(name, kwargs, _PROCEDURE) or "")
        return call

    def command(self, cursor: Any, operation: str, collection: Any) -> DatabaseCall:
        """A method that names what it does and to which table, without a query."""
        call = self._call(cursor, None, parameterized=True)
        call.operation = operation
        call.collection = collection
        return call

    def _call(self, cursor: Any, query: Any, *, parameterized: bool) -> DatabaseCall:
        system, place = self._system, None
        try:
            namespace, host, port = self._where(cursor)
            text = self._text(cursor, query)
            system = self._system_of(cursor)
            if self._holder is not None:
                place = place_of(system, namespace, host, port)
                self._note(cursor, place)
        except Exception:  # a closed connection: the driver is about to say so itself
            namespace = host = port = text = None
        record = PackedCall if type(query) is bytes else DatabaseCall
        call = record(
            system,
            text,
            parameterized=parameterized,
            namespace=namespace,
            host=host,
            port=port,
        )
        call.place = place
        return call

    def _system_of(self, _: Any) -> str:
        return self._system

    def _note(self, cursor: Any, place: Any) -> None:
        try:
            (getattr(cursor, self._holder) if self._holder else cursor)._remora_place = place
        except Exception:
            return  # a class that takes no attributes: it is asked every time


def _named(value: Any, kwargs: dict[str, Any], names: tuple[str, ...]) -> Any:
    """The value, or what was passed by one of the names that drivers give to it."""
    if value is None:
        for name in names:
            if name in kwargs:
                return kwargs[name]
    return value


def _plain_text(_: Any, query: Any) -> str | None:
    if type(query) is str:
        return query
    if isinstance(query, bytes):
        return query.decode("utf-8", "replace")
    return str(query) if isinstance(query, str) else None


class TracedClasses:
    """Real subclasses of a driver's class ``plain`` and of the program's subclasses of it, whose calls are traced.

    The traced methods stand directly above the driver's own, below whatever the program overrides, so that its
    ``super()`` calls pass through them. A class that cannot be made is left as it is.
    """

    def __init__(self, plain: type, methods: dict[str, Any]) -> None:
        self._plain = plain
        self._traced = _looking_like(plain, (plain,), methods)
        self._made: dict[type, type] = {plain: self._traced}

    def of(self, base: Any) -> Any:
        """The traced class for ``base``; ``base`` itself if it is no subclass of the driver's class, or traced."""
        if not isinstance(base, type) or not issubclass(base, self._plain) or issubclass(base, self._traced):
            return base
        made = self._made.get(base)
        if made is None:
            try:
                made = _looking_like(base, (base, self._traced), {})
            except Exception:  # its __init_subclass__ or metaclass wants something we do not know
                made = base
            self._made[base] = made
        return made


def _looking_like(base: type, bases: tuple[type, ...], methods: dict[str, Any]) -> type:
    looks = {"__module__": base.__module__, "__qualname__": base.__qualname__, "__doc__": base.__doc__}
    return type(base)(base.__name__, bases, {**looks, **methods})


def traced_methods(plain: type, calls: CursorCalls, patcher: Patcher) -> dict[str, Any]:
    """The methods of a driver's class that talk to the database, traced."""
    return {
        name: patcher.traced(getattr(plain, name), reads=reads)
        for name, reads in (
            ("execute", calls.execute),
            ("executemany", calls.executemany),
            ("executescript", calls.script),
            ("callproc", calls.callproc),
        )
        if hasattr(plain, name)
    }
