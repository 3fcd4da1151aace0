"""aio-pika: publish, get, iterators, callbacks and settling, of plain and of robust connections."""

from __future__ import annotations

from copy import copy
from functools import partial

from remora.conventions.messaging import ProcessCall, ReceiveCall, SendCall, SettleCall, reader
from remora_plugins.messaging import rabbitmq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_ITERATORS = ("aio_pika.queue", "aio_pika.robust_queue")


def patch_exchange(module: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(module.Exchange, "publish", reads=_published)


def patch_message(module: ModuleType, patcher: Patcher) -> None:
    for operation in ("ack", "nack", "reject"):
        patcher.wrap(module.IncomingMessage, operation, reads=_settled(operation))


def patch_queue(module: ModuleType, patcher: Patcher) -> None:
    patcher.receives(module.Queue, "get", _got)
    patcher.receives(module.QueueIterator, "__anext__", _next)

    def consuming(consume: Any, queue: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        callback = args[0] if args else kwargs.get("callback")
        owner = type(getattr(callback, "__self__", None)).__module__
        if not callable(callback) or owner in _ITERATORS:
            return consume(*args, **kwargs)  # an iterator's, which hands the messages to its program itself
        traced = patcher.callback(callback, reads=partial(_delivered, queue))
        return consume(traced, *args[1:], **kwargs) if args else consume(**{**kwargs, "callback": traced})

    patcher.around_method(module.Queue, "consume", consuming)


def patch_robust_queue(module: ModuleType, patcher: Patcher) -> None:
    if "__anext__" in vars(module.RobustQueueIterator):
        patcher.receives(module.RobustQueueIterator, "__anext__", _next)


def patch_channel(module: ModuleType, patcher: Patcher) -> None:
    # It starts the task in which all callbacks run, and that is not to inherit what is current now.
    patcher.isolate(module.Channel, "__init__")


def _published(exchange: Any, message: Any, routing_key: Any, *args: Any, **kwargs: Any) -> SendCall:
    sent = copy(message)
    sent.headers = dict(message.headers or {})
    host, port = _broker(exchange.channel)
    call = SendCall(
        rabbitmq.SYSTEM,
        "publish",
        rabbitmq.destination(exchange.name, routing_key),
        host=host,
        port=port,
        carriers=(sent.headers,),
    )
    call.anonymous = rabbitmq.anonymous(routing_key)
    call.extra = rabbitmq.attributes(routing_key)
    call.message_id = message.message_id
    call.conversation_id = message.correlation_id
    call.instead = ((sent, routing_key, *args), kwargs)
    return call


def _delivered(queue: Any, message: Any) -> Any:
    return _described(ProcessCall, "process", queue, message)


def _got(result: Any, exception: BaseException | None, queue: Any, *_: object, **__: object) -> Any:
    if exception is None:
        return None if result is None else _described(ReceiveCall, "get", queue, result)
    if type(exception).__name__ == "QueueEmpty":
        return None
    host, port = _broker(queue.channel)
    call = ReceiveCall(rabbitmq.SYSTEM, "get", queue.name, host=host, port=port)
    call.anonymous = rabbitmq.anonymous(queue.name)
    call.count = 0
    return call


def _next(result: Any, exception: BaseException | None, iterator: Any) -> Any:
    if exception is not None:
        return None  # the end of the queue, or a wait that was given up
    return _described(ReceiveCall, "receive", iterator._amqp_queue, result)


def _settled(operation: str) -> Any:
    def read(message: Any, *_: object, **__: object) -> SettleCall:
        call = SettleCall(rabbitmq.SYSTEM, operation, readers=(reader(message.headers),))
        call.extra = rabbitmq.attributes(None, message.delivery_tag)
        connection = getattr(getattr(message, "_IncomingMessage__channel", None), "connection", None)
        url = getattr(connection, "url", None)
        call.host, call.port = getattr(url, "host", None), getattr(url, "port", None)
        return call

    return read


def _described(kind: type[Any], operation: str, queue: Any, message: Any) -> Any:
    host, port = _broker(queue.channel)
    call = kind(
        rabbitmq.SYSTEM,
        operation,
        rabbitmq.destination(message.exchange, message.routing_key, queue.name),
        host=host,
        port=port,
        readers=(reader(message.headers),),
    )
    call.anonymous = rabbitmq.anonymous(queue.name, message.routing_key)
    call.extra = rabbitmq.attributes(message.routing_key, message.delivery_tag)
    call.message_id = message.message_id
    call.conversation_id = message.correlation_id
    return call


def _broker(channel: Any) -> tuple[Any, Any]:
    connection = getattr(channel, "_connection", None) or getattr(channel, "connection", None)  # the latter: aiormq's
    url = getattr(connection, "url", None)
    return getattr(url, "host", None), getattr(url, "port", None)
