"""What all clients of Kafka share: headers, keys, where the brokers are, and how records become calls.

A send ends when the client tells how it went, for an error, the partition and the offset are known no sooner. That is
so where the library returns a future, which is settled soon after the broker answers, whatever the program does.
"""

from __future__ import annotations

from functools import lru_cache

from remora.conventions.keys import (
    MESSAGING_DESTINATION_PARTITION_ID,
    MESSAGING_KAFKA_MESSAGE_KEY,
    MESSAGING_KAFKA_MESSAGE_TOMBSTONE,
    MESSAGING_KAFKA_OFFSET,
)
from remora.conventions.messaging import ReceiveCall, SettleCall, reader
from remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeVar

    from remora.conventions.messaging import SendCall

    _Sent = TypeVar("_Sent", bound=SendCall)
    Args = tuple[Any, ...]
    Kwargs = dict[str, Any]

SYSTEM = "kafka"
_PORT = 9092
_MAX_KEY_BYTES = 4096


class Headers:
    """A copy of a message's headers, pairs of text and bytes, that takes the trace by item assignment."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: Iterable[Any]) -> None:
        self.pairs: list[Any] = list(pairs)

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return (pair for pair in self.pairs if isinstance(pair, tuple) and len(pair) == 2)

    def __setitem__(self, name: str, value: str) -> None:
        for index, (key, _) in enumerate(self):
            if key == name:
                self.pairs[index] = (name, value.encode())
                return
        self.pairs.append((name, value.encode()))


class Client:
    """Who asks and where: the first of the configured brokers, the client's own name and its group."""

    __slots__ = ("client_id", "group", "host", "port")

    def __init__(self, servers: object = None, client_id: object = None, group: object = None) -> None:
        if isinstance(servers, (list, tuple)):
            servers = servers[0] if servers else None
        self.host, self.port = broker(servers) if isinstance(servers, str) else (None, None)
        self.client_id = client_id
        self.group = group


@lru_cache(maxsize=1024)
def broker(servers: str) -> tuple[str | None, int | None]:
    """Host and port of the first of ``servers``, as in ``SSL://one:9093,two``."""
    first = servers.split(",", 1)[0].strip().rpartition("://")[2]
    if first.startswith("["):  # IPv6
        host, _, port = first[1:].partition("]")
        port = port.lstrip(":")
    elif first.count(":") == 1:
        host, _, port = first.partition(":")
    else:
        host, port = first, ""
    return (host, exact_int(port) if port else _PORT) if host else (None, None)


def text_key(key: object) -> str | None:
    """A message's key where it is text, whichever way it is written; ids in binary have no one form as text."""
    if isinstance(key, (bytes, bytearray)):
        if len(key) > _MAX_KEY_BYTES:
            return None
        try:
            key = key.decode()
        except UnicodeDecodeError:
            return None
    if not isinstance(key, str) or not key.isprintable():
        return None
    return exact_text(key)


def sent(
    client: Client,
    operation: str,
    topic: object,
    key: object,
    value: object,
    partition: object,
    headers: Any,
    record: type[_Sent],
) -> _Sent:
    """One message on its way; ``headers`` is None where it can have none."""
    call = record(
        SYSTEM, operation, topic, host=client.host, port=client.port, carriers=() if headers is None else (headers,)
    )
    call.client_id = client.client_id
    number = exact_int(partition)
    if number is not None and number >= 0:
        call.partition = number
    call.extra = _of_one(key, value)
    return call


def sent_batch(client: Client, operation: str, topic: object, count: int, record: type[_Sent]) -> _Sent:
    """Messages that do not take this span's context along."""
    call = record(SYSTEM, operation, topic, host=client.host, port=client.port)
    call.client_id = client.client_id
    call.count = count
    return call


def with_headers(args: Args, kwargs: Kwargs, position: int, headers: Headers) -> tuple[Args, Kwargs]:
    """The arguments with ``headers`` in place of the program's, which stand at ``position`` or have their name."""
    if len(args) > position:
        return (*args[:position], headers.pairs, *args[position + 1 :]), kwargs
    return args, {**kwargs, "headers": headers.pairs}


def delivered(call: SendCall, partition: object, offset: object) -> None:
    """What the broker told of a message that was sent."""
    call.late = {}
    number = exact_int(partition)
    if number is not None and number >= 0:
        call.late[MESSAGING_DESTINATION_PARTITION_ID] = str(number)
    place = exact_int(offset)
    if place is not None and place >= 0:
        call.late[MESSAGING_KAFKA_OFFSET] = place


def follow(call: SendCall, future: Any, over: Callable[..., object], tells: Callable[[SendCall, Any], None]) -> None:
    """Ends a send with an asyncio future, which then does not count as asked for its exception."""

    def done(settled: Any) -> None:
        if settled.cancelled():
            over()
            return
        exception = settled._exception
        if exception is None:
            try:
                tells(call, settled.result())
            except Exception:
                call.late = None  # a result of another shape: the span does without
        over(exception)

    future.add_done_callback(done)


def received(
    client: Client, operation: str, topic: object, partition: object, offset: object, key: object, value: object
) -> ReceiveCall:
    """One message; its ``readers`` are left to the caller."""
    call = _receive(client, operation, topic)
    call.partition = partition
    call.extra = _of_one(key, value)
    place = exact_int(offset)
    if place is not None and place >= 0:
        call.extra[MESSAGING_KAFKA_OFFSET] = place
    return call


def received_batch(
    client: Client, operation: str, places: set[tuple[Any, Any]], headers: Iterable[Any]
) -> ReceiveCall | None:
    """Messages from ``places``, pairs of topic and partition, with the headers of each; None for no messages."""
    readers = [reader(pairs) for pairs in headers]
    if not readers:
        return None
    topics = {topic for topic, _ in places}
    call = _receive(client, operation, next(iter(topics)) if len(topics) == 1 else None)
    if len(places) == 1:
        ((_, call.partition),) = places
    call.readers = readers
    call.count = len(readers)
    return call


def refused(client: Client, operation: str, exception: BaseException | None) -> ReceiveCall | None:
    """A request for messages that failed; None where it only was broken off."""
    if not isinstance(exception, Exception) or isinstance(exception, (StopIteration, StopAsyncIteration)):
        return None
    return failed(client, operation)


def failed(client: Client, operation: str) -> ReceiveCall:
    """A request for messages that came to nothing."""
    call = _receive(client, operation, None)
    call.count = 0
    return call


def settled(client: Client, operation: str, places: Any) -> SettleCall:
    """Offsets that are committed; ``places`` are triples of topic, partition and offset, () for all there are."""
    places = tuple(places)
    call = SettleCall(SYSTEM, operation, host=client.host, port=client.port)
    call.client_id = client.client_id
    call.group = client.group
    topics = {topic for topic, _, _ in places}
    if len(topics) == 1:
        call.destination = topics.pop()
    if len(places) == 1:
        ((_, call.partition, offset),) = places
        place = exact_int(offset)
        if place is not None and place >= 0:
            call.extra = {MESSAGING_KAFKA_OFFSET: place}
    return call


def offsets(mapping: Any) -> list[tuple[Any, Any, Any]]:
    """Triples for ``settled`` of what kafka-python and aiokafka take: partitions with offsets, plain or in a record."""
    found = []
    for place, offset in (mapping or {}).items():
        plain = getattr(offset, "offset", offset)
        found.append((place[0], place[1], plain[0] if isinstance(plain, tuple) else plain))
    return found


def _receive(client: Client, operation: str, topic: object) -> ReceiveCall:
    call = ReceiveCall(SYSTEM, operation, topic, host=client.host, port=client.port)
    call.client_id = client.client_id
    call.group = client.group
    return call


def _of_one(key: object, value: object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    text = text_key(key)
    if text:
        found[MESSAGING_KAFKA_MESSAGE_KEY] = text
    if value is None:
        found[MESSAGING_KAFKA_MESSAGE_TOMBSTONE] = True
    return found
