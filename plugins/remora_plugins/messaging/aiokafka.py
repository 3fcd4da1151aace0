"""aiokafka: ``send`` returns a future that the broker's answer settles; iteration is ``getone`` again and again.

The messages of a batch that the program builds get their contexts as they are appended, where it is still open.
"""

from __future__ import annotations

from remora.conventions.messaging import CreateCall, SendCall, reader
from remora_plugins.messaging import kafka

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.messaging import ReceiveCall, SettleCall


def patch_producer(module: ModuleType, patcher: Patcher) -> None:
    patcher.promises(module.AIOKafkaProducer, "send", reads=_sent, follows=_follow)
    patcher.promises(module.AIOKafkaProducer, "send_batch", reads=_sent_batch, follows=_follow)

    def creating(original: Any, producer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        batch = original(*args, **kwargs)
        batch._remora_origins = []
        batch.append = patcher.traced(batch.append, reads=_created(_client(producer)), ends=_appended, streams=True)
        return batch

    patcher.around_method(module.AIOKafkaProducer, "create_batch", creating)
    patcher.wrap(module.AIOKafkaProducer, "send_offsets_to_transaction", reads=_transacted)


def patch_consumer(module: ModuleType, patcher: Patcher) -> None:
    patcher.receives(module.AIOKafkaConsumer, "getone", _got_one)
    patcher.receives(module.AIOKafkaConsumer, "getmany", _got_many)
    patcher.wrap(module.AIOKafkaConsumer, "commit", reads=_settled)


def _sent(
    producer: Any,
    topic: Any,
    value: Any = None,
    key: Any = None,
    partition: Any = None,
    timestamp_ms: Any = None,
    headers: Any = None,
) -> SendCall:
    carrier = kafka.Headers(headers or ()) if headers is None or isinstance(headers, (list, tuple)) else None
    call = kafka.sent(_client(producer), "send", topic, key, value, partition, carrier, SendCall)
    if carrier is not None:
        call.instead = (topic, value, key, partition, timestamp_ms, carrier.pairs), {}
    return call


def _sent_batch(producer: Any, batch: Any, topic: Any, *, partition: Any) -> SendCall:
    call = kafka.sent_batch(_client(producer), "send_batch", topic, batch.record_count(), SendCall)
    call.partition = partition
    call.given = call.readers = getattr(batch, "_remora_origins", [])
    return call


class _Appending(CreateCall):
    """``batch`` is where the message goes, if there is room."""

    __slots__ = ("batch",)

    batch: Any


def _created(client: kafka.Client) -> Any:
    def read(batch: Any, *, timestamp: Any, key: Any, value: Any, headers: Any = None) -> _Appending | None:
        if headers is not None and not isinstance(headers, (list, tuple)):
            return None
        carrier = kafka.Headers(headers or ())
        if reader(carrier)("traceparent"):
            batch._remora_origins.append(reader(carrier))
            return None
        call = kafka.sent(client, "create", None, key, value, None, carrier, _Appending)
        call.batch = batch
        call.instead = (), {"timestamp": timestamp, "key": key, "value": value, "headers": carrier.pairs}
        return call

    return read


def _appended(call: _Appending, metadata: Any) -> None:
    if metadata is not None:
        call.batch._remora_origins.append(reader(call.carriers[0]))


def _follow(call: SendCall, future: Any, over: Callable[..., object]) -> None:
    kafka.follow(call, future, over, _delivered)


def _delivered(call: SendCall, metadata: Any) -> None:
    if metadata is not None:  # acks=0 asks for no answer
        kafka.delivered(call, metadata.partition, metadata.offset if call.count is None else None)


def _got_one(record: Any, exception: BaseException | None, consumer: Any, *_: Any) -> ReceiveCall | None:
    if exception is not None:
        return _refused(consumer, "getone", exception)
    call = kafka.received(
        _client(consumer), "getone", record.topic, record.partition, record.offset, record.key, record.value
    )
    call.readers = (reader(record.headers),)
    return call


def _got_many(result: Any, exception: BaseException | None, consumer: Any, *_: Any, **__: Any) -> ReceiveCall | None:
    if exception is not None:
        return _refused(consumer, "getmany", exception)
    if not result:
        return None
    headers = [record.headers for records in result.values() for record in records]
    return kafka.received_batch(_client(consumer), "getmany", {(place[0], place[1]) for place in result}, headers)


def _refused(consumer: Any, operation: str, exception: BaseException) -> ReceiveCall | None:
    if type(exception).__name__ == "ConsumerStoppedError":
        return None  # the end of a consumer's life
    return kafka.refused(_client(consumer), operation, exception)


def _settled(consumer: Any, offsets: Any = None) -> SettleCall:
    return kafka.settled(_client(consumer), "commit", kafka.offsets(offsets))


def _transacted(producer: Any, offsets: Any, group_id: Any) -> SettleCall:
    call = kafka.settled(_client(producer), "send_offsets_to_transaction", kafka.offsets(offsets))
    call.group = group_id
    return call


def _client(of: Any) -> kafka.Client:
    client = getattr(of, "client", None) or of._client
    return kafka.Client(client._bootstrap_servers, client._client_id, getattr(of, "_group_id", None))
