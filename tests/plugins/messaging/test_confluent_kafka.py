"""confluent-kafka against a broker; consumers are told their partition, since joining a group takes the broker long."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import MessagingContract, Peer, message_parent, open_operations  # noqa: F401 - a fixture

confluent_kafka = pytest.importorskip("confluent_kafka")
try:
    from confluent_kafka import aio
except ImportError:
    try:
        from confluent_kafka.experimental import aio  # where they were at first
    except ImportError:
        aio = None

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans

WITHIN_S = 60
needs_asyncio = pytest.mark.skipif(aio is None, reason="this version has no asyncio clients")
MANY = 20_000


class Topic(Peer):
    """One partition; what was sent is waited for, so that only an empty one gives nothing."""

    def __init__(self, port: int, name: str, *, group: str = "readers") -> None:
        self.name = name
        self.servers = {"bootstrap.servers": f"127.0.0.1:{port},127.0.0.1:1"}
        self.producer = self.make("Producer")
        self.group = group
        self._consumer: Any = None
        self.awaited = 0

    def make(self, kind: str, **config: Any) -> Any:
        quiet = {"log_level": 0, "client.id": "ours"}
        return getattr(confluent_kafka, kind)({**self.servers, **quiet, **config})

    def consumer_of(self, kind: str = "Consumer", **config: Any) -> Any:
        settings = {"group.id": self.group, "enable.auto.commit": False, **config}
        consumer = self.make(kind, **settings)
        consumer.assign([confluent_kafka.TopicPartition(self.name, 0, 0)])
        return consumer

    @property
    def consumer(self) -> Any:
        if self._consumer is None:
            self._consumer = self.consumer_of()
        return self._consumer

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.producer.produce(self.name, body, headers=headers)
        assert self.producer.flush(WITHIN_S) == 0
        self.awaited += 1

    def message(self) -> Any:
        return polled(self.consumer)

    def receive(self) -> bytes | None:
        if not self.awaited:
            message = self.consumer.poll(0.05)
            assert message is None
            return None
        self.awaited -= 1
        body: bytes = self.message().value()
        return body

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()


def polled(consumer: Any) -> Any:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        message = consumer.poll(0.2)
        if message is not None:
            return message
    raise AssertionError("no message")


@pytest.fixture
def peer(spans: Spans, kafka_port: int, kafka_topic: str) -> Iterator[Topic]:
    topic = Topic(kafka_port, kafka_topic)
    yield topic
    topic.close()


class TestConfluentKafka(MessagingContract):
    system = "kafka"
    sends = "produce"
    receives = "poll"
    processes = None

    def destination(self, peer: Topic) -> str:
        return peer.name


def sends(spans: Spans) -> list[Any]:
    return MessagingContract.of_type(spans, "send")


def receives(spans: Spans) -> list[Any]:
    return MessagingContract.of_type(spans, "receive")


def test_spans_say_who_where_and_which(spans: Spans, peer: Topic) -> None:
    peer.producer.produce(peer.name, b"one", "order-7", 0)
    peer.producer.flush(WITHIN_S)
    peer.message()
    (send,), (receive,) = sends(spans), receives(spans)
    port = int(peer.servers["bootstrap.servers"].split(",")[0].rpartition(":")[2])
    for span in (send, receive):
        assert span.attributes["messaging.kafka.message.key"] == "order-7"
        assert span.attributes["messaging.destination.partition.id"] == "0"
        assert span.attributes["messaging.client.id"] == "ours"
        assert (span.attributes["server.address"], span.attributes["server.port"]) == ("127.0.0.1", port)
        assert "messaging.kafka.message.tombstone" not in span.attributes
        assert "messaging.batch.message_count" not in span.attributes
    assert receive.attributes["messaging.kafka.offset"] == 0
    assert receive.attributes["messaging.consumer.group.name"] == "readers"


def test_a_key_that_is_no_text_is_not_told_and_a_tombstone_is(spans: Spans, peer: Topic) -> None:
    peer.producer.produce(peer.name, None, b"\x00\x00\x00\x07")
    peer.producer.flush(WITHIN_S)
    peer.message()
    for span in (*sends(spans), *receives(spans)):
        assert "messaging.kafka.message.key" not in span.attributes
        assert span.attributes["messaging.kafka.message.tombstone"] is True


@pytest.mark.parametrize(
    "headers", [{"shop": "north"}, [("shop", "north")], [("shop", b"north"), ("shop", None)], None]
)
@pytest.mark.parametrize("by_position", [True, False])
def test_headers_of_any_form_are_used_again_and_again(
    spans: Spans, peer: Topic, headers: Any, *, by_position: bool
) -> None:
    before = None if headers is None else headers.copy()
    for _ in range(2):
        if by_position:
            peer.producer.produce(peer.name, b"one", None, 0, None, None, 0, headers)
        else:
            peer.producer.produce(topic=peer.name, value=b"one", headers=headers)
    peer.producer.flush(WITHIN_S)
    assert headers == before
    assert [send.links for send in sends(spans)] == [[], []]
    for send in sends(spans):
        arrived = peer.message().headers()
        names = [name for name, _ in arrived]
        assert names.count("traceparent") == 1
        assert names[:-1] == [name for name, _ in (headers.items() if isinstance(headers, dict) else headers or ())]
        assert send.span_id in dict(arrived)["traceparent"].decode()


def test_a_batch_is_one_span_with_a_link_for_each_message(spans: Spans, peer: Topic) -> None:
    for _ in range(5):
        peer.producer.produce(peer.name, b"one")
    peer.producer.flush(WITHIN_S)
    taken: list[Any] = []
    while len(taken) < 5:
        taken += peer.consumer.consume(5 - len(taken), 0.2)
    batches = receives(spans)
    assert sum(span.attributes["messaging.batch.message_count"] for span in batches) == 5
    assert {span.name for span in batches} == {f"consume {peer.name}"}
    assert [link.span_id for span in batches for link in span.links] == [send.span_id for send in sends(spans)]
    assert all("messaging.kafka.offset" not in span.attributes for span in batches)
    consumed = spans.metrics.named("messaging.client.consumed.messages")
    assert sum(point.value for point in consumed) == 5
    assert peer.consumer.consume(5, 0.05) == []
    assert len(receives(spans)) == len(batches)


def test_what_cannot_even_be_queued_is_an_error(spans: Spans, peer: Topic) -> None:
    small = peer.make("Producer", **{"message.max.bytes": 2000})
    with pytest.raises(confluent_kafka.KafkaException):
        small.produce(peer.name, b"x" * 5000)
    (send,) = sends(spans)
    assert (send.status, send.attributes["error.type"]) == ("ERROR", "cimpl.KafkaException")


def test_a_full_queue_is_an_error(spans: Spans, peer: Topic) -> None:
    stuck = peer.make("Producer", **{"bootstrap.servers": "127.0.0.1:1", "queue.buffering.max.messages": 1})
    stuck.produce(peer.name, b"one")
    with pytest.raises(BufferError):
        stuck.produce(peer.name, b"two")
    stuck.purge()
    assert [send.attributes.get("error.type") for send in sends(spans)] == [None, "BufferError"]


def test_delivery_reports_are_the_programs(spans: Spans, peer: Topic) -> None:
    reported: list[Any] = []

    def report(error: Any, message: Any) -> None:
        reported.append((error, message.offset(), trace.get_current_span().get_span_context().is_valid))

    peer.producer.produce(peer.name, b"one", on_delivery=report)
    peer.producer.produce(peer.name, b"two", callback=report)
    peer.producer.flush(WITHIN_S)
    assert reported == [(None, 0, False), (None, 1, False)]


def test_the_end_of_a_partition_is_no_message(spans: Spans, peer: Topic) -> None:
    consumer = peer.consumer_of(**{"enable.partition.eof": True})
    event = polled(consumer)
    assert event.error().name() == "_PARTITION_EOF"
    consumer.close()
    assert receives(spans) == []


def test_trouble_that_comes_as_a_message_is_an_error(spans: Spans, peer: Topic) -> None:
    consumer = peer.make("Consumer", **{"group.id": "g"})
    consumer.subscribe([f"{peer.name}-that-is-not"])
    assert polled(consumer).error() is not None
    consumer.close()
    (receive,) = receives(spans)
    assert (receive.status, receive.name) == ("ERROR", f"poll {peer.name}-that-is-not")
    assert receive.attributes["error.type"] == "UNKNOWN_TOPIC_OR_PART"
    assert spans.metrics.named("messaging.client.consumed.messages") == []


def test_polling_what_is_closed_is_an_error_of_the_program(spans: Spans, peer: Topic) -> None:
    peer.consumer.close()
    with pytest.raises(RuntimeError):
        peer.consumer.poll(0)
    peer._consumer = None
    (receive,) = receives(spans)
    assert receive.attributes["error.type"] == "RuntimeError"


def test_committing_is_settling(spans: Spans, peer: Topic) -> None:
    peer.send(b"one")
    message = peer.message()
    peer.consumer.commit(message, asynchronous=False)
    peer.consumer.commit(offsets=[confluent_kafka.TopicPartition(peer.name, 0, 1)], asynchronous=False)
    first, second = MessagingContract.of_type(spans, "settle")
    assert (first.name, first.kind, first.status) == (f"commit {peer.name}", "CLIENT", "UNSET")
    assert first.attributes["messaging.consumer.group.name"] == "readers"
    assert first.attributes["messaging.destination.partition.id"] == "0"
    assert (first.attributes["messaging.kafka.offset"], second.attributes["messaging.kafka.offset"]) == (0, 1)
    assert peer.consumer.committed([confluent_kafka.TopicPartition(peer.name, 0)])[0].offset == 1


def test_a_transaction_sends_as_always_and_its_offsets_are_settled(spans: Spans, peer: Topic) -> None:
    peer.send(b"in")
    peer.message()
    producer = peer.make("Producer", **{"transactional.id": f"tx-{peer.name}"})
    producer.init_transactions(WITHIN_S)
    producer.begin_transaction()
    producer.produce(peer.name, b"out")
    places = [confluent_kafka.TopicPartition(peer.name, 0, 1)]
    producer.send_offsets_to_transaction(places, peer.consumer.consumer_group_metadata(), WITHIN_S)
    producer.commit_transaction(WITHIN_S)
    _, send = sends(spans)
    assert (send.name, send.status) == (f"produce {peer.name}", "UNSET")
    (settle,) = MessagingContract.of_type(spans, "settle")
    assert settle.name == f"send_offsets_to_transaction {peer.name}"
    assert peer.message().value() == b"out"


def test_serializing_clients_give_one_span_each_and_serializers_see_the_programs_headers(
    spans: Spans, peer: Topic
) -> None:
    seen: list[Any] = []

    def serializer(value: str, context: Any) -> bytes:
        seen.append(context.headers)
        context.headers.append(("schema", b"1"))
        return value.encode()

    def deserializer(value: bytes, context: Any) -> str:
        seen.append(context.headers)
        return value.decode()

    producer = peer.make("SerializingProducer", **{"value.serializer": serializer})
    assert isinstance(producer, confluent_kafka.SerializingProducer)
    assert isinstance(producer, confluent_kafka.Producer)
    headers: list[Any] = []
    producer.produce(peer.name, key="k", value="one", headers=headers)
    assert producer.flush(WITHIN_S) == 0
    assert seen == [headers] == [[("schema", b"1")]]
    consumer = peer.consumer_of("DeserializingConsumer", **{"value.deserializer": deserializer})
    assert polled(consumer).value() == "one"
    consumer.close()
    (send,), (receive,) = sends(spans), receives(spans)
    assert send.attributes["messaging.kafka.message.key"] == "k"
    assert [link.span_id for link in receive.links] == [send.span_id]
    assert [name for name, _ in seen[1]] == ["schema", "traceparent"]


def test_the_classes_are_what_they_were_to_programs_that_look(spans: Spans, peer: Topic) -> None:
    class Own(confluent_kafka.Producer):  # type: ignore[misc, name-defined]
        def produce(self, topic: str, *args: Any, **kwargs: Any) -> None:
            super().produce(topic, *args, **kwargs)

    plain = confluent_kafka.cimpl.Producer
    assert issubclass(confluent_kafka.Producer, plain)
    assert (confluent_kafka.Producer.__name__, confluent_kafka.Producer.__module__) == (
        plain.__name__,
        plain.__module__,
    )
    own = Own(peer.servers)
    own.produce(peer.name, b"one")
    assert own.flush(WITHIN_S) == 0
    assert len(own) == 0
    assert len(sends(spans)) == 1


@pytest.mark.skipif(not hasattr(confluent_kafka.Producer, "produce_batch"), reason="came with 2.12")
def test_a_batch_that_is_produced_is_one_span(spans: Spans, peer: Topic) -> None:
    messages = [{"value": b"one"}, {"value": b"two"}]
    assert peer.producer.produce_batch(peer.name, messages) == 2
    assert peer.producer.flush(WITHIN_S) == 0
    assert messages == [{"value": b"one"}, {"value": b"two"}]
    small = peer.make("Producer", **{"message.max.bytes": 2000})
    assert small.produce_batch(peer.name, [{"value": b"x" * 5000}, {"value": b"x"}]) == 1
    assert small.flush(WITHIN_S) == 0
    good, bad = sends(spans)
    assert (good.name, good.attributes["messaging.batch.message_count"]) == (f"produce_batch {peer.name}", 2)
    assert (good.status, bad.status, bad.attributes["error.type"]) == ("UNSET", "ERROR", "MSG_SIZE_TOO_LARGE")


def test_a_long_loop_leaves_nothing_behind(spans: Spans, peer: Topic) -> None:
    before = open_operations()
    plain = confluent_kafka.cimpl.Producer(peer.servers)
    for number in range(MANY):
        origin = f"00-{number + 1:032x}-{number + 1:016x}-01".encode()
        plain.produce(peer.name, b"x", headers=[("traceparent", origin)])
        if not number % 1000:
            plain.poll(0)
    assert plain.flush(WITHIN_S) == 0
    tracer = trace.get_tracer("test")
    for number in range(MANY):
        assert peer.message().offset() == number
        assert not trace.get_current_span().get_span_context().is_valid
        if not number % 1000:
            with tracer.start_as_current_span("work"):
                pass
    assert not trace.get_current_span().get_span_context().is_valid
    assert open_operations() <= before
    loop = receives(spans)
    assert len(loop) == MANY
    assert {span.parent_id for span in loop} == {span.parent_id for span in spans.named("work")} == {None}
    assert len({span.trace_id for span in loop}) == MANY
    assert [int(span.links[0].span_id, 16) for span in loop] == list(range(1, MANY + 1))


@needs_asyncio
def test_the_asyncio_producer_ends_with_the_brokers_answer(spans: Spans, peer: Topic) -> None:
    async def program() -> None:
        producer = aio.AIOProducer({**peer.servers, "client.id": "ours"}, buffer_timeout=0)
        with trace.get_tracer("test").start_as_current_span("around"):
            one = await producer.produce(peer.name, b"one", b"k")
            two = await producer.produce(peer.name, value=b"two")
        assert sends(spans) == []
        await producer.flush()
        assert [(await one).offset(), (await two).offset()] == [0, 1]
        await producer.close()

    asyncio.run(program())
    first, second = sends(spans)
    assert {first.name, second.name} == {f"produce {peer.name}"}
    assert first.attributes["messaging.kafka.message.key"] == "k"
    assert first.attributes["messaging.destination.partition.id"] == "0"
    assert [span.attributes["messaging.kafka.offset"] for span in (first, second)] == [0, 1]
    assert {first.parent_id, second.parent_id} == {spans.named("around")[0].span_id}


@needs_asyncio
def test_what_the_asyncio_producer_cannot_deliver_is_an_error(spans: Spans, peer: Topic) -> None:
    async def program() -> None:
        producer = aio.AIOProducer({**peer.servers, "message.max.bytes": 2000}, buffer_timeout=0)
        future = await producer.produce(peer.name, b"x" * 5000)
        await producer.flush()
        with pytest.raises(confluent_kafka.KafkaException):
            await future
        with pytest.raises(NotImplementedError):
            await producer.produce(peer.name, b"x", headers=[("a", b"b")])
        await producer.close()

    asyncio.run(program())
    assert sorted(send.attributes["error.type"] for send in sends(spans)) == [
        "NotImplementedError",
        "cimpl.KafkaException",
    ]


@needs_asyncio
def test_the_asyncio_consumer_receives_in_the_programs_context(spans: Spans, peer: Topic) -> None:
    for body in (b"one", b"two", b"three"):
        peer.send(body)

    async def program() -> None:
        consumer = aio.AIOConsumer({**peer.servers, "group.id": "readers", "enable.auto.commit": False})
        await consumer.assign([confluent_kafka.TopicPartition(peer.name, 0, 0)])
        message = None
        while message is None:
            message = await consumer.poll(0.2)
        assert message.value() == b"one"
        taken: list[Any] = []
        with trace.get_tracer("test").start_as_current_span("around"):
            while len(taken) < 2:
                taken += await consumer.consume(2 - len(taken), 0.2)
        await consumer.commit(taken[-1], asynchronous=False)
        assert await consumer.poll(0.05) is None
        await consumer.close()

    asyncio.run(program())
    single, *batches = receives(spans)
    assert (single.name, single.parent_id) == (f"poll {peer.name}", None)
    assert {span.parent_id for span in batches} == {spans.named("around")[0].span_id}
    links = [link.span_id for span in (single, *batches) for link in span.links]
    assert links == [send.span_id for send in sends(spans)]
    (settle,) = MessagingContract.of_type(spans, "settle")
    assert settle.name == f"commit {peer.name}"
