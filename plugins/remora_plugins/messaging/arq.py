"""arq: jobs in Redis, run as asyncio tasks. A job has no place for headers.

It is serialised as a mapping of which arq reads the fields it knows; the trace goes into a field of its own beside
them, so that neither the function's arguments nor a worker without Remora see it.
"""

from __future__ import annotations

import pickle
from contextvars import ContextVar
from dataclasses import replace

from remora.conventions.messaging import ProcessCall, SendCall, reader
from remora_plugins.messaging import tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_SYSTEM = "redis"
_FIELD = "otel"

_sending: ContextVar[dict[str, str] | None] = ContextVar("remora_arq_sending", default=None)
_arrived: ContextVar[Any] = ContextVar("remora_arq_arrived", default=None)


def patch_connections(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.ArqRedis, "enqueue_job", reads=_enqueued)
    patcher.intercept(module, "serialize_job", _serialising)


def patch_worker(module: ModuleType, patcher: Patcher) -> None:
    patcher.intercept(module, "deserialize_job_raw", _deserialising)

    def starting(worker: Any, *_: object, **__: object) -> None:
        known = worker.__dict__.setdefault("_remora_functions", {})
        for name, function in worker.functions.items():
            if known.get(name) is not function:
                place = tasks.redis_place(worker.pool)
                traced = patcher.callback(function.coroutine, reads=_run(worker.queue_name, place, function.coroutine))
                known[name] = worker.functions[name] = replace(function, coroutine=traced)

    patcher.before(module.Worker, "run_job", starting)


def _enqueued(pool: Any, function: Any, *_: object, _queue_name: Any = None, **options: Any) -> SendCall:
    carrier: dict[str, str] = {}
    _sending.set(carrier)
    host, port = tasks.redis_place(pool)
    queue = pool.default_queue_name if _queue_name is None else _queue_name
    call = SendCall(_SYSTEM, "enqueue", queue, host=host, port=port, carriers=(carrier,))
    call.message_id = options.get("_job_id")
    call.extra = tasks.function(function)
    return call


def _serialising(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    carrier = _sending.get()
    if not carrier:
        return args, kwargs
    _sending.set(None)
    theirs = kwargs.get("serializer") or pickle.dumps

    def serialise(data: Any) -> Any:
        try:
            return theirs({**data, _FIELD: carrier})
        except Exception:  # the program's own serialiser may know nothing but arq's fields
            return theirs(data)

    return args, {**kwargs, "serializer": serialise}


def _deserialising(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    theirs = kwargs.get("deserializer") or pickle.loads
    _arrived.set(None)

    def deserialise(data: Any) -> Any:
        job = theirs(data)
        _arrived.set(job.get(_FIELD) if isinstance(job, dict) else None)
        return job

    return args, {**kwargs, "deserializer": deserialise}


class _Run(ProcessCall):
    """A job that asks to be run again has not failed."""

    __slots__ = ()

    def end(self, exception: BaseException | None) -> dict[str, Any]:
        if type(exception).__module__ == "arq.worker" and type(exception).__name__ == "Retry":
            exception = exception.__cause__ or exception.__context__ if exception is not None else None
        return super().end(exception)


def _run(queue: Any, place: tuple[Any, Any], function: Any) -> Any:
    host, port = place
    extra = tasks.function(function)

    def read(context: Any, *_: object, **__: object) -> ProcessCall:
        call = _Run(_SYSTEM, "process", queue, host=host, port=port, readers=(reader(_arrived.get()),))
        call.message_id = context.get("job_id")
        call.extra = extra
        return call

    return read
