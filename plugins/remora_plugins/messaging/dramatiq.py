"""Dramatiq, without a middleware of its own: what brokers enqueue, and what worker threads make of it.

A message's options take the trace along. Retries and delays enqueue a message again; it keeps its first context.
"""

from __future__ import annotations

from remora.conventions.messaging import ProcessCall, SendCall, reader
from remora_plugins.messaging import rabbitmq, tasks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.messaging import MessagingCall

_SYSTEMS = {"dramatiq.brokers.rabbitmq": rabbitmq.SYSTEM, "dramatiq.brokers.redis": "redis"}


def patch_rabbitmq(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.RabbitmqBroker, "enqueue", reads=_enqueued, streams=True)


def patch_redis(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.RedisBroker, "enqueue", reads=_enqueued, streams=True)
    patcher.silence(module._RedisConsumer, "__next__")


def patch_stub(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.StubBroker, "enqueue", reads=_enqueued, streams=True)


def patch_worker(module: ModuleType, patcher: Patcher) -> None:
    # Older releases have the threads' classes with an underscore.
    worker = getattr(module, "WorkerThread", None) or module._WorkerThread
    consumer = getattr(module, "ConsumerThread", None) or module._ConsumerThread
    patcher.wrap(worker, "process_message", reads=_processed)
    patcher.enrich(consumer, "post_process_message", _outcome)


def _enqueued(broker: Any, message: Any, *, delay: Any = None) -> SendCall:
    sent = message.copy()  # with options of its own
    system, queue = _system(broker), message.queue_name
    host, port = _place(broker)
    call = SendCall(system, "enqueue", queue, host=host, port=port, carriers=(sent.options,))
    call.instead = ((sent,), {"delay": delay})
    _describe(call, broker, message)
    return call


def _processed(worker: Any, message: Any) -> ProcessCall:
    broker = worker.broker
    system, queue = _system(broker), message.queue_name
    host, port = _place(broker)
    call = ProcessCall(system, "process", queue, host=host, port=port, readers=(reader(message.options),))
    _describe(call, broker, message)
    return call


def _outcome(call: Any, consumer: Any, message: Any) -> None:
    if not isinstance(call, ProcessCall):
        return
    failure = message._exception
    if type(failure).__module__ == "dramatiq.errors" and type(failure).__name__ == "Retry":
        failure = failure.__cause__ or failure.__context__  # merely to ask to be run again is no failure
    call.failure = failure


def _describe(call: MessagingCall, broker: Any, message: Any) -> None:
    call.message_id = message.message_id
    actor = broker.actors.get(message.actor_name)
    call.extra = tasks.function(getattr(actor, "fn", None))
    if call.system == rabbitmq.SYSTEM:
        call.extra = {**(call.extra or {}), **(rabbitmq.attributes(message.queue_name) or {})}


def _system(broker: Any) -> str:
    return _SYSTEMS.get(type(broker).__module__, "dramatiq")


def _place(broker: Any) -> tuple[Any, Any]:
    parameters = getattr(broker, "parameters", None)
    if parameters is None:
        return tasks.redis_place(getattr(broker, "client", None))
    first = parameters[0] if isinstance(parameters, list) else parameters
    return first.host, first.port
