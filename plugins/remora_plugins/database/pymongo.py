"""pymongo: every command, cursor and bulk write passes one function from 4.20 on; before, one method for each of them.

Commands of the driver itself (handshake, heartbeat, authentication) have no client and are left alone. motor runs
pymongo in threads; the asyncio client has the same functions again.
"""

from __future__ import annotations

from remora.conventions import mongodb_errors
from remora.conventions.database import DatabaseCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_LISTS = {"insert": "documents", "update": "updates", "delete": "deletes", "bulkWrite": "ops"}
_WRITES = frozenset({*_LISTS, "findAndModify"})
_MAX_DESCRIPTION_CHARS = 512


def patch_command_runner(module: ModuleType, patcher: Patcher) -> None:
    """From 4.20 on: all commands."""
    patcher.wrap(module, "_run_command", reads=_run, ends=_ran)


def patch_pool(module: ModuleType, patcher: Patcher) -> None:
    """Before 4.20: commands that answer with one document."""
    if _in_one_place(module):
        return
    connection = getattr(module, "Connection", None) or module.AsyncConnection
    patcher.wrap(connection, "command", reads=_command, ends=_answered)


def patch_server(module: ModuleType, patcher: Patcher) -> None:
    """Before 4.20: the batches of a cursor."""
    if hasattr(module.Server, "operation_to_command") and not _in_one_place(module):
        patcher.wrap(module.Server, "run_operation", reads=_operation)


def patch_bulk(module: ModuleType, patcher: Patcher) -> None:
    """Before 4.20: the writes of one collection, and of many."""
    if _in_one_place(module):
        return
    for name in ("_Bulk", "_AsyncBulk", "_ClientBulk", "_AsyncClientBulk"):
        owner = getattr(module, name, None)
        if owner is not None:
            patcher.wrap(owner, "write_command", reads=_bulk, ends=_answered)
            patcher.wrap(owner, "unack_write", reads=_unacknowledged)


class MongoCall(DatabaseCall):
    """A command; what its failures quote of the documents is taken out."""

    __slots__ = ()
    redacts = staticmethod(mongodb_errors.redacted)

    def description(self, exception: Any) -> str | None:
        """The server's message without documents."""
        if exception is None:
            return None
        return mongodb_errors.redacted(str(exception))[:_MAX_DESCRIPTION_CHARS] or None


def _run(conn: Any, cmd: Any, dbname: str, *_: Any, client: Any = None, **__: Any) -> MongoCall | None:
    return _call(conn, cmd, dbname) if client is not None else None


def _ran(call: MongoCall, result: Any) -> None:
    _answered(call, result[0][0])


def _command(conn: Any, dbname: str, spec: Any, *_: Any, client: Any = None, **__: Any) -> MongoCall | None:
    return _call(conn, spec, dbname) if client is not None else None


def _operation(_: Any, conn: Any, operation: Any, *__: Any, **___: Any) -> MongoCall:
    namespace, collection = operation.db, operation.coll
    host, port = conn.address
    return MongoCall(
        "mongodb", namespace=namespace, collection=collection, operation=operation.name, host=host, port=port
    )


def _bulk(_: Any, bwc: Any, cmd: Any, request_id: Any, msg: Any, docs: Any, *__: Any, **___: Any) -> MongoCall:
    return _call(bwc.conn, cmd, bwc.db_name, docs)


def _unacknowledged(
    _: Any, bwc: Any, cmd: Any, request_id: Any, msg: Any, max_doc_size: Any, docs: Any, *__: Any, **___: Any
) -> MongoCall:
    return _call(bwc.conn, cmd, bwc.db_name, docs)


def _call(conn: Any, command: Any, database: str, documents: Any = None) -> MongoCall:
    operation = next(iter(command))
    # The command's own value is the collection, a cursor's number, or a 1 that means nothing.
    collection = command.get("collection") if operation == "getMore" else command[operation]
    if documents is None and operation in _LISTS:
        documents = command.get(_LISTS[operation])
    host, port = conn.address
    return MongoCall(
        "mongodb",
        namespace=database,
        collection=collection if isinstance(collection, str) and not _is_of_people(operation) else None,
        operation=operation,
        host=host,
        port=port,
        batch_size=len(documents) if documents else None,
    )


def _is_of_people(operation: str) -> bool:
    """createUser, grantRolesToUser, usersInfo: what they name is no collection."""
    return "User" in operation or "Role" in operation or operation in {"usersInfo", "rolesInfo"}


def _answered(call: MongoCall, answer: Any) -> None:
    """Writes that failed are told in an answer that is fine by itself."""
    if call.operation not in _WRITES or not answer:
        return
    errors = answer.get("writeErrors") or ()
    failure = errors[0] if errors else answer.get("writeConcernError")
    if failure:
        call.status_code = call.error_type = str(failure.get("code", "_OTHER"))


def _in_one_place(module: ModuleType) -> bool:
    import importlib.util  # pymongo has imported it

    return importlib.util.find_spec(f"{module.__name__.rpartition('.')[0]}.command_runner") is not None
