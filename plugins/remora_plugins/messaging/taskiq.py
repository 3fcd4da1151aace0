"""taskiq: any broker of its own; a message's labels take the trace along, as they do what middlewares add.

A task that is scheduled for later is sent by the scheduler, and linked to that.
"""

from __future__ import annotations

from contextvars import ContextVar

from remora.conventions.messaging import ProcessCall, SendCall, reader
from remora_plugins.messaging import rabbitmq, tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_SYSTEMS = {"taskiq_redis": "redis", "taskiq_aio_pika": rabbitmq.SYSTEM, "taskiq_nats": "nats"}
_RENAMED = "__taskiq_original"  # taskiq adds that to the name of the program's function

_sending: ContextVar[dict[str, Any] | None] = ContextVar("remora_taskiq_sending", default=None)


def patch_kicker(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.AsyncKicker, "kiq", reads=_kicked)
    patcher.around_method(module.AsyncKicker, "_prepare_message", _prepared)


def patch_receiver(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.Receiver, "run_task", reads=_run, ends=_outcome)


def patch_retries(module: ModuleType, patcher: Patcher) -> None:
    for name in ("SimpleRetryMiddleware", "SmartRetryMiddleware"):
        if hasattr(module, name):
            patcher.enrich(getattr(module, name), "on_error", _failed)


def _kicked(kicker: Any, *_: object, **__: object) -> SendCall:
    broker = kicker.broker
    labels = dict(kicker.labels)
    _sending.set(labels)
    host, port = _place(broker)
    name = _destination(broker, kicker.labels, kicker.task_name)
    call = SendCall(_system(broker), "kiq", name, host=host, port=port, carriers=(labels,))
    call.message_id = kicker.custom_task_id
    task = broker.find_task(kicker.task_name)
    call.extra = _function(getattr(task, "original_func", None))
    return call


def _prepared(original: Callable[..., Any], kicker: Any, args: Any, kwargs: Any) -> Any:
    message = original(*args, **kwargs)
    labels = _sending.get()
    if labels is not None:
        _sending.set(None)
        added = {name: value for name, value in labels.items() if name not in kicker.labels}
        if added:
            message.labels = {**message.labels, **added}
    return message


def _run(receiver: Any, target: Any, message: Any, *_: object, **__: object) -> ProcessCall:
    broker = receiver.broker
    host, port = _place(broker)
    name = _destination(broker, message.labels, message.task_name)
    read = reader(message.labels)
    call = ProcessCall(_system(broker), "process", name, host=host, port=port, readers=(read,))
    call.message_id = message.task_id
    call.extra = _function(target)
    return call


def _failed(call: Any, middleware: Any, message: Any, result: Any, exception: BaseException) -> None:
    """Before a retry takes the failure out of the result."""
    if isinstance(call, ProcessCall) and not _asks_for_no_result(exception):
        call.failure = exception


def _outcome(call: ProcessCall, result: Any) -> None:
    if call.failure is None and result.is_err and not _asks_for_no_result(result.error):
        call.failure = result.error


def _asks_for_no_result(exception: object) -> bool:
    return type(exception).__name__ == "NoResultError"


def _function(function: Any) -> dict[str, Any] | None:
    extra = tasks.function(function)
    return {key: name.removesuffix(_RENAMED) for key, name in extra.items()} if extra else None


def _system(broker: Any) -> str:
    return _SYSTEMS.get(type(broker).__module__.partition(".")[0], "taskiq")


def _place(broker: Any) -> tuple[Any, Any]:
    return tasks.redis_place(broker) if hasattr(broker, "connection_pool") else (None, None)


def _destination(broker: Any, labels: Any, task_name: str) -> object:
    """The task's queue, or the broker's; where there is none, as in memory, the task itself."""
    return labels.get("queue_name") or getattr(broker, "queue_name", None) or task_name
