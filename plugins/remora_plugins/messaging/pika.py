"""pika: publish, get, callbacks and settling, of blocking and of asynchronous channels."""

from __future__ import annotations

from copy import copy

from remora.conventions.messaging import ProcessCall, ReceiveCall, SendCall, SettleCall, reader
from remora_plugins.messaging import rabbitmq

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.messaging import MessagingCall

_BLOCKING = "pika.adapters.blocking_connection"


def patch_channel(module: ModuleType, patcher: Patcher) -> None:
    _patch(module.Channel, patcher)


def patch_blocking(module: ModuleType, patcher: Patcher) -> None:
    _patch(module.BlockingChannel, patcher)
    patcher.receives(module.BlockingChannel, "basic_get", _got)


def _patch(channel: Any, patcher: Patcher) -> None:
    patcher.wrap(channel, "basic_publish", reads=_published, streams=True)
    patcher.wrap(channel, "basic_ack", reads=_settled("ack"))
    patcher.wrap(channel, "basic_nack", reads=_settled("nack"))
    patcher.wrap(channel, "basic_reject", reads=_settled("reject"))

    def consuming(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        queue = args[0] if args else kwargs.get("queue")
        callback = args[1] if len(args) > 1 else kwargs.get("on_message_callback")
        if not callable(callback) or type(getattr(callback, "__self__", None)).__module__ == _BLOCKING:
            return args, kwargs  # the blocking channel's own, below which the program's stands
        traced = patcher.callback(callback, reads=_delivered(queue))
        if len(args) > 1:
            return (args[0], traced, *args[2:]), kwargs
        return args, {**kwargs, "on_message_callback": traced}

    patcher.intercept(channel, "basic_consume", consuming)


def _published(
    channel: Any, exchange: Any, routing_key: Any, body: Any, properties: Any = None, mandatory: Any = False
) -> SendCall:
    from pika import BasicProperties

    sent = copy(properties) if properties is not None else BasicProperties()
    sent.headers = dict(sent.headers or {})
    host, port = _broker(channel)
    call = SendCall(
        rabbitmq.SYSTEM,
        "publish",
        rabbitmq.destination(exchange, routing_key),
        host=host,
        port=port,
        carriers=(sent.headers,),
    )
    call.anonymous = rabbitmq.anonymous(routing_key)
    call.extra = rabbitmq.attributes(routing_key)
    call.message_id = sent.message_id
    call.conversation_id = sent.correlation_id
    call.instead = ((exchange, routing_key, body, sent, mandatory), {})
    return call


def _delivered(queue: object) -> Any:
    def read(channel: Any, method: Any, properties: Any, body: Any) -> ProcessCall:
        host, port = _broker(channel)
        call = ProcessCall(
            rabbitmq.SYSTEM,
            "process",
            rabbitmq.destination(method.exchange, method.routing_key, queue),
            host=host,
            port=port,
            readers=(reader(properties.headers),),
        )
        _describe(call, method, properties, queue)
        return call

    return read


def _got(result: Any, exception: BaseException | None, channel: Any, queue: Any, auto_ack: Any = False) -> Any:
    if exception is None and result[0] is None:
        return None  # the queue was empty
    host, port = _broker(channel)
    if exception is not None:
        call = ReceiveCall(rabbitmq.SYSTEM, "get", queue, host=host, port=port)
        call.anonymous = rabbitmq.anonymous(queue)
        call.count = 0
        return call
    method, properties, _ = result
    destination = rabbitmq.destination(method.exchange, method.routing_key, queue)
    call = ReceiveCall(rabbitmq.SYSTEM, "get", destination, host=host, port=port, readers=(reader(properties.headers),))
    _describe(call, method, properties, queue)
    return call


def _settled(operation: str) -> Any:
    def read(channel: Any, delivery_tag: Any = 0, *_: object, **__: object) -> SettleCall:
        host, port = _broker(channel)
        call = SettleCall(rabbitmq.SYSTEM, operation, host=host, port=port)
        call.extra = rabbitmq.attributes(None, delivery_tag)
        return call

    return read


def _describe(call: MessagingCall, method: Any, properties: Any, queue: object) -> None:
    call.anonymous = rabbitmq.anonymous(queue, method.routing_key)
    call.extra = rabbitmq.attributes(method.routing_key, method.delivery_tag)
    call.message_id = properties.message_id
    call.conversation_id = properties.correlation_id


def _broker(channel: Any) -> tuple[Any, Any]:
    connection = getattr(channel, "connection", None)
    parameters = getattr(getattr(connection, "_impl", connection), "params", None)
    return getattr(parameters, "host", None), getattr(parameters, "port", None)
