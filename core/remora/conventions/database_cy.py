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

# (place, text, parameterized), or (system, text, parameterized, namespace, host, port) -> name, attributes, peer
_told: Recent = Recent(512, 1 << 20)
_MAX_PLACES = 512
_places: dict[Any, Place] = {}
_MAX_PEERS = 1024
_peers: dict[tuple[object, object], Peer] = {}
MAX_ARGUMENTS = 16
_MAX_COMMANDS = 1024
_COUNTS = MAX_ARGUMENTS + 2


@cython.cclass
class Peer:
    """The other end of the connections to one server: ``address`` is None where it is unknown or they differ."""

    if not cython.compiled:
        __slots__ = ("address", "mixed", "port")

    def __init__(self, address: object = None, port: object = None) -> None:
        self.address: Any = address
        self.port: Any = port
        self.mixed = False

    def met(self, address: object, port: object) -> None:
        """Takes note of whom a connection went to."""
        if self.address is None:
            if not self.mixed:
                self.address, self.port = exact_text(address), exact_int(port)
        elif self.address != address or self.port != port:
            self.mixed = True
            self.address = self.port = None


def peer_of(host: object, port: object) -> Peer:
    """What is known of the other end of connections to a server by that name."""
    peer = _peers.get((host, port))
    if peer is None:
        peer = Peer(host) if type(host) is str and host[:1] == "/" else Peer()
        if len(_peers) < _MAX_PEERS:
            _peers[(host, port)] = peer
    return peer


@cython.cclass
class Place:
    """Where calls go. ``commands`` remembers what is told of commands that are known by name and number of arguments.

    ``peer`` may become known, and change, later on.
    """

    if not cython.compiled:
        __slots__ = ("commands", "host", "namespace", "peer", "port", "system")

    def __init__(
        self, system: Any, namespace: object = None, host: object = None, port: object = None, peer: object = None
    ) -> None:
        self.system = system
        self.namespace = namespace
        self.host = host
        self.port = port
        self.peer: Any = peer
        self.commands: dict[Any, Any] = {}

    def call(self) -> DatabaseCall:
        """A record of a call to here, of which nothing else is known yet."""
        return _bare(self)


def place_of(system: Any, namespace: object, host: object, port: object) -> Place:
    """The place for these, the same for all connections to it."""
    key = (system, namespace, host, port)
    place = _places.get(key)
    if place is None:
        place = Place(system, namespace, host, port)
        if len(_places) >= _MAX_PLACES:
            _places.clear()
        _places[key] = place
    return place


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
            "peer_told",
            "place",
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
        self.place: Any = None
        self.peer_told: Any = None
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
        self.peer_told = told[2]
        attributes: dict[str, Any] = told[1]
        return attributes.copy()

    def remember(self) -> Any:
        """What is told of such a call now: its name, its attributes at the start, the peer among them."""
        name, attributes = self._name(), self._start()
        return name, attributes, self.peer_told

    def _remembered(self) -> Any:
        """Name, attributes and peer of a call that is a query and nothing else; None where it is more."""
        told = self.told
        if told is None and _is_only_a_query(self):
            place: Place | None = self.place
            address: Any = None
            if place is not None and _is_still_of(self, place):
                key: Any = (place, self.text, self.parameterized)
                if place.peer is not None:
                    address = place.peer.address
            else:
                key = (self.system, self.text, self.parameterized, self.namespace, self.host, self.port)
            told = _told.find(key)
            if told is None or told[2] is not address:
                told = self.remember()
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
        if self.place is not None:
            self.peer_told = _put_peer(attributes, self.place.peer)
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
        elif self.place is not None:
            peer: Peer | None = self.place.peer
            if peer is not None and peer.address is not self.peer_told:
                _put_peer(attributes, peer)
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


@cython.cfunc
def _put_peer(attributes: dict[str, Any], peer: Peer | None) -> object:
    """The address that was put."""
    if peer is None or peer.address is None:
        return None
    address: object = peer.address
    attributes[NETWORK_PEER_ADDRESS] = address
    if peer.port is not None:
        attributes[NETWORK_PEER_PORT] = peer.port
    return address


@cython.cfunc
def _is_still_of(call: DatabaseCall, place: Place) -> cython.bint:
    return (
        call.system is place.system
        and call.namespace is place.namespace
        and call.host is place.host
        and call.port is place.port
    )


@cython.cfunc
def _bare(place: Place) -> DatabaseCall:
    if cython.compiled:
        call: DatabaseCall = DatabaseCall.__new__(DatabaseCall)
        call.system = place.system
        call.namespace = place.namespace
        call.host = place.host
        call.port = place.port
    else:
        call = DatabaseCall(place.system, namespace=place.namespace, host=place.host, port=place.port)
    call.place = place
    return call


@cython.final
@cython.cclass
class QueryReads:
    """The describer of ``execute(cursor, query, parameters)`` of a driver's cursors.

    The place stands on the object that the cursor has under the name ``holder`` (on the cursor itself if empty), as
    ``_remora_place``; where it does not, and for all that is no plain text, ``otherwise`` describes the call.
    """

    if not cython.compiled:
        __slots__ = ("holder", "otherwise")

    def __init__(self, holder: str, otherwise: Any) -> None:
        self.holder = holder
        self.otherwise = otherwise

    def __call__(self, cursor: Any, query: Any = None, parameters: Any = None, *rest: Any, **kwargs: Any) -> Any:
        if type(query) is str and not kwargs:
            found: Any = getattr(getattr(cursor, self.holder, None) if self.holder else cursor, PLACE, None)
            if type(found) is Place:
                place: Place = found
                call: DatabaseCall = _bare(place)
                call.text = query
                call.parameterized = has_values(parameters)
                return call
        return self.otherwise(cursor, query, parameters, *rest, **kwargs)


PLACE = "_remora_place"


def has_values(parameters: Any) -> bool:
    """Whether values were passed apart from a query."""
    kind = type(parameters)
    if kind is tuple or kind is list or kind is dict:
        return bool(parameters)
    try:
        return parameters is not None and len(parameters) > 0
    except Exception:  # an iterator or an array of sorts: something was passed
        return True


@cython.final
@cython.cclass
class CommandReads:
    """The describer of ``execute_command(client, *args)``, of which the first is the command's name.

    The place stands on what the client has under the name ``holder`` (on the client itself if empty). What was told
    of a command is told again of all with the same name and as many arguments. The first time, and where all
    arguments matter, ``otherwise(client, args)`` describes it: the record, and whether it may be told again.
    """

    if not cython.compiled:
        __slots__ = ("holder", "otherwise")

    def __init__(self, holder: str, otherwise: Any) -> None:
        self.holder = holder
        self.otherwise = otherwise

    def __call__(self, client: Any, *args: Any, **_: Any) -> Any:
        if not args:
            return None
        name: Any = args[0]
        count: cython.Py_ssize_t = min(len(args) - 1, MAX_ARGUMENTS + 1)
        found: Any = getattr(getattr(client, self.holder, None) if self.holder else client, PLACE, None)
        place: Place
        call: DatabaseCall
        known: Any = None
        told: Any = None
        if type(found) is Place and type(name) is str:
            place = found
            known = place.commands.get(name)
            if known is not None:
                told = known[count]
                if told is not None and told[2] is (None if place.peer is None else place.peer.address):
                    call = _bare(place)
                    call.told = told
                    return call
        described: tuple[Any, Any] = self.otherwise(client, args)
        if described[1] and type(name) is str:
            call = described[0]
            place = call.place
            known = place.commands.get(name)
            if known is None and len(place.commands) < _MAX_COMMANDS:
                known = place.commands[name] = [None] * _COUNTS
            if known is not None:
                known[count] = call.told
        return described[0]
