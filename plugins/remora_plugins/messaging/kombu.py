"""kombu: producers, consumers' callbacks, queues that are asked, settling; over RabbitMQ, Redis and other transports.

What Celery sends leaves by a producer of kombu and is told here, once. Consumers that kombu and Celery set up for
themselves (tasks, events, remote control, replies) run no function of the program.
"""

from __future__ import annotations

from remora.conventions.messaging import ProcessCall, ReceiveCall, SendCall, SettleCall, of_current_message, reader
from remora.conventions.values_cy import exact_text
from remora_plugins.messaging import kombu_brokers, tasks_of_celery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.messaging import MessagingCall

_HEADERS_AT = 9  # among the arguments of Producer.publish
_EVENTS = "celeryev"  # Celery's telemetry of its own


def patch_messaging(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.Producer, "publish", reads=_published, streams=True)
    patcher.wrap(module.Consumer, "_receive_callback", reads=_delivered)


def patch_message(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.Message, "ack", reads=_settled("ack"))
    patcher.wrap(module.Message, "reject", reads=_settled("reject"))
    patcher.wrap(module.Message, "requeue", reads=_settled("requeue"))


def patch_entity(module: ModuleType, patcher: Patcher) -> None:
    patcher.receives(module.Queue, "get", _got)


def patch_simple(module: ModuleType, patcher: Patcher) -> None:
    patcher.receives(module.SimpleBase, "get", _got_of_simple)


def _published(producer: Any, *args: Any, **kwargs: Any) -> SendCall | None:
    exchange = args[11] if len(args) > 11 else kwargs.get("exchange")
    exchange = exchange or producer.exchange
    exchange = getattr(exchange, "name", exchange)
    if isinstance(exchange, str) and exchange.startswith(_EVENTS):
        return None
    routing_key = args[1] if len(args) > 1 else kwargs.get("routing_key")
    if routing_key is None:
        routing_key = producer.routing_key
    given = args[_HEADERS_AT] if len(args) > _HEADERS_AT else kwargs.get("headers")
    headers = dict(given or {})
    task = tasks_of_celery.is_task(headers)
    if task and of_current_message(headers):
        tasks_of_celery.drop_context(headers)
    broker = kombu_brokers.of_producer(producer)
    call = SendCall(
        broker.system,
        "publish",
        broker.destination(exchange, routing_key),
        host=broker.host,
        port=broker.port,
        carriers=(headers,),
    )
    call.temporary = kombu_brokers.for_one_use(routing_key)
    call.anonymous = broker.anonymous(routing_key)
    call.extra = broker.attributes(routing_key)
    if task:
        tasks_of_celery.describe(call, headers)
    else:
        call.message_id = kwargs.get("message_id")
        call.conversation_id = kwargs.get("correlation_id")
    if len(args) > _HEADERS_AT:
        call.instead = ((*args[:_HEADERS_AT], headers, *args[_HEADERS_AT + 1 :]), kwargs)
    else:
        call.instead = (args, {**kwargs, "headers": headers})
    return call


def _delivered(consumer: Any, message: Any) -> Any:
    functions = (consumer.on_message,) if consumer.on_message else consumer.callbacks
    if all(_own(function) for function in functions):
        return None
    return _described(ProcessCall, "process", consumer.channel, message, _queue_of(consumer, message))


def _got(result: Any, exception: BaseException | None, queue: Any, *_: object, **__: object) -> Any:
    if exception is None:
        if result is None:
            return None
        return _described(ReceiveCall, "get", queue.channel, result, queue.name)
    broker = kombu_brokers.of_channel(queue.channel)
    name = exact_text(queue.name)
    call = ReceiveCall(broker.system, "get", name, host=broker.host, port=broker.port)
    call.anonymous = broker.anonymous(name)
    call.count = 0
    return call


def _got_of_simple(
    result: Any, exception: BaseException | None, simple: Any, block: Any = True, timeout: Any = None
) -> Any:
    if not block or isinstance(exception, simple.Empty):
        return None  # nothing, or what Queue.get tells
    return _got(result, exception, simple.queue)


def _settled(operation: str) -> Any:
    def read(message: Any, *_: object, **__: object) -> SettleCall | None:
        if tasks_of_celery.is_task(message.headers):
            return None  # the worker does it by itself, in a process that does not know the task's span
        broker = kombu_brokers.of_channel(message.channel)
        call = SettleCall(
            broker.system, operation, host=broker.host, port=broker.port, readers=(reader(message.headers),)
        )
        call.extra = broker.attributes(None, message.delivery_tag)
        return call

    return read


def _described(kind: type[Any], operation: str, channel: Any, message: Any, queue: object) -> Any:
    broker = kombu_brokers.of_channel(channel)
    headers = getattr(message, "headers", None)
    delivery = getattr(message, "delivery_info", None) or {}
    properties = getattr(message, "properties", None) or {}
    exchange, routing_key = delivery.get("exchange"), delivery.get("routing_key")
    call: MessagingCall = kind(
        broker.system,
        operation,
        broker.destination(exchange, routing_key, queue),
        host=broker.host,
        port=broker.port,
        readers=(reader(headers),),
    )
    call.temporary = kombu_brokers.for_one_use(routing_key, queue)
    call.anonymous = broker.anonymous(routing_key, queue)
    call.extra = broker.attributes(routing_key, getattr(message, "delivery_tag", None))
    call.message_id = properties.get("message_id")
    call.conversation_id = properties.get("correlation_id")
    return call


def _queue_of(consumer: Any, message: Any) -> object:
    """The queue's name, where the consumer has but one, or the tag tells which."""
    queues = list(consumer._queues)
    if len(queues) == 1:
        return queues[0]
    tag = (getattr(message, "delivery_info", None) or {}).get("consumer_tag")
    return next((name for name, its in consumer._active_tags.items() if its == tag), None)


def _own(function: Any) -> bool:
    module = getattr(getattr(function, "func", function), "__module__", None)  # of a partial
    return isinstance(module, str) and module.partition(".")[0] in ("celery", "kombu")
