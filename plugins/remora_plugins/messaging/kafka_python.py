"""kafka-python: iteration fetches through ``poll`` and hands over one record at a time, so each is a receive then."""

from __future__ import annotations

from remora.conventions.messaging import SendCall, reader
from remora_plugins.messaging import kafka

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher
    from remora.conventions.messaging import ReceiveCall, SettleCall

_HEADERS = 3  # the position among the arguments of send


def patch_producer(module: ModuleType, patcher: Patcher) -> None:
    patcher.promises(module.KafkaProducer, "send", reads=_sent, follows=_follow)
    if hasattr(module.KafkaProducer, "send_offsets_to_transaction"):
        patcher.wrap(module.KafkaProducer, "send_offsets_to_transaction", reads=_transacted)


def patch_consumer(module: ModuleType, patcher: Patcher) -> None:
    patcher.receives(module.KafkaConsumer, "poll", _polled)
    patcher.receives(module.KafkaConsumer, "__next__", _iterated)
    patcher.wrap(module.KafkaConsumer, "commit", reads=_settled("commit"))
    patcher.wrap(module.KafkaConsumer, "commit_async", reads=_settled("commit_async"))


def _sent(
    producer: Any,
    topic: Any,
    value: Any = None,
    key: Any = None,
    headers: Any = None,
    partition: Any = None,
    *_: Any,
    **__: Any,
) -> SendCall:
    carrier = kafka.Headers(headers or ()) if headers is None or isinstance(headers, list) else None
    if producer.config["api_version"] is not None and producer.config["api_version"] < (0, 11):
        carrier = None  # messages had no headers then
    call = kafka.sent(_client(producer), "send", topic, key, value, partition, carrier, SendCall)
    if carrier is not None:
        given = (topic, value, key, headers, partition, *_)
        call.instead = (*given[:_HEADERS], carrier.pairs, *given[_HEADERS + 1 :]), __
    return call


def _follow(call: SendCall, future: Any, over: Callable[..., object]) -> None:
    def delivered(metadata: Any) -> None:
        kafka.delivered(call, metadata.partition, metadata.offset)
        over()

    future.add_callback(delivered)
    future.add_errback(over)


def _polled(
    result: Any, exception: BaseException | None, consumer: Any, *args: Any, update_offsets: Any = True, **_: Any
) -> ReceiveCall | None:
    if not (args[2] if len(args) > 2 else update_offsets):
        return None  # the iterator's own, which has its records still to hand over
    if exception is not None:
        return kafka.refused(_client(consumer), "poll", exception)
    if not result:
        return None
    headers = [record.headers for records in result.values() for record in records]
    return kafka.received_batch(_client(consumer), "poll", {(place[0], place[1]) for place in result}, headers)


def _iterated(record: Any, exception: BaseException | None, consumer: Any) -> ReceiveCall | None:
    client = _client(consumer)
    if exception is not None:
        return kafka.refused(client, "poll", exception)
    call = kafka.received(client, "poll", record.topic, record.partition, record.offset, record.key, record.value)
    call.readers = (reader(record.headers),)
    return call


def _settled(operation: str) -> Any:
    def read(consumer: Any, offsets: Any = None, *_: Any, **__: Any) -> SettleCall:
        return kafka.settled(_client(consumer), operation, kafka.offsets(offsets))

    return read


def _transacted(producer: Any, offsets: Any, group_metadata: Any = None, *_: Any, **__: Any) -> SettleCall:
    call = kafka.settled(_client(producer), "send_offsets_to_transaction", kafka.offsets(offsets))
    call.group = getattr(group_metadata, "group_id", group_metadata)
    return call


def _client(of: Any) -> kafka.Client:
    config = of.config
    return kafka.Client(config["bootstrap_servers"], config["client_id"], config.get("group_id"))
