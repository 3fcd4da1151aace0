"""RQ: jobs are put into queues of Redis and run in forked processes; ``job.meta`` takes the trace along.

A job is put there once by the program and again by a retry, the scheduler or a dependency; the later times keep the
context of the first.
"""

from __future__ import annotations

from remora.conventions.messaging import ProcessCall, SendCall, reader
from remora_plugins.messaging import tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_SYSTEM = "redis"


def patch_queue(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.Queue, "enqueue_job", reads=_enqueued("enqueue"), streams=True)
    patcher.wrap(module.Queue, "_enqueue_job", reads=_enqueued("enqueue"), streams=True)
    patcher.wrap(module.Queue, "schedule_job", reads=_enqueued("schedule"), streams=True)
    patcher.wrap(module.Queue, "enqueue_many", reads=_enqueued_many, streams=True)
    for poll in ("lpop", "lmove"):
        if hasattr(module.Queue, poll):
            patcher.silence(module.Queue, poll)


def patch_job(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.Job, "perform", reads=_performed)


def _enqueued(operation: str) -> Any:
    def read(queue: Any, job: Any, *_: object, **__: object) -> SendCall:
        host, port = tasks.redis_place(queue.connection)
        job.meta = dict(job.meta or {})  # the program may use the one it gave for other jobs, too
        call = SendCall(_SYSTEM, operation, queue.name, host=host, port=port, carriers=(job.meta,))
        call.message_id = job.id
        name = job._func_name
        call.extra = tasks.function(name) if isinstance(name, str) else None  # else it would have to be unpickled
        return call

    return read


def _enqueued_many(queue: Any, job_datas: Any, *args: object, **kwargs: object) -> SendCall:
    host, port = tasks.redis_place(queue.connection)
    sized = isinstance(job_datas, (list, tuple))
    # An iterator of the program's own may fail, or look at what is current: it is left to RQ, and its jobs unlinked.
    datas = [data._replace(meta=dict(data.meta or {})) for data in job_datas] if sized else []
    call = SendCall(_SYSTEM, "enqueue", queue.name, host=host, port=port, carriers=[data.meta for data in datas])
    if sized:
        call.count = len(datas)
        call.instead = ((datas, *args), kwargs)
    return call


def _performed(job: Any) -> ProcessCall:
    host, port = tasks.redis_place(job.connection)
    call = ProcessCall(_SYSTEM, "process", job.origin, host=host, port=port, readers=(reader(job.meta),))
    call.message_id = job.id
    call.extra = tasks.function(_function(job))
    return call


def _function(job: Any) -> Any:
    try:
        return job.func_name
    except Exception:  # what cannot be unpickled, as RQ is about to tell the program
        return None
