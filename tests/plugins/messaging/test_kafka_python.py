"""kafka-python against a broker; consumers are told their partition, since joining a group takes the broker long."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import MessagingContract, Peer, message_parent, open_operations  # noqa: F401 - a fixture

kafka = pytest.importorskip("kafka")
errors = pytest.importorskip("kafka.errors")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans

WITHIN_S = 60
MANY = 20_000


def sends(spans: Spans) -> list[Any]:
    return MessagingContract.of_type(spans, "send")


def receives(spans: Spans) -> list[Any]:
    return MessagingContract.of_type(spans, "receive")


def offset(number: int) -> Any:
    """What to commit; later versions also want the leader's epoch."""
    more = ("", -1)[: len(kafka.OffsetAndMetadata._fields) - 1]
    return kafka.OffsetAndMetadata(number, *more)


class Topic(Peer):
    """One partition; what was sent is waited for, so that only an empty one gives nothing."""

    def __init__(self, spans: Spans, port: int, name: str) -> None:
        self.spans = spans
        self.name = name
        self.servers = [f"127.0.0.1:{port}"]
        self.producer = kafka.KafkaProducer(bootstrap_servers=self.servers, client_id="ours")
        self.place = kafka.TopicPartition(name, 0)
        self._consumer: Any = None
        self.sent = self.got = 0

    @property
    def consumer(self) -> Any:
        if self._consumer is None:
            self._consumer = kafka.KafkaConsumer(
                bootstrap_servers=self.servers,
                client_id="ours",
                group_id="readers",
                enable_auto_commit=False,
                consumer_timeout_ms=WITHIN_S * 1000,
            )
            self._consumer.assign([self.place])
            self._consumer.seek(self.place, 0)
        return self._consumer

    def send(self, body: bytes | None, headers: Any = None, **more: Any) -> Any:
        pairs = [(name, value.encode()) for name, value in headers.items()] if isinstance(headers, dict) else headers
        metadata = self.producer.send(self.name, body, headers=pairs, **more).get(WITHIN_S)
        self.sent += 1
        self.settle(self.sent)
        return metadata

    def settle(self, count: int) -> None:
        """The spans end in the producer's thread, at about the same time as the future."""
        deadline = time.monotonic() + WITHIN_S
        while len(sends(self.spans)) < count and time.monotonic() < deadline:
            time.sleep(0.001)

    def polled(self, most: int | None = None) -> list[Any]:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            found = self.consumer.poll(200, max_records=most)
            if found:
                return [record for records in found.values() for record in records]
        raise AssertionError("no message")

    def receive(self) -> bytes | None:
        if self.got == self.sent:
            assert self.consumer.poll(50) == {}
            return None
        self.got += 1
        (record,) = self.polled(1)
        body: bytes = record.value
        return body

    def close(self) -> None:
        self.producer.close()
        if self._consumer is not None:
            self._consumer.close(autocommit=False)


@pytest.fixture
def peer(spans: Spans, kafka_port: int, kafka_topic: str) -> Iterator[Topic]:
    topic = Topic(spans, kafka_port, kafka_topic)
    yield topic
    topic.close()


class TestKafkaPython(MessagingContract):
    system = "kafka"
    sends = "send"
    receives = "poll"
    processes = None

    def destination(self, peer: Topic) -> str:
        return peer.name


def test_spans_say_who_where_and_which(spans: Spans, peer: Topic) -> None:
    peer.send(b"one", key=b"order-7")
    record = next(peer.consumer)
    assert record.value == b"one"
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
    next(peer.consumer)
    for span in (*sends(spans), *receives(spans)):
        assert "messaging.kafka.message.key" not in span.attributes
        assert span.attributes["messaging.kafka.message.tombstone"] is True


@pytest.mark.parametrize("headers", [[("shop", b"north")], [("shop", b"north"), ("shop", b"south")], [], None])
@pytest.mark.parametrize("by_position", [True, False])
def test_headers_are_used_again_and_again(spans: Spans, peer: Topic, headers: Any, *, by_position: bool) -> None:
    before = None if headers is None else headers.copy()
    for count in (1, 2):
        if by_position:
            future = peer.producer.send(peer.name, b"one", None, headers, 0, 1_700_000_000_000)
        else:
            future = peer.producer.send(topic=peer.name, value=b"one", headers=headers, timestamp_ms=1_700_000_000_000)
        assert future.get(WITHIN_S).timestamp == 1_700_000_000_000
        peer.settle(count)
    assert headers == before
    for send in sends(spans):
        assert send.links == []
        arrived = next(peer.consumer).headers
        assert arrived[:-1] == (headers or [])
        assert arrived[-1][0] == "traceparent"
        assert send.span_id in arrived[-1][1].decode()


def test_headers_that_are_none_stay_the_programs_mistake(spans: Spans, peer: Topic) -> None:
    with pytest.raises((TypeError, AssertionError)) as failure:
        peer.producer.send(peer.name, b"one", headers=(("shop", b"north"),))
    (send,) = sends(spans)
    assert (send.status, send.attributes["error.type"]) == ("ERROR", failure.type.__name__)


def test_a_send_ends_with_the_brokers_answer_and_nothing_is_current_until_then(spans: Spans, peer: Topic) -> None:
    slow = kafka.KafkaProducer(bootstrap_servers=peer.servers, linger_ms=60_000)
    future = slow.send(peer.name, b"one")
    assert not trace.get_current_span().get_span_context().is_valid
    assert sends(spans) == []
    slow.flush(WITHIN_S)
    assert future.get(WITHIN_S).offset == 0
    peer.settle(1)
    (send,) = sends(spans)
    assert send.attributes["messaging.kafka.offset"] == 0
    slow.close()


def test_what_is_not_delivered_is_an_error(spans: Spans, peer: Topic) -> None:
    slow = kafka.KafkaProducer(bootstrap_servers=peer.servers, linger_ms=60_000)
    future = slow.send(peer.name, b"one")
    future.failure(errors.TopicAuthorizationFailedError())  # as the sender does when the broker says so
    with pytest.raises(errors.TopicAuthorizationFailedError):
        future.get(WITHIN_S)
    (send,) = sends(spans)
    assert (send.status, send.attributes["error.type"]) == ("ERROR", "kafka.errors.TopicAuthorizationFailedError")
    with suppress(Exception):
        slow.close(1)


@pytest.mark.skipif(kafka.__version__ < "3", reason="none before 2.1, and the broker has none that 2 could talk to")
def test_a_transaction_sends_as_always_and_its_offsets_are_settled(spans: Spans, peer: Topic) -> None:
    producer = kafka.KafkaProducer(bootstrap_servers=peer.servers, transactional_id=f"tx-{peer.name}")
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(peer.name, b"out").get(WITHIN_S)
    producer.send_offsets_to_transaction({peer.place: offset(1)}, "readers")
    producer.commit_transaction()
    producer.close()
    peer.settle(1)
    assert [(send.name, send.status) for send in sends(spans)] == [(f"send {peer.name}", "UNSET")]
    (settle,) = MessagingContract.of_type(spans, "settle")
    assert (settle.name, settle.status) == (f"send_offsets_to_transaction {peer.name}", "UNSET")
    assert settle.attributes["messaging.consumer.group.name"] == "readers"


def test_a_poll_is_one_span_with_a_link_for_each_message(spans: Spans, peer: Topic) -> None:
    for _ in range(5):
        peer.send(b"one")
    taken: list[Any] = []
    while len(taken) < 5:
        taken += peer.polled()
    batches = receives(spans)
    assert sum(span.attributes["messaging.batch.message_count"] for span in batches) == 5
    assert {span.name for span in batches} == {f"poll {peer.name}"}
    assert [link.span_id for span in batches for link in span.links] == [send.span_id for send in sends(spans)]
    assert all("messaging.kafka.offset" not in span.attributes for span in batches)
    assert sum(point.value for point in spans.metrics.named("messaging.client.consumed.messages")) == 5


def test_iteration_receives_each_message_once(spans: Spans, peer: Topic) -> None:
    for _ in range(3):
        peer.send(b"one")
    for record in peer.consumer:
        assert not trace.get_current_span().get_span_context().is_valid
        if record.offset == 2:
            break
    found = receives(spans)
    assert [span.attributes["messaging.kafka.offset"] for span in found] == [0, 1, 2]
    assert [link.span_id for span in found for link in span.links] == [send.span_id for send in sends(spans)]
    assert sum(point.value for point in spans.metrics.named("messaging.client.consumed.messages")) == 3
    peer.consumer.config["consumer_timeout_ms"] = 50
    assert list(peer.consumer) == []
    assert len(receives(spans)) == 3


def test_committing_is_settling(spans: Spans, peer: Topic) -> None:
    peer.send(b"one")
    next(peer.consumer)
    peer.consumer.commit()
    peer.consumer.commit_async().is_done  # noqa: B018 - what it returns is what it was
    whole, later = MessagingContract.of_type(spans, "settle")
    assert (whole.name.split()[0], whole.kind, whole.status) == ("commit", "CLIENT", "UNSET")
    assert whole.attributes["messaging.consumer.group.name"] == "readers"
    assert later.attributes["messaging.operation.name"] == "commit_async"
    assert peer.consumer.committed(peer.place) == 1


def test_a_commit_of_offsets_names_the_partition_and_a_failure(spans: Spans, peer: Topic) -> None:
    alone = kafka.KafkaConsumer(bootstrap_servers=peer.servers, group_id=None)
    with pytest.raises(Exception) as failure:  # noqa: PT011 - which one differs by version
        alone.commit({peer.place: offset(7)})
    alone.close()
    (settle,) = MessagingContract.of_type(spans, "settle")
    assert settle.name == f"commit {peer.name}"
    assert settle.attributes["messaging.destination.partition.id"] == "0"
    assert settle.attributes["messaging.kafka.offset"] == 7
    assert settle.attributes["error.type"].endswith(failure.type.__name__)


def test_a_long_loop_leaves_nothing_behind(spans: Spans, peer: Topic) -> None:
    before = open_operations()
    for number in range(MANY):
        origin = f"00-{number + 1:032x}-{number + 1:016x}-00".encode()
        peer.producer.send(peer.name, b"x", headers=[("traceparent", origin)])
    peer.producer.flush(WITHIN_S)
    tracer = trace.get_tracer("test")
    for number, record in enumerate(peer.consumer):
        assert record.offset == number
        assert not trace.get_current_span().get_span_context().is_valid
        if not number % 1000:
            with tracer.start_as_current_span("work"):
                pass
        if number == MANY - 1:
            break
    assert not trace.get_current_span().get_span_context().is_valid
    assert open_operations() <= before
    loop = receives(spans)
    assert len(loop) == MANY
    assert {span.parent_id for span in loop} == {span.parent_id for span in spans.named("work")} == {None}
    assert len({span.trace_id for span in loop}) == MANY
    assert [int(span.links[0].span_id, 16) for span in loop] == list(range(1, MANY + 1))
