"""pika against RabbitMQ."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from plugins.messaging.contract import MessagingContract, Peer, WorkError, message_parent  # noqa: F401 - a fixture

pika = pytest.importorskip("pika")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans


class Queue(Peer):
    def __init__(self, channel: Any, name: str) -> None:
        self.channel = channel
        self.name = name

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        properties = None if headers is None else pika.BasicProperties(headers=headers)
        self.channel.basic_publish("", self.name, body, properties)

    def receive(self) -> bytes | None:
        body: bytes | None = self.channel.basic_get(self.name, auto_ack=True)[2]
        return body

    def process(self, work: Any) -> None:
        self.channel.basic_qos(prefetch_count=1)

        def on_message(channel: Any, method: Any, properties: Any, body: bytes) -> None:
            channel.basic_ack(method.delivery_tag)
            channel.stop_consuming()
            work(body)

        self.channel.basic_consume(self.name, on_message)
        with suppress(WorkError):
            self.channel.start_consuming()


@pytest.fixture
def peer(rabbitmq_port: int) -> Iterator[Queue]:
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", rabbitmq_port))
    channel = connection.channel()
    name = f"remora-pika-{os.getpid()}"
    channel.queue_declare(name)
    channel.queue_purge(name)
    yield Queue(channel, name)
    if channel.is_open:
        channel.queue_delete(name)
    connection.close()


class TestPika(MessagingContract):
    system = "rabbitmq"

    def destination(self, peer: Queue) -> str:
        return peer.name


def test_settling_is_a_client_span(spans: Spans, peer: Queue) -> None:
    peer.send(b"one")
    peer.process(lambda body: None)
    (ack,) = spans.named("ack 127.0.0.1:5672")
    assert ack.kind == "CLIENT"
    assert ack.attributes["messaging.operation.type"] == "settle"
    assert ack.attributes["messaging.rabbitmq.message.delivery_tag"] == 1


def test_properties_are_used_again_and_again(spans: Spans, peer: Queue) -> None:
    properties = pika.BasicProperties(message_id="m")
    for _ in range(2):
        peer.channel.basic_publish("", peer.name, b"one", properties)
    assert properties.headers is None
    first, second = (span for span in spans if span.kind == "PRODUCER")
    assert first.links == second.links == []
    assert first.attributes["messaging.message.id"] == "m"


def test_a_publish_that_fails_is_an_error(spans: Spans, peer: Queue) -> None:
    peer.channel.close()
    with pytest.raises(pika.exceptions.ChannelWrongStateError):
        peer.send(b"one")
    (send,) = MessagingContract.of_type(spans, "send")
    assert send.status == "ERROR"
    assert send.attributes["error.type"] == "pika.exceptions.ChannelWrongStateError"


def test_the_queue_of_the_broker_is_not_named(spans: Spans, peer: Queue) -> None:
    queue = peer.channel.queue_declare("", exclusive=True).method.queue
    peer.channel.basic_publish("", queue, b"one")
    (send,) = MessagingContract.of_type(spans, "send")
    assert send.name == "publish 127.0.0.1:5672"
    assert send.attributes["messaging.destination.anonymous"] is True
    assert send.attributes["messaging.destination.name"] == queue
    (sent,) = spans.metrics.named("messaging.client.sent.messages")
    assert "messaging.destination.name" not in sent.attributes


class Worker:
    """A program's own object whose method is the callback."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    def on_message(self, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self.got.append(body)
        channel.stop_consuming()


def test_a_method_as_callback_is_processing_too(spans: Spans, peer: Queue) -> None:
    worker = Worker()
    peer.send(b"one")
    peer.channel.basic_consume(peer.name, worker.on_message, auto_ack=True)
    peer.channel.start_consuming()
    assert worker.got == [b"one"]
    (process,) = MessagingContract.of_type(spans, "process")
    assert len(process.links) == 1
