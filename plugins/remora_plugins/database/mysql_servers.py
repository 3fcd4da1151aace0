"""What the drivers of MySQL have in common: they talk to MariaDB as well, and its greeting says so."""

from __future__ import annotations

from remora_plugins.database.dbapi import CursorCalls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from remora.api import Patcher
    from remora_plugins.database.dbapi import Where


class MysqlCalls(CursorCalls):
    """Describers for the cursors of one driver; ``version`` tells the server's own version text, given a cursor."""

    def __init__(self, where: Where, version: Callable[[Any], str | None], holder: str | None = "connection") -> None:
        super().__init__("mysql", where, holder=holder)
        self._version = version

    def _system_of(self, cursor: Any) -> str:
        return "mariadb" if "MariaDB" in (self._version(cursor) or "") else "mysql"


def place(database: Any, host: Any, port: Any, socket: Any) -> tuple[str | None, str | None, int | None]:
    """Namespace, host and port; a connection through a socket has the socket's path for a host."""
    if type(database) is bytes:
        database = database.decode("utf-8", "replace")
    if socket:
        return database or None, socket, None
    return database or None, host or None, port


def follow(connection: Any, patcher: Patcher, select: str, *reconnecting: str) -> None:
    """Notes which database is selected later on: the driver keeps only the first, for when it has to reconnect."""
    patcher.around_method(connection, select, _selecting)
    for name in reconnecting:
        if hasattr(connection, name):
            patcher.before(connection, name, _forgetting)


def selected(connection: Any, first: Any) -> Any:
    """The database that is selected now; ``first`` was when the connection was made."""
    return getattr(connection, "_remora_database", None) or first


def _selecting(original: Any, connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = original(*args, **kwargs)
    name = args[0] if args else next(iter(kwargs.values()), None)
    if hasattr(result, "__await__"):
        return _selecting_later(result, connection, name)
    _note(connection, name)
    return result


async def _selecting_later(result: Any, connection: Any, name: Any) -> Any:
    value = await result
    _note(connection, name)
    return value


def _forgetting(connection: Any, *_: Any, **__: Any) -> None:
    _note(connection, None)


def _note(connection: Any, database: Any) -> None:
    connection._remora_database = database
    connection._remora_place = None


def attributes_of(cursor: Any) -> tuple[str | None, str | None, int | None]:
    """For aiomysql and asyncmy, whose connections keep what they were made with in the same private places."""
    connection = cursor.connection
    return place(selected(connection, connection._db), connection._host, connection._port, connection._unix_socket)


def version_of(cursor: Any) -> str | None:
    version: str | None = cursor.connection.server_version
    return version
