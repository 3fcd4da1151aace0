"""gunicorn: each worker loads the application after the fork; workers for ASGI and Tornado are none of these kinds."""

from __future__ import annotations

from remora_plugins.http.wsgi import Served

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_WORKERS = ("AsyncWorker", "SyncWorker", "ThreadWorker")


def patch(workers: ModuleType, patcher: Patcher) -> None:
    def loading(load_wsgi: Callable[..., None], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        load_wsgi(*args, **kwargs)
        worker: Any = load_wsgi.__self__  # type: ignore[attr-defined]  # a method of the worker
        worker.wsgi = Served(worker.wsgi, patcher)

    for name in _WORKERS:
        if hasattr(workers, name):
            patcher.around(getattr(workers, name), "load_wsgi", loading)
