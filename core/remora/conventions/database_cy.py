"""A database call: one CLIENT span per call of the driver, named by what the query does, without any of its data.

Compiled when it can be; the same source either way. What is told of a query is worked out once: programs repeat them.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

from remora.conventions import errors, metrics, redaction, sql
from remora.conventions.call import CLIENT, DATABASE
from remora.conventions.database_status import status_code
from remora.conventions.keys import (
    DB_COLLECTION_NAME,
    DB_NAMESPACE,
    DB_OPERATION_BATCH_SIZE,
    DB_OPERATION_NAME,
    DB_QUERY_SUMMARY,
    DB_QUERY_TEXT,
    DB_RESPONSE_STATUS_CODE,
    DB_STORED_PROCEDURE_NAME,
    DB_SYSTEM_NAME,
    ERROR_TYPE,
    NETWORK_PEER_ADDRESS,
    NETWORK_PEER_PORT,
    SERVER_ADDRESS,
    SERVER_PORT,
)

if not cython.compiled:
    from remora.conventions.call_cy import Call
    from remora.conventions.recent_cy import Recent
    from remora.conventions.values_cy import exact_int, exact_text
else:
    from cython.cimports.remora.conventions.call_cy import Call
    from cython.cimports.remora.conventions.recent_cy import Recent
    from cython.cimports.remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMPILED = cython.compiled

DEFAULT_PORTS = {
    "aws.redshift": 5439,
    "cassandra": 9042,
    "clickhouse": 9000,
    "cockroachdb": 26257,
    "couchdb": 5984,
    "elasticsearch": 9200,
    "ibm.db2": 50000,
    "influxdb": 8086,
    "mariadb": 3306,
    "memcached": 11211,
    "microsoft.sql_server": 1433,
    "mongodb": 27017,
    "mysql": 3306,
    "neo4j": 7687,
    "opensearch": 9200,
    "oracle.db": 1521,
    "postgresql": 5432,
    "redis": 6379,
    "tidb": 4000,
    "trino": 8080,
    "valkey": 6379,
}

# Their namespace is a number that says nothing about the operation.
_NO_NAMESPACE_IN_NAME = frozenset({"redis", "valkey"})
_BATCH = "BATCH"

_told: Recent = Recent(512, 1 << 20)  # (system, text, parameterized, namespace, host, port) -> name, attributes


@cython.cclass
class DatabaseCall(Call):
    """One call of a database driver.

    ``system`` is a ``db.system.name``. ``text`` is the query as handed to the driver; ``parameterized`` tells that
    values were passed apart from it: then the text is shown as written, else every literal in it becomes ``?``. The
    text of a system without SQL is shown only if ``parameterized`` vouches that it holds no values.

    ``operation``, ``collection``, ``stored_procedure`` are for calls that name them themselves (``callproc``, ``GET``,
    ``find``); they are not to be parsed from a query. ``batch_size`` is the number of operations sent in one call.
    ``host`` is a name, an address or the path of a socket.

    To be set afterwards, where known: ``status_code`` (else it is read from the exception), ``peer_address``,
    ``peer_port``, ``error_type`` for a failure that raises nothing.
    """

    family = DATABASE
    kind = CLIENT
    duration = metrics.DB_CLIENT_OPERATION_DURATION
    redacts = staticmethod(redaction.database_text)

    if not cython.compiled:
        __slots__ = (
            "batch_size",
            "collection",
            "error_type",
            "host",
            "namespace",
            "operation",
            "parameterized",
            "peer_address",
            "peer_port",
            "port",
            "statement",
            "status_code",
            "stored_procedure",
            "system",
            "text",
            "told",
        )

    def __init__(
        self,
        system: Any,
        text: object = None,
        *,
        parameterized: cython.bint = False,
        namespace: object = None,
        host: object = None,
        port: object = None,
        operation: object = None,
        collection: object = None,
        stored_procedure: object = None,
        batch_size: object = None,
    ) -> None:
        self.carrier = None
        self.system = system
        self.text: Any = text
        self.parameterized = parameterized
        self.namespace = namespace
        self.host = host
        self.port = port
        self.operation = operation
        self.collection = collection
        self.stored_procedure = stored_procedure
        self.batch_size = batch_size
        self.statement: Any = None
        self.told: Any = None
        self.status_code: Any = None
        self.peer_address: Any = None
        self.peer_port: Any = None
        self.error_type: Any = None

    def doubles(self, outer: Any) -> bool:
        """The same query, or without one a call of the same system: an ORM or a wrapper over its driver.

        A query from within a callback is another one.
        """
        if self.text is None or outer.text is None:
            return bool(self.system == outer.system)
        return bool(self.text == outer.text)

    def name(self) -> str:
        """The query's summary; else operation and target; else the system."""
        told = self._remembered()
        return self._name() if told is None else told[0]

    def start(self) -> dict[str, Any]:
        """All the convention lets a sampler see."""
        told = self._remembered()
        if told is None:
            return self._start()
        self.told = None  # good for one start: fields may be set again
        attributes: dict[str, Any] = told[1]
        return attributes.copy()

    def _remembered(self) -> Any:
        """Name and attributes of a call that is a query and nothing else; None where they have to be worked out."""
        told = self.told
        if told is None and _is_only_a_query(self):
            key = (self.system, self.text, self.parameterized, self.namespace, self.host, self.port)
            told = _told.find(key)
            if told is None:
                told = (self._name(), self._start())
                if len(self.text) <= sql.MAX_TEXT_CHARS:
                    _told.keep(key, told, len(self.text))
            self.told = told
        return told

    def _name(self) -> str:
        summary = self._summary()
        if summary is not None:
            return summary
        operation = self._operation()
        target = self._target()
        if operation and target:
            return f"{operation} {target}"
        return operation or target or exact_text(self.system) or "other_sql"

    def _start(self) -> dict[str, Any]:
        system = exact_text(self.system) or "other_sql"
        attributes: dict[str, Any] = {DB_SYSTEM_NAME: system}
        if self.namespace is not None:
            _put(attributes, DB_NAMESPACE, self.namespace)
        if self.text is not None:
            text = self._shown_text()
            if text:
                attributes[DB_QUERY_TEXT] = text
        summary = self._summary()
        if summary is not None:
            attributes[DB_QUERY_SUMMARY] = summary
        if self.operation is not None:
            attributes[DB_OPERATION_NAME] = self._operation()
        if self.collection is not None:
            _put(attributes, DB_COLLECTION_NAME, self.collection)
        if self.stored_procedure is not None:
            _put(attributes, DB_STORED_PROCEDURE_NAME, self.stored_procedure)
        if self.batch_size is not None and self._is_batch():
            attributes[DB_OPERATION_BATCH_SIZE] = exact_int(self.batch_size)
        host = exact_text(self.host)
        if host:
            attributes[SERVER_ADDRESS] = host
            port = exact_int(self.port)
            if port is not None and port != DEFAULT_PORTS.get(system) and host[0] != "/":
                attributes[SERVER_PORT] = port
        return attributes

    def end(self, exception: Any) -> dict[str, Any]:
        """The database's code of a failure, or else the exception; a cancelled call is no failure."""
        attributes: dict[str, Any] = {}
        code = exact_text(self.status_code)
        error = self.error_type
        if exception is not None and not errors.cancelled(exception):
            code = code or status_code(self.system, exception)
            error = error or code or errors.type_of(exception)
        if code:
            attributes[DB_RESPONSE_STATUS_CODE] = code
        if error is not None:
            attributes[ERROR_TYPE] = exact_text(error) or errors.OTHER
        if self.peer_address is not None:
            address = exact_text(self.peer_address)
            if address:
                attributes[NETWORK_PEER_ADDRESS] = address
                port = exact_int(self.peer_port)
                if port is not None:
                    attributes[NETWORK_PEER_PORT] = port
        return attributes

    def description(self, exception: Any) -> str | None:
        """The database's message without the data it quotes."""
        return errors.description(exception, redaction.database_text)

    def _statement(self) -> Any:
        statement = self.statement
        if statement is None and self.text is not None:
            text = self.text if type(self.text) is str else exact_text(self.text)
            if text:
                statement = self.statement = sql.read(text, self.system)
        return statement

    def _shown_text(self) -> str | None:
        statement = self._statement()
        if statement is not None:
            return statement.raw if self.parameterized else statement.text
        text = exact_text(self.text) if self.parameterized else None
        return text[: sql.MAX_TEXT_CHARS] if text else None

    def _summary(self) -> str | None:
        statement = self._statement()
        summary = statement.summary if statement is not None else None
        if summary is None and self.text is None and self.stored_procedure is not None:
            procedure = exact_text(self.stored_procedure)
            operation = exact_text(self.operation)
            summary = f"{operation} {procedure}"[: sql.MAX_SUMMARY_CHARS] if operation and procedure else None
        if summary is not None and self.batch_size is not None and self._is_batch():
            return f"{_BATCH} {summary}"
        return summary

    def _operation(self) -> str:
        operation = " ".join((exact_text(self.operation) or "").split())
        if self.batch_size is not None and self._is_batch():
            return f"{_BATCH} {operation}" if operation else _BATCH
        return operation

    def _is_batch(self) -> bool:
        """Two or more operations; also none at all, sent by a call for batches. One is no batch."""
        size = exact_int(self.batch_size)
        return size is not None and size != 1 and size >= 0

    def _target(self) -> str:
        target = exact_text(self.collection) or exact_text(self.stored_procedure)
        if not target and self.system not in _NO_NAMESPACE_IN_NAME:
            target = exact_text(self.namespace)
        if not target:
            target = exact_text(self.host) or ""
            port = exact_int(self.port)
            if target and port is not None and target[0] != "/":
                target = f"{target}:{port}"
        return target


@cython.cfunc
def _is_only_a_query(call: DatabaseCall) -> cython.bint:
    return (
        type(call.text) is str
        and type(call.system) is str
        and call.operation is None
        and call.collection is None
        and call.stored_procedure is None
        and call.batch_size is None
        and (call.namespace is None or type(call.namespace) is str)
        and (call.host is None or type(call.host) is str)
        and (call.port is None or type(call.port) is int)
    )


def _put(attributes: dict[str, Any], key: str, value: object) -> None:
    text = exact_text(value)
    if text:
        attributes[key] = text
