"""confluent-kafka: producers and consumers are C types, so real subclasses are put in the place of their names.

The serializing classes get subclasses that have ours among their bases, for they call the C types by ``super``. A
``produce`` ends when it returns: how the delivery went is told only when the program polls, which may be minutes later
or never, so neither would its duration be true nor its span sure to end. What fails at once is the span's error. The
asyncio producer settles a future, and there the span ends with that; its messages can have no headers.
"""

from __future__ import annotations

from types import new_class

from remora.conventions.messaging import SendCall, reader
from remora_plugins.messaging import kafka

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.messaging import ReceiveCall, SettleCall

_HEADERS = 7  # the position among the arguments of produce
_NOBODY = kafka.Client()
_END_OF_PARTITION = "_PARTITION_EOF"


class _BatchCall(SendCall):
    """``messages``, dictionaries, in which the library notes the errors of those that it refused."""

    __slots__ = ("messages",)

    messages: Any

    def release(self) -> None:
        """Lets go of the messages."""
        super().release()
        self.messages = ()


def patch(module: ModuleType, patcher: Patcher) -> None:
    producer = _subclass(module.Producer)
    patcher.before(producer, "__init__", _made)
    patcher.wrap(producer, "produce", reads=_produced, streams=True)
    if hasattr(producer, "produce_batch"):
        patcher.wrap(producer, "produce_batch", reads=_produced_batch, ends=_queued)
    if hasattr(producer, "send_offsets_to_transaction"):
        patcher.wrap(producer, "send_offsets_to_transaction", reads=_transacted)
    consumer = _subclass(module.Consumer)
    patcher.before(consumer, "__init__", _made)
    patcher.receives(consumer, "poll", _polled)
    patcher.receives(consumer, "consume", _consumed)
    patcher.wrap(consumer, "commit", reads=_settled)
    for name, traced in (("SerializingProducer", producer), ("DeserializingConsumer", consumer)):
        plain = getattr(module, name, None)
        if plain is not None:
            patcher.replace(module, name, _subclass(plain, traced))
    patcher.replace(module, "Producer", producer)
    patcher.replace(module, "Consumer", consumer)


def patch_asyncio(module: ModuleType, patcher: Patcher) -> None:
    patcher.promises(module.AIOProducer, "produce", reads=_produced_by_asyncio, follows=_follow)
    # Its blocking calls run in other threads, where what is current here is not.
    patcher.before(module.AIOConsumer, "_call", _hand_over)
    patcher.receives(module.AIOConsumer, "poll", _polled_by_asyncio)
    patcher.receives(module.AIOConsumer, "consume", _consumed_by_asyncio)
    patcher.wrap(module.AIOConsumer, "commit", reads=_settled_by_asyncio)


def _subclass(plain: Any, *further: Any) -> Any:
    parameters = getattr(plain, "__parameters__", ())
    base = plain[parameters] if parameters else plain

    def body(namespace: dict[str, Any]) -> None:
        namespace["__module__"] = plain.__module__
        namespace["__qualname__"] = plain.__qualname__
        namespace["__doc__"] = plain.__doc__
        if not further:
            namespace["_remora_client"] = _NOBODY
            namespace["_remora_inner"] = False  # whether the library's asyncio client is around it

    return new_class(plain.__name__, (base, *further), None, body)


def _made(client: Any, *args: Any, **kwargs: Any) -> None:
    config = {**args[0], **kwargs} if args and isinstance(args[0], dict) else kwargs
    servers = config.get("bootstrap.servers") or config.get("metadata.broker.list")
    client._remora_client = kafka.Client(servers, config.get("client.id"), config.get("group.id"))


def _produced(producer: Any, topic: Any, *args: Any, **kwargs: Any) -> SendCall | None:
    if producer._remora_inner:
        return None
    args = (topic, *args)
    headers = args[_HEADERS] if len(args) > _HEADERS else kwargs.get("headers")
    carrier = None
    if headers is None or isinstance(headers, (dict, list)):
        carrier = kafka.Headers(headers.items() if isinstance(headers, dict) else headers or ())
    call = kafka.sent(
        producer._remora_client,
        "produce",
        topic,
        _argument(args, kwargs, 2, "key"),
        _argument(args, kwargs, 1, "value"),
        _argument(args, kwargs, 3, "partition"),
        carrier,
        SendCall,
    )
    if carrier is not None:
        call.instead = kafka.with_headers(args, kwargs, _HEADERS, carrier)
    return call


def _produced_batch(
    producer: Any, topic: Any, messages: Any, partition: Any = -1, *_: Any, **__: Any
) -> _BatchCall | None:
    if producer._remora_inner:
        return None
    client = producer._remora_client
    call = kafka.sent_batch(client, "produce_batch", topic, len(messages), _BatchCall)
    if partition >= 0:
        call.partition = partition
    call.messages = messages
    return call


def _queued(call: _BatchCall, accepted: Any) -> None:
    if accepted < len(call.messages):
        refused = (message["_error"] for message in call.messages if "_error" in message)
        call.error_type = next((error.name() for error in refused), None)


def _transacted(producer: Any, positions: Any = (), *_: Any, **__: Any) -> SettleCall:
    return kafka.settled(producer._remora_client, "send_offsets_to_transaction", _places(positions))


def _polled(message: Any, exception: BaseException | None, consumer: Any, *_: Any, **__: Any) -> ReceiveCall | None:
    if consumer._remora_inner or (message is None and exception is None):
        return None
    return _message(message, exception, consumer._remora_client)


def _consumed(messages: Any, exception: BaseException | None, consumer: Any, *_: Any, **__: Any) -> ReceiveCall | None:
    if consumer._remora_inner or not (messages or exception):
        return None
    return _messages(messages, exception, consumer._remora_client)


def _settled(consumer: Any, message: Any = None, offsets: Any = None, *_: Any, **__: Any) -> SettleCall | None:
    return None if consumer._remora_inner else _commit(consumer._remora_client, message, offsets)


def _produced_by_asyncio(
    producer: Any, topic: Any, value: Any = None, key: Any = None, *_: Any, partition: Any = None, **__: Any
) -> SendCall:
    return kafka.sent(_inner(producer._producer), "produce", topic, key, value, partition, None, SendCall)


def _follow(call: SendCall, future: Any, over: Callable[..., object]) -> None:
    kafka.follow(call, future, over, _delivered)


def _delivered(call: SendCall, message: Any) -> None:
    kafka.delivered(call, message.partition(), message.offset())


def _hand_over(consumer: Any, *_: Any, **__: Any) -> None:
    _inner(consumer._consumer)


def _polled_by_asyncio(message: Any, exception: BaseException | None, consumer: Any, *_: Any, **__: Any) -> Any:
    if message is None and exception is None:
        return None
    return _message(message, exception, _inner(consumer._consumer))


def _consumed_by_asyncio(messages: Any, exception: BaseException | None, consumer: Any, *_: Any, **__: Any) -> Any:
    if not (messages or exception):
        return None
    return _messages(messages, exception, _inner(consumer._consumer))


def _settled_by_asyncio(consumer: Any, message: Any = None, offsets: Any = None, *_: Any, **__: Any) -> SettleCall:
    return _commit(_inner(consumer._consumer), message, offsets)


def _inner(client: Any) -> kafka.Client:
    """Who asks, from the blocking client below an asyncio one, which is told that its calls are another's."""
    found = getattr(client, "_remora_client", None)
    if found is None:
        return _NOBODY  # made before we came
    client._remora_inner = True
    return found  # type: ignore[no-any-return]


def _message(message: Any, exception: BaseException | None, client: kafka.Client) -> ReceiveCall | None:
    if exception is not None:
        return kafka.refused(client, "poll", exception)
    error = message.error()
    if error is not None:
        return _event(error, "poll", message.topic(), client)
    call = kafka.received(
        client, "poll", message.topic(), message.partition(), message.offset(), message.key(), message.value()
    )
    call.readers = (reader(message.headers()),)
    return call


def _messages(messages: Any, exception: BaseException | None, client: kafka.Client) -> ReceiveCall | None:
    if exception is not None:
        return kafka.refused(client, "consume", exception)
    good = [message for message in messages if message.error() is None]
    if not good:
        return _event(messages[0].error(), "consume", messages[0].topic(), client)
    places = {(message.topic(), message.partition()) for message in good}
    return kafka.received_batch(client, "consume", places, (message.headers() for message in good))


def _event(error: Any, operation: str, topic: object, client: kafka.Client) -> ReceiveCall | None:
    """What comes in the place of a message: the broker's trouble, or that a partition has no more for now."""
    name = error.name()
    if name == _END_OF_PARTITION:
        return None
    call = kafka.failed(client, operation)
    call.destination = topic
    call.error_type = name
    return call


def _commit(client: kafka.Client, message: Any, offsets: Any) -> SettleCall:
    if message is not None:
        return kafka.settled(client, "commit", [(message.topic(), message.partition(), message.offset())])
    return kafka.settled(client, "commit", _places(offsets))


def _places(offsets: Any) -> list[tuple[Any, Any, Any]]:
    return [(place.topic, place.partition, place.offset) for place in offsets or ()]


def _argument(args: tuple[Any, ...], kwargs: dict[str, Any], position: int, name: str) -> Any:
    return args[position] if len(args) > position else kwargs.get(name)
