"""Celery: each run of a task, in workers of every pool and in the caller's own process (eager). Sending is kombu's."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from remora.conventions.messaging import ProcessCall, SendCall, reader
from remora_plugins.messaging import kombu_brokers, tasks, tasks_of_celery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora_plugins.messaging.kombu_brokers import Broker

_EAGER = kombu_brokers.Broker("celery")  # no broker is there
_RETRY = "RETRY"
_FAILURE = "FAILURE"

_brokers: WeakKeyDictionary[Any, Broker] = WeakKeyDictionary()


def patch_build_tracer(module: ModuleType, patcher: Patcher) -> None:
    def built(build_tracer: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tracer = build_tracer(*args, **kwargs)
        if hasattr(tracer, "__wrapped__"):
            return tracer  # the worker has the function by a name of its own, which may be patched as well
        task = args[1] if len(args) > 1 else kwargs.get("task")
        return patcher.traced(tracer, reads=_running(task), ends=_ran)

    patcher.around(module, "build_tracer", built)


def patch_task(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.Task, "apply_async", reads=_applied)


def _running(task: Any) -> Any:
    function = tasks.function(task.run) or {}

    def read(_uuid: Any, _args: Any, _kwargs: Any, request: Any = None) -> ProcessCall:
        request = request or {}
        delivery = request.get("delivery_info") or {}
        eager = bool(request.get("is_eager"))
        broker = _EAGER if eager else _broker(task.app)
        exchange, routing_key = delivery.get("exchange"), delivery.get("routing_key")
        if eager:
            routing_key = routing_key or task.app.conf.task_default_queue
        call = ProcessCall(
            broker.system,
            "process",
            broker.destination(exchange, routing_key),
            host=broker.host,
            port=broker.port,
            readers=() if eager else (_context(request),),
        )
        call.extra = broker.attributes(routing_key)
        tasks_of_celery.describe(call, request)
        call.extra = {**function, **(call.extra or {})}
        return call

    return read


def _context(request: Any) -> Any:
    """Reads the message's headers, which the request has as its own items, or as its ``headers``."""
    read, deeper = reader(request), reader(request.get("headers"))
    return lambda name: read(name) or deeper(name)


def _ran(call: ProcessCall, outcome: Any) -> None:
    info = outcome.info
    state = "SUCCESS" if info is None else info.state
    call.late = {tasks_of_celery.TASK_STATE: state}
    if state == _FAILURE:
        call.failure = info.retval
    elif state == _RETRY:
        # A task that merely asks to be run again has not failed.
        call.failure = getattr(info.retval, "exc", None) or info.retval.__context__


def _applied(task: Any, *args: Any, **options: Any) -> SendCall | None:
    conf = task.app.conf
    if not conf.task_always_eager:
        return None
    queue = options.get("queue") or options.get("routing_key") or conf.task_default_queue
    call = SendCall(_EAGER.system, "publish", getattr(queue, "name", queue))
    call.extra = {tasks_of_celery.TASK_NAME: task.name}
    call.message_id = options.get("task_id")
    return call


def _broker(app: Any) -> Broker:
    found = _brokers.get(app)
    if found is None:
        found = _brokers[app] = kombu_brokers.of_connection(app.connection_for_read())
    return found
