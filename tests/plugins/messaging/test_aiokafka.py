"""aiokafka against a broker; consumers are told their partition, since joining a group takes the broker long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import MessagingContract, Peer, message_parent, open_operations  # noqa: F401 - a fixture

aiokafka = pytest.importorskip("aiokafka")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans

WITHIN_MS = 60_000
MANY = 20_000


def sends(spans: Spans) -> list[Any]:
    return MessagingContract.of_type(spans, "send")


def receives(spans: Spans) -> list[Any]:
    return MessagingContract.of_type(spans, "receive")


class Topic(Peer):
    """One partition; the loop runs while something is asked for."""

    def __init__(self, port: int, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.name = name
        self.servers = [f"127.0.0.1:{port}"]
        self.place = aiokafka.TopicPartition(name, 0)
        self.sent = self.got = 0
        self.loop.run_until_complete(self._open())

    async def _open(self) -> None:
        self.producer = aiokafka.AIOKafkaProducer(bootstrap_servers=self.servers, client_id="ours")
        await self.producer.start()
        self.consumer = aiokafka.AIOKafkaConsumer(
            bootstrap_servers=self.servers, client_id="ours", group_id="readers", enable_auto_commit=False
        )
        await self.consumer.start()
        self.consumer.assign([self.place])
        self.consumer.seek(self.place, 0)

    def run(self, awaitable: Any) -> Any:
        return self.loop.run_until_complete(awaitable)

    def send(self, body: bytes | None, headers: Any = None, **more: Any) -> None:
        pairs = [(name, value.encode()) for name, value in headers.items()] if isinstance(headers, dict) else headers
        self.run(self.producer.send_and_wait(self.name, body, headers=pairs, **more))
        self.sent += 1

    def receive(self) -> bytes | None:
        if self.got == self.sent:
            assert self.run(self.consumer.getmany(timeout_ms=50)) == {}
            return None
        self.got += 1
        body: bytes = self.run(self.consumer.getone()).value
        return body

    def close(self) -> None:
        async def closing() -> None:
            await self.producer.stop()
            await self.consumer.stop()

        self.run(closing())
        self.loop.close()


@pytest.fixture
def peer(spans: Spans, kafka_port: int, kafka_topic: str) -> Iterator[Topic]:
    topic = Topic(kafka_port, kafka_topic)
    yield topic
    topic.close()


class TestAiokafka(MessagingContract):
    system = "kafka"
    sends = "send"
    receives = "getone"
    processes = None

    def destination(self, peer: Topic) -> str:
        return peer.name


def test_spans_say_who_where_and_which(spans: Spans, peer: Topic) -> None:
    peer.send(b"one", key=b"order-7")
    peer.receive()
    (send,), (receive,) = sends(spans), receives(spans)
    for span in (send, receive):
        assert span.attributes["messaging.kafka.message.key"] == "order-7"
        assert span.attributes["messaging.destination.partition.id"] == "0"
        assert span.attributes["messaging.kafka.offset"] == 0
        assert span.attributes["messaging.client.id"] == "ours"
        assert span.attributes["server.address"] == "127.0.0.1"
        assert span.attributes["server.port"] == int(peer.servers[0].rpartition(":")[2])
        assert "messaging.kafka.message.tombstone" not in span.attributes
    assert receive.attributes["messaging.consumer.group.name"] == "readers"


def test_a_key_that_is_no_text_is_not_told_and_a_tombstone_is(spans: Spans, peer: Topic) -> None:
    peer.send(None, key=b"\x00\x00\x00\x07")
    peer.receive()
    for span in (*sends(spans), *receives(spans)):
        assert "messaging.kafka.message.key" not in span.attributes
        assert span.attributes["messaging.kafka.message.tombstone"] is True


@pytest.mark.parametrize("headers", [[("shop", b"north")], (("shop", b"north"), ("shop", b"south")), None])
@pytest.mark.parametrize("by_position", [True, False])
def test_headers_are_used_again_and_again(spans: Spans, peer: Topic, headers: Any, *, by_position: bool) -> None:
    before = None if headers is None else tuple(headers)
    for _ in range(2):
        if by_position:
            peer.run(peer.producer.send_and_wait(peer.name, b"one", None, 0, 1_700_000_000_000, headers))
        else:
            peer.run(peer.producer.send_and_wait(topic=peer.name, value=b"one", headers=headers))
    assert (None if headers is None else tuple(headers)) == before
    for send in sends(spans):
        assert send.links == []
        arrived = peer.run(peer.consumer.getone()).headers
        assert arrived[:-1] == tuple(headers or ())
        assert arrived[-1][0] == "traceparent"
        assert send.span_id in arrived[-1][1].decode()


def test_a_send_ends_with_the_brokers_answer_and_nothing_is_current_until_then(spans: Spans, peer: Topic) -> None:
    async def program() -> None:
        with trace.get_tracer("test").start_as_current_span("around") as around:
            future = await peer.producer.send(peer.name, b"one")
            assert trace.get_current_span() is around
        assert sends(spans) == []
        assert (await future).offset == 0

    peer.run(program())
    (send,) = sends(spans)
    assert send.attributes["messaging.kafka.offset"] == 0
    assert send.parent_id == spans.named("around")[0].span_id


def test_what_cannot_be_sent_is_an_error(spans: Spans, peer: Topic) -> None:
    small = peer.run(_started(peer, max_request_size=100))
    with pytest.raises(aiokafka.errors.MessageSizeTooLargeError):
        peer.run(small.send(peer.name, b"x" * 5000))
    peer.run(small.stop())
    (send,) = sends(spans)
    assert send.status == "ERROR"
    assert send.attributes["error.type"].endswith("errors.MessageSizeTooLargeError")


async def _started(peer: Topic, **config: Any) -> Any:
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=peer.servers, **config)
    await producer.start()
    return producer


def test_an_answer_that_nobody_waits_for_any_more_is_no_error(spans: Spans, peer: Topic) -> None:
    async def program() -> None:
        future = await peer.producer.send(peer.name, b"one")
        future.cancel()
        await peer.producer.flush()

    peer.run(program())
    (send,) = sends(spans)
    assert send.status == "UNSET"


def test_a_failure_that_the_program_never_asks_for_is_still_told_by_asyncio(spans: Spans, peer: Topic) -> None:
    told: list[Any] = []
    peer.loop.set_exception_handler(lambda _, what: told.append(what["exception"]))

    async def program() -> None:
        future = peer.loop.create_future()

        async def add_message(*_: Any, **__: Any) -> Any:
            return future

        peer.producer._message_accumulator.add_message = add_message
        await peer.producer.send(peer.name, b"one")
        future.set_exception(aiokafka.errors.KafkaTimeoutError())

    accumulator = peer.producer._message_accumulator
    peer.run(program())
    del accumulator.add_message
    peer.run(asyncio.sleep(0))
    (send,) = sends(spans)
    assert send.attributes["error.type"] == f"{aiokafka.errors.KafkaTimeoutError.__module__}.KafkaTimeoutError"
    assert [type(each) for each in told] == [aiokafka.errors.KafkaTimeoutError]


def test_a_batch_is_one_span_with_a_link_for_each_message(spans: Spans, peer: Topic) -> None:
    for _ in range(5):
        peer.send(b"one")
    taken = 0
    while taken < 5:
        found = peer.run(peer.consumer.getmany(timeout_ms=WITHIN_MS))
        taken += sum(len(records) for records in found.values())
    batches = receives(spans)
    assert sum(span.attributes["messaging.batch.message_count"] for span in batches) == 5
    assert {span.name for span in batches} == {f"getmany {peer.name}"}
    assert [link.span_id for span in batches for link in span.links] == [send.span_id for send in sends(spans)]
    assert all("messaging.kafka.offset" not in span.attributes for span in batches)
    assert sum(point.value for point in spans.metrics.named("messaging.client.consumed.messages")) == 5


def test_waiting_that_is_broken_off_is_no_span(spans: Spans, peer: Topic) -> None:
    async def program() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(peer.consumer.getone(), 0.05)
        await peer.consumer.stop()
        with pytest.raises(aiokafka.errors.ConsumerStoppedError):
            await peer.consumer.getone()

    peer.run(program())
    assert receives(spans) == []


def test_a_batch_that_the_program_builds_carries_the_trace_in_each_message(spans: Spans, peer: Topic) -> None:
    async def program() -> None:
        batch = peer.producer.create_batch()
        assert batch.append(key=b"k", value=b"one", timestamp=None) is not None
        assert batch.append(key=None, value=b"two", timestamp=None, headers=[("shop", b"north")]) is not None
        future = await peer.producer.send_batch(batch, peer.name, partition=0)
        await future

    with trace.get_tracer("test").start_as_current_span("around"):
        peer.run(program())
    (send,) = sends(spans)
    creates = MessagingContract.of_type(spans, "create")
    assert [(create.kind, create.parent_id) for create in creates] == [
        ("PRODUCER", spans.named("around")[0].span_id)
    ] * 2
    assert (send.name, send.kind) == (f"send_batch {peer.name}", "CLIENT")
    assert send.attributes["messaging.batch.message_count"] == 2
    assert send.attributes["messaging.destination.partition.id"] == "0"
    assert [link.span_id for link in send.links] == [create.span_id for create in creates]
    assert sum(point.value for point in spans.metrics.named("messaging.client.sent.messages")) == 2
    for create in creates:
        arrived = peer.run(peer.consumer.getone()).headers
        assert create.span_id in arrived[-1][1].decode()


def test_committing_is_settling(spans: Spans, peer: Topic) -> None:
    peer.send(b"one")
    peer.receive()
    peer.run(peer.consumer.commit())
    peer.run(peer.consumer.commit({peer.place: 1}))
    peer.run(peer.consumer.commit({peer.place: (1, "done")}))
    whole, one, other = MessagingContract.of_type(spans, "settle")
    assert (whole.name.split()[0], whole.kind, whole.status) == ("commit", "CLIENT", "UNSET")
    assert whole.attributes["messaging.consumer.group.name"] == "readers"
    for settle in (one, other):
        assert settle.name == f"commit {peer.name}"
        assert settle.attributes["messaging.destination.partition.id"] == "0"
        assert settle.attributes["messaging.kafka.offset"] == 1


def test_a_transaction_sends_as_always_and_its_offsets_are_settled(spans: Spans, kafka_stand_in: str) -> None:
    async def program() -> None:
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=kafka_stand_in, transactional_id="tx")
        await producer.start()
        async with producer.transaction():
            await producer.send_and_wait("orders", b"out")
            await producer.send_offsets_to_transaction({aiokafka.TopicPartition("orders", 0): 1}, "readers")
        await producer.stop()

    asyncio.run(program())
    assert [(send.name, send.status) for send in sends(spans)] == [("send orders", "UNSET")]
    (settle,) = MessagingContract.of_type(spans, "settle")
    assert (settle.name, settle.status) == ("send_offsets_to_transaction orders", "UNSET")
    assert settle.attributes["messaging.consumer.group.name"] == "readers"


def test_a_long_loop_leaves_nothing_behind(spans: Spans, peer: Topic) -> None:
    before = open_operations()
    tracer = trace.get_tracer("test")

    async def program() -> None:
        for number in range(MANY):
            origin = f"00-{number + 1:032x}-{number + 1:016x}-00".encode()
            await peer.producer.send(peer.name, b"x", headers=[("traceparent", origin)])
        await peer.producer.flush()
        async for record in peer.consumer:
            assert not trace.get_current_span().get_span_context().is_valid
            if not record.offset % 1000:
                with tracer.start_as_current_span("work"):
                    pass
            if record.offset == MANY - 1:
                break
        assert not trace.get_current_span().get_span_context().is_valid

    peer.run(program())
    assert open_operations() <= before
    loop = receives(spans)
    assert len(loop) == MANY
    assert {span.parent_id for span in loop} == {span.parent_id for span in spans.named("work")} == {None}
    assert len({span.trace_id for span in loop}) == MANY
    assert [int(span.links[0].span_id, 16) for span in loop] == list(range(1, MANY + 1))
