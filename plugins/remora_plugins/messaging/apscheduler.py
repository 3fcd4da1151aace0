"""APScheduler 3: each run of a job is a trace of its own, named for the job, whoever started the scheduler."""

from __future__ import annotations

import sys
from functools import wraps

from remora.conventions.messaging import ProcessCall
from remora_plugins.messaging import tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_NAMES = ("run_job", "run_coroutine_job")


def patch_executors(module: ModuleType, patcher: Patcher) -> None:
    """The functions are plain ones: process pools pickle them by name, which a wrapper would not allow."""
    for name in _NAMES:
        theirs = getattr(module, name, None)
        if theirs is None:
            continue
        home = sys.modules[theirs.__module__]  # which pickle looks into
        if not hasattr(getattr(home, name), "remora_runs"):
            patcher.replace(home, name, _running(theirs, patcher))
        ours = getattr(home, name)
        if getattr(module, name) is not ours:
            patcher.replace(module, name, ours)


def patch_scheduler(module: ModuleType, patcher: Patcher) -> None:
    patcher.isolate(module.BaseScheduler, "_process_jobs")


def _running(run: Callable[..., Any], patcher: Patcher) -> Callable[..., Any]:
    @wraps(run)
    def running(job: Any, *args: Any, **kwargs: Any) -> Any:
        return run(_Job(job, patcher), *args, **kwargs) if patcher.operations.active else run(job, *args, **kwargs)

    running.remora_runs = True  # type: ignore[attr-defined]
    return running


class _Job:
    """What runs a job sees of it: the job itself, but for the function, which is called once for each time due."""

    def __init__(self, job: Any, patcher: Patcher) -> None:
        self._job = job
        self.func = patcher.traced(job.func, reads=_run(job))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._job, name)

    def __str__(self) -> str:
        return str(self._job)

    def __repr__(self) -> str:
        return repr(self._job)


def _run(job: Any) -> Any:
    def read(*_: object, **__: object) -> ProcessCall:
        call = ProcessCall("apscheduler", "process", job.name, delivers=False)
        call.message_id = job.id
        call.extra = tasks.function(job.func)
        return call

    return read
