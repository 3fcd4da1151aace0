"""Commands, pipelines and transactions of Redis, as redis-py and its fork valkey-py know them.

Neither keys nor values are shown: keys hold session tokens and addresses of users as often as values do. What a command
looks like without them is the same every time, so it is worked out once per pool of connections.
"""

from __future__ import annotations

from remora.conventions import redis_errors
from remora.conventions.database import DatabaseCall
from remora.conventions.keys import DB_OPERATION_BATCH_SIZE
from remora_plugins.database.redis_commands import MAX_MARKS, operation, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_MAX_REMEMBERED = 1024
_MAX_LINES = 16
_BY_NAME = frozenset({"EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO"})
_MAX_PEERS = 1024

# (host, port) -> address and port of the other end; None where connections went to different machines
_peers: dict[tuple[object, object], tuple[str, int] | None] = {}


class Place:
    """Where the commands of a client go: ``told`` remembers name and attributes of those that were seen."""

    __slots__ = ("host", "namespace", "port", "system", "told")

    def __init__(self, system: str, options: dict[str, Any]) -> None:
        """``options`` are those of the pool's connections."""
        self.system = system
        self.namespace = str(options.get("db") or 0)
        path = options.get("path")
        sentinel = "connection_pool" in options  # which server it finds is not known before
        self.host: str | None = path or options.get("host") or (None if sentinel else "localhost")
        self.port: int | None = None if path or self.host is None else options.get("port", 6379)
        self.told: dict[Any, Any] = {}

    def call(self, kind: type[DatabaseCall] = DatabaseCall) -> DatabaseCall:
        call = kind(self.system, namespace=self.namespace, host=self.host, port=self.port)
        put_peer(call)
        return call


class PipelineCall(DatabaseCall):
    """Commands sent together; redis-py says in an error's message which of them failed, in full."""

    __slots__ = ()
    redacts = staticmethod(redis_errors.redacted)

    def description(self, exception: Any) -> str | None:
        """The server's message without the command it is about."""
        return redis_errors.redacted(str(exception))[:512] or None if exception is not None else None


def put_peer(call: DatabaseCall, _: object = None) -> None:
    """Sets the other end of the connection, where all connections to this server went to the same."""
    host = call.host
    if host is None:
        return
    peer = _peers.get((host, call.port))
    if peer is not None:
        call.peer_address, call.peer_port = peer
    elif type(host) is str and host[:1] == "/":
        call.peer_address = host


def connected(connection: Any, name: object) -> None:
    """Takes note of whom a connection went to: ``name`` as sockets tell it."""
    if not isinstance(name, tuple) or len(name) < 2:
        return
    key = connection.host, connection.port
    peer = name[0], name[1]
    if key in _peers:
        if _peers[key] != peer:
            _peers[key] = None
    elif len(_peers) < _MAX_PEERS:
        _peers[key] = peer


def command(place: Place, args: tuple[Any, ...]) -> DatabaseCall:
    """The record of one command: ``args`` as given to ``execute_command``."""
    name = args[0]
    if type(name) is not str:
        name = bytes(name).decode("utf-8", "replace") if not isinstance(name, str) else str(name)
    count = min(len(args) - 1, MAX_MARKS + 1)
    key: Any = (name, args[1]) if count and name.upper() in _BY_NAME else (name, count)
    told = place.told.get(key)
    call = place.call()
    if told is None:
        call.operation = operation(name)
        call.text = shown(name, len(args) - 1)
        call.parameterized = True
        if key[1] is not count:
            call.stored_procedure = args[1]
        told = (call.name(), call.start())
        call.text = None
        if len(place.told) < _MAX_REMEMBERED:
            place.told[key] = told
    call.told = told
    return call


def pipeline(place: Place, word: str, commands: Sequence[tuple[Any, ...]]) -> DatabaseCall:
    """The record of a pipeline or transaction (``word``: PIPELINE, MULTI) of these commands."""
    call = place.call(PipelineCall)
    operations = {operation(args[0]) for args in commands}
    call.operation = f"{word} {operations.pop()}" if len(operations) == 1 else word
    lines = [shown(args[0], len(args) - 1) for args in commands[:_MAX_LINES]]
    if len(commands) > _MAX_LINES:
        lines.append("...")
    call.text = "\n".join(lines)
    call.parameterized = True
    name, attributes = call.name(), call.start()
    if len(commands) != 1:
        attributes[DB_OPERATION_BATCH_SIZE] = len(commands)
    call.text = None
    call.told = (name, attributes)
    return call


def describer(place_of: Callable[[Any], Place]) -> Callable[..., DatabaseCall | None]:
    """The describer of ``execute_command(self, *args, **options)``."""

    def described(client: Any, *args: Any, **_: Any) -> DatabaseCall | None:
        return command(place_of(client), args) if args else None

    return described
