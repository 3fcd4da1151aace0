"""Huey: tasks in Redis, SQLite, files or memory. Its messages have a fixed set of fields, and none for headers.

They are pickled, and what follows a pickle is not looked at when it is read: the trace goes there. A serialiser of the
program's own that does not pickle takes nothing along.
"""

from __future__ import annotations

import json
from contextvars import ContextVar

from remora.conventions.messaging import ProcessCall, SendCall, reader
from remora_plugins.messaging import tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.messaging import MessagingCall

_MARK = b"\nremora:"
_CAME = "_remora_came"  # on a task that was read from the queue: the context of whoever sent it first
_NO_FAILURES = frozenset({"RetryTask", "CancelExecution"})

_sending: ContextVar[dict[str, str] | None] = ContextVar("remora_huey_sending", default=None)
_writing: ContextVar[dict[str, str] | None] = ContextVar("remora_huey_writing", default=None)
_read: ContextVar[dict[str, str] | None] = ContextVar("remora_huey_read", default=None)


def patch_api(module: ModuleType, patcher: Patcher) -> None:
    def several(task: Any) -> bool:
        return not isinstance(task, module.Task)  # a group or a chord, whose tasks come one by one

    def enqueued(huey: Any, task: Any) -> SendCall | None:
        return None if several(task) else _enqueued(huey, task)

    patcher.wrap(module.Huey, "enqueue", reads=enqueued)
    patcher.wrap(module.Huey, "_execute", reads=_executed)
    patcher.enrich(module.Huey, "_run_post_execute", _outcome)
    patcher.enrich(module.Huey, "_emit", _told)
    for poll in ("dequeue", "read_schedule"):
        patcher.silence(module.Huey, poll)
    patcher.around_method(module.Huey, "serialize_task", _serialising)
    patcher.around_method(module.Huey, "deserialize_task", _deserialising)


def patch_serializer(module: ModuleType, patcher: Patcher) -> None:
    patcher.around_method(module.Serializer, "_serialize", _written)
    patcher.around_method(module.Serializer, "_deserialize", _unread)


def _enqueued(huey: Any, task: Any) -> SendCall:
    carrier = dict(getattr(task, _CAME, None) or {})
    _sending.set(carrier)
    system, host, port = _place(huey)
    call = SendCall(system, "enqueue", huey.name, host=host, port=port, carriers=(carrier,))
    _describe(call, task)
    return call


def _executed(huey: Any, task: Any, *_: object, **__: object) -> ProcessCall:
    system, host, port = _place(huey)
    read = reader(getattr(task, _CAME, None))
    call = ProcessCall(system, "process", huey.name, host=host, port=port, readers=(read,))
    _describe(call, task)
    return call


def _outcome(call: Any, huey: Any, task: Any, value: Any, exception: BaseException | None) -> None:
    if not isinstance(call, ProcessCall):
        return
    if exception is not None and type(exception).__name__ in _NO_FAILURES:
        exception = exception.__cause__ or exception.__context__
    call.failure = exception


def _told(call: Any, huey: Any, signal: Any, task: Any, *args: Any, **_: Any) -> None:
    """Older releases run what comes after a task only where the program has given them something to run."""
    if signal == "error" and args and isinstance(call, ProcessCall):
        call.failure = args[0]


def _describe(call: MessagingCall, task: Any) -> None:
    call.message_id = task.id
    call.extra = tasks.function(f"{type(task).__module__}.{task.name}")


def _place(huey: Any) -> tuple[str, Any, Any]:
    client = getattr(huey.storage, "conn", None)
    if hasattr(client, "connection_pool"):
        return "redis", *tasks.redis_place(client)
    return "huey", None, None


def _serialising(original: Callable[..., Any], huey: Any, args: Any, kwargs: Any) -> Any:
    task = args[0] if args else kwargs.get("task")
    carrier = _sending.get() or getattr(task, _CAME, None)
    _sending.set(None)
    token = _writing.set(carrier)
    try:
        return original(*args, **kwargs)
    finally:
        _writing.reset(token)


def _written(original: Callable[..., Any], serializer: Any, args: Any, kwargs: Any) -> Any:
    data = original(*args, **kwargs)
    carrier = _writing.get()
    return data + _MARK + json.dumps(carrier).encode() if carrier and isinstance(data, bytes) else data


def _deserialising(original: Callable[..., Any], huey: Any, args: Any, kwargs: Any) -> Any:
    _read.set(None)
    task = original(*args, **kwargs)
    carrier = _read.get()
    if carrier:
        setattr(task, _CAME, carrier)
    return task


def _unread(original: Callable[..., Any], serializer: Any, args: Any, kwargs: Any) -> Any:
    data = args[0] if args else kwargs.get("data")
    if isinstance(data, bytes) and data.endswith(b"}"):
        _, mark, carrier = data.rpartition(_MARK)
        if mark:
            try:
                headers = json.loads(carrier)
                _read.set(headers if isinstance(headers, dict) else None)
            except ValueError:
                pass
    return original(*args, **kwargs)
