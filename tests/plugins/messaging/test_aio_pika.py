"""aio-pika against RabbitMQ."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import MessagingContract, Peer, message_parent  # noqa: F401 - a fixture

aio_pika = pytest.importorskip("aio_pika")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans


class Queue(Peer):
    """Blocking, as the contract is: each use runs the event loop for as long as it takes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connect: Any, port: int) -> None:
        self.loop = loop
        self.name = f"remora-aio-pika-{os.getpid()}"
        self.port = port
        self.connection = self.run(connect(host="127.0.0.1", port=port))
        self.run(self.open())
        self.run(self.queue.purge())

    async def open(self) -> None:
        self.channel = await self.connection.channel()
        await self.channel.set_qos(prefetch_count=1)
        self.queue = await self.channel.declare_queue(self.name)

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(coroutine, 20))

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        message = aio_pika.Message(body, headers=headers)
        self.run(self.channel.default_exchange.publish(message, self.name))

    def receive(self) -> bytes | None:
        message = self.run(self.queue.get(no_ack=True, fail=False))
        return None if message is None else message.body

    def process(self, work: Any) -> None:
        async def one() -> None:
            done = asyncio.Event()

            async def on_message(message: Any) -> None:
                try:
                    await self.queue.cancel("one")
                    await message.ack()
                    work(message.body)
                finally:
                    done.set()

            await self.queue.consume(on_message, consumer_tag="one")
            await done.wait()

        self.run(one())

    def close(self) -> None:
        self.run(self.queue.delete(if_unused=False, if_empty=False))
        self.run(self.connection.close())


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # a callback's exception is the program's; the contract raises some
    yield loop
    loop.close()


@pytest.fixture(params=["connect", "connect_robust"])
def peer(request: Any, loop: asyncio.AbstractEventLoop, rabbitmq_port: int) -> Iterator[Queue]:
    queue = Queue(loop, getattr(aio_pika, request.param), rabbitmq_port)
    yield queue
    queue.close()


class TestAioPika(MessagingContract):
    system = "rabbitmq"

    def destination(self, peer: Queue) -> str:
        return peer.name


def test_each_message_of_an_iterator_is_a_receive_linked_to_its_send(spans: Spans, peer: Queue) -> None:
    async def all_of_them() -> list[bytes]:
        bodies = []
        async with peer.queue.iterator() as messages:
            async for message in messages:
                assert not trace.get_current_span().get_span_context().is_valid
                bodies.append(message.body)
                await message.ack()
                if len(bodies) == 2:
                    break
        return bodies

    peer.send(b"one")
    peer.send(b"two")
    assert peer.run(all_of_them()) == [b"one", b"two"]
    sends = MessagingContract.of_type(spans, "send")
    receives = MessagingContract.of_type(spans, "receive")
    assert [span.name for span in receives] == [f"receive {peer.name}"] * 2
    assert [[link.span_id for link in span.links] for span in receives] == [[span.span_id] for span in sends]
    assert MessagingContract.of_type(spans, "process") == []


def test_settling_is_a_client_span_linked_to_the_send(spans: Spans, peer: Queue) -> None:
    peer.send(b"one")

    async def rejected() -> None:
        await (await peer.queue.get()).reject()

    peer.run(rejected())
    (send,) = MessagingContract.of_type(spans, "send")
    (reject,) = spans.named(f"reject 127.0.0.1:{peer.port}")
    assert (reject.kind, reject.attributes["messaging.operation.type"]) == ("CLIENT", "settle")
    assert [link.span_id for link in reject.links] == [send.span_id]


def test_a_message_is_sent_again_and_again(spans: Spans, peer: Queue) -> None:
    message = aio_pika.Message(b"one", message_id="m")
    for _ in range(2):
        peer.run(peer.channel.default_exchange.publish(message, routing_key=peer.name))
    assert message.headers == {}
    first, second = MessagingContract.of_type(spans, "send")
    assert (first.kind, first.links, second.kind, second.links) == ("PRODUCER", [], "PRODUCER", [])
    assert first.attributes["messaging.message.id"] == "m"


def test_a_publish_that_fails_is_an_error(spans: Spans, peer: Queue) -> None:
    async def publish() -> None:
        channel = await peer.connection.channel(on_return_raises=True)
        await channel.default_exchange.publish(aio_pika.Message(b"one"), "remora-nobody-listens")

    with pytest.raises(aio_pika.exceptions.DeliveryError):
        peer.run(publish())
    (send,) = MessagingContract.of_type(spans, "send")
    assert send.status == "ERROR"
    assert send.attributes["error.type"].startswith("aiormq.exceptions.")


def test_what_was_current_when_the_channel_was_opened_is_not_above_what_its_callbacks_do(
    spans: Spans, peer: Queue
) -> None:
    with trace.get_tracer("test").start_as_current_span("opening"):
        peer.run(peer.open())
    peer.send(b"one")
    peer.process(lambda _: None)
    (process,) = MessagingContract.of_type(spans, "process")
    assert process.parent_id is None
