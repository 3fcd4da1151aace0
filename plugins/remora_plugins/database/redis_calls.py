"""Commands, pipelines and transactions of Redis, as redis-py and its fork valkey-py know them.

Neither keys nor values are shown: keys hold session tokens and addresses of users as often as values do. What a command
looks like without them is the same every time, so it is worked out once per pool of connections.
"""

from __future__ import annotations

from remora.conventions import redis_errors
from remora.conventions.database import CommandReads, DatabaseCall, Place, peer_of
from remora.conventions.keys import DB_OPERATION_BATCH_SIZE
from remora_plugins.database.redis_commands import operation, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_MAX_LINES = 16
_BY_NAME = frozenset({"EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO"})
_SCRIPTS = frozenset({"EVAL", "EVAL_RO", *_BY_NAME})


def place(system: str, options: dict[str, Any]) -> Place:
    """Where the commands of a client go whose pool makes connections with these ``options``."""
    path = options.get("path")
    sentinel = "connection_pool" in options  # which server it finds is not known before
    host = path or options.get("host") or (None if sentinel else "localhost")
    port = None if path or host is None else options.get("port", 6379)
    return placed(system, str(options.get("db") or 0), host, port)


def placed(system: str, namespace: str, host: str | None, port: int | None) -> Place:
    """The place of a server; whom connections to it went to is known of all of them together."""
    return Place(system, namespace, host, port, None if host is None else peer_of(host, port))


class QuotingCall(DatabaseCall):
    """What errors quote: commands sent together, of which redis-py tells the one that failed, and scripts."""

    __slots__ = ()
    redacts = staticmethod(redis_errors.redacted)

    def description(self, exception: Any) -> str | None:
        """The server's message without the command it is about and the words of a script."""
        return redis_errors.redacted(str(exception))[:512] or None if exception is not None else None


def connected(connection: Any, name: object) -> None:
    """Takes note of whom a connection went to: ``name`` as sockets tell it."""
    if isinstance(name, tuple) and len(name) >= 2:
        peer_of(connection.host, connection.port).met(name[0], name[1])


def command(place: Place, args: tuple[Any, ...]) -> tuple[DatabaseCall, bool]:
    """The record of one command and whether all with its name and as many arguments are alike.

    ``args`` are those of ``execute_command``.
    """
    name = args[0]
    if type(name) is not str:
        name = bytes(name).decode("utf-8", "replace") if not isinstance(name, str) else str(name)
    word = name.upper()
    script = word in _SCRIPTS
    call = _quoting(place) if script else place.call()
    call.operation = operation(name)
    call.text = shown(name, len(args) - 1)
    call.parameterized = True
    if word in _BY_NAME and len(args) > 1:
        call.stored_procedure = args[1]
    call.told = call.remember()
    call.text = None
    return call, not script


def _quoting(place: Place) -> QuotingCall:
    call = QuotingCall(place.system, namespace=place.namespace, host=place.host, port=place.port)
    call.place = place
    return call


def pipeline(place: Place, word: str, commands: Sequence[tuple[Any, ...]]) -> DatabaseCall:
    """The record of a pipeline or transaction (``word``: PIPELINE, MULTI) of these commands."""
    call = _quoting(place)
    operations = {operation(args[0]) for args in commands}
    call.operation = f"{word} {operations.pop()}" if len(operations) == 1 else word
    lines = [shown(args[0], len(args) - 1) for args in commands[:_MAX_LINES]]
    if len(commands) > _MAX_LINES:
        lines.append("...")
    call.text = "\n".join(lines)
    call.parameterized = True
    told = call.remember()
    if len(commands) != 1:
        told[1][DB_OPERATION_BATCH_SIZE] = len(commands)
    call.text = None
    call.told = told
    return call


def reads(place_of: Callable[[Any], Place], holder: str) -> CommandReads:
    """The describer of ``execute_command(client, *args)``; the place stands on what the client calls ``holder``."""
    return CommandReads(holder, lambda client, args: command(place_of(client), args))
