"""kombu against RabbitMQ, Redis and its own memory transport."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import MessagingContract, Peer, WorkError, message_parent  # noqa: F401 - a fixture

kombu = pytest.importorskip("kombu")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans


class Queue(Peer):
    def __init__(self, connection: Any, name: str) -> None:
        self.connection = connection
        self.name = name
        self.channel = connection.channel()
        self.queue = kombu.Queue(name, exchange=kombu.Exchange(""), routing_key=name, durable=False)(self.channel)
        self.queue.queue_declare()
        self.queue.purge()
        self.producer = kombu.Producer(self.channel)

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.producer.publish(body, self.name, headers=headers, content_type="application/data")

    def receive(self) -> bytes | None:
        message = self.queue.get(no_ack=True)
        return None if message is None else bytes(message.body)

    def process(self, work: Any) -> None:
        done: list[Any] = []

        def on_message(body: Any, message: Any) -> None:
            consumer.cancel()
            message.ack()
            done.append(body)
            work(bytes(body))

        channel = self.connection.channel()
        consumer = kombu.Consumer(channel, [self.queue], callbacks=[on_message], prefetch_count=1, auto_declare=False)
        consumer.consume()
        with suppress(WorkError):
            while not done:
                self.connection.drain_events(timeout=5)
        channel.close()


@pytest.fixture
def amqp(rabbitmq_port: int) -> Iterator[Queue]:
    with kombu.Connection(f"amqp://guest:guest@127.0.0.1:{rabbitmq_port}//") as connection:
        connection.connect()
        queue = Queue(connection, f"remora-kombu-{os.getpid()}")
        yield queue
        queue.queue.delete()


class TestAmqp(MessagingContract):
    system = "rabbitmq"

    @pytest.fixture
    def peer(self, amqp: Queue) -> Queue:
        return amqp

    def destination(self, peer: Queue) -> str:
        return peer.name


class TestRedis(MessagingContract):
    system = "redis"

    @pytest.fixture
    def peer(self, redis_port: int) -> Iterator[Queue]:
        with kombu.Connection(f"redis://127.0.0.1:{redis_port}/9") as connection:
            connection.connect()
            queue = Queue(connection, f"remora-kombu-{os.getpid()}")
            yield queue
            queue.queue.delete()

    def destination(self, peer: Queue) -> str:
        return peer.name


def test_settling_is_a_client_span_linked_to_the_send(spans: Spans, amqp: Queue) -> None:
    amqp.send(b"one")
    amqp.queue.get().reject()
    (send,) = MessagingContract.of_type(spans, "send")
    (reject,) = spans.named(f"reject 127.0.0.1:{send.attributes['server.port']}")
    assert (reject.kind, reject.attributes["messaging.operation.type"]) == ("CLIENT", "settle")
    assert reject.attributes["messaging.rabbitmq.message.delivery_tag"] == 1
    assert [link.span_id for link in reject.links] == [send.span_id]


def test_headers_are_used_again_and_again_however_they_are_passed(spans: Spans, amqp: Queue) -> None:
    headers = {"shop": "north"}
    amqp.producer.publish(b"one", amqp.name, None, False, False, 0, "application/data", "binary", None, headers)
    amqp.producer.publish(b"one", amqp.name, headers=headers, content_type="application/data", message_id="m")
    assert headers == {"shop": "north"}
    first, second = MessagingContract.of_type(spans, "send")
    assert (first.kind, first.links, second.kind, second.links) == ("PRODUCER", [], "PRODUCER", [])
    assert second.attributes["messaging.message.id"] == "m"
    assert amqp.queue.get(no_ack=True).headers["shop"] == "north"


def test_a_publish_that_fails_is_an_error(spans: Spans, amqp: Queue) -> None:
    with pytest.raises(kombu.exceptions.EncodeError):
        amqp.producer.publish(object(), amqp.name, serializer="json")
    (send,) = MessagingContract.of_type(spans, "send")
    assert (send.status, send.attributes["error.type"]) == ("ERROR", "kombu.exceptions.EncodeError")


def test_the_queue_of_the_broker_and_one_called_by_a_uuid_are_not_named(spans: Spans, amqp: Queue) -> None:
    generated = amqp.channel.queue_declare("", exclusive=True).queue
    reply_to = "3a7c1f60-1f0c-4a35-9f41-5a8f1f0c4a35"
    amqp.producer.publish(b"one", generated)
    amqp.producer.publish(b"one", reply_to)
    first, second = MessagingContract.of_type(spans, "send")
    assert first.attributes["messaging.destination.anonymous"] is True
    assert second.attributes["messaging.destination.temporary"] is True
    assert second.attributes["messaging.destination.name"] == reply_to
    assert first.name == second.name == f"publish 127.0.0.1:{first.attributes['server.port']}"


def test_an_exchange_the_routing_key_and_the_queue_make_the_destination(spans: Spans, amqp: Queue) -> None:
    exchange = kombu.Exchange("remora-kombu", "topic", durable=False, auto_delete=True)
    queue = kombu.Queue("remora-kombu-topic", exchange, "orders.*", durable=False, auto_delete=True)(amqp.channel)
    queue.declare()
    amqp.producer.publish(b"one", "orders.new", exchange=exchange, declare=[queue])
    assert queue.get(no_ack=True) is not None
    assert spans.named("publish remora-kombu:orders.new")
    assert spans.named("get remora-kombu:orders.new:remora-kombu-topic")
    queue.delete()


def test_a_simple_queue_is_a_receive_for_each_message_and_nothing_for_none(spans: Spans) -> None:
    with kombu.Connection("memory://") as connection, connection.SimpleQueue("remora-simple") as simple:
        simple.put({"n": 1})
        simple.put({"n": 2})
        assert simple.get(timeout=1).payload == {"n": 1}
        assert simple.get(block=False).payload == {"n": 2}
        with pytest.raises(simple.Empty):
            simple.get(timeout=0.01)
        with pytest.raises(simple.Empty):
            simple.get(block=False)
    sends = MessagingContract.of_type(spans, "send")
    receives = MessagingContract.of_type(spans, "receive")
    assert [span.name for span in receives] == ["get remora-simple"] * 2
    assert [[link.span_id for link in span.links] for span in receives] == [[span.span_id] for span in sends]
    assert MessagingContract.of_type(spans, "process") == []


def test_what_the_consumer_is_given_runs_below_the_processing(spans: Spans) -> None:
    def on_message(message: Any) -> None:
        with trace.get_tracer("test").start_as_current_span("work"):
            message.ack()

    with kombu.Connection("memory://") as connection:
        queue = kombu.Queue("remora-on-message")
        kombu.Producer(connection).publish("one", queue.name, declare=[queue], exchange="")
        with kombu.Consumer(connection, [queue], on_message=on_message):
            connection.drain_events(timeout=1)
    (process,) = MessagingContract.of_type(spans, "process")
    (work,) = spans.named("work")
    assert work.parent_id == process.span_id
    (ack,) = MessagingContract.of_type(spans, "settle")
    assert ack.parent_id == work.span_id
