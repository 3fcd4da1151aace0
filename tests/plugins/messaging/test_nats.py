"""nats-py against NATS, with and without JetStream."""

from __future__ import annotations

import asyncio
import functools
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import CALLERS, MessagingContract, Peer, WorkError, message_parent
from support.brokers import nats_server

nats = pytest.importorskip("nats")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans

__all__ = ["message_parent"]

PATIENCE_S = 20


@pytest.fixture(scope="module")
def nats_port() -> Iterator[int]:
    with nats_server() as port:
        yield port


class Connection:
    """A connection with an event loop that runs when it is asked to."""

    def __init__(self, port: int) -> None:
        self.loop = asyncio.new_event_loop()
        self.errors: list[Exception] = []

        async def failed(error: Exception) -> None:
            self.errors.append(error)

        self.client = self.run(nats.connect(f"nats://127.0.0.1:{port}", error_cb=failed))
        self.subject = f"orders{uuid.uuid4().hex[:8]}"

    def run(self, awaitable: Any) -> Any:
        return self.loop.run_until_complete(awaitable)

    def wait(self, event: asyncio.Event) -> None:
        self.run(asyncio.wait_for(event.wait(), PATIENCE_S))

    def close(self) -> None:
        self.run(self.client.close())
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


@pytest.fixture
def connection(spans: Spans, nats_port: int) -> Iterator[Connection]:
    connection = Connection(nats_port)
    yield connection
    connection.close()


class Core(Peer):
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.subject = connection.subject
        self.subscription = connection.run(connection.client.subscribe(self.subject))
        self.outstanding = 0

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.connection.run(self.connection.client.publish(self.subject, body, headers=headers))
        self.outstanding += 1

    def receive(self) -> bytes | None:
        timeout = PATIENCE_S if self.outstanding else 0.01
        with suppress(nats.errors.TimeoutError):
            message = self.connection.run(self.subscription.next_msg(timeout))
            self.outstanding -= 1
            body: bytes = message.data
            return body
        return None


class JetStream(Peer):
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.subject = connection.subject
        self.stream = self.subject.upper()
        self.context = connection.client.jetstream()
        connection.run(self.context.add_stream(name=self.stream, subjects=[self.subject], storage="memory"))
        self.pull = connection.run(self.context.pull_subscribe(self.subject, "reading"))
        self.outstanding = 0
        self.work: asyncio.Queue[Any] | None = None

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.connection.run(self.context.publish(self.subject, body, headers=headers))
        self.outstanding += 1

    def receive(self) -> bytes | None:
        timeout = PATIENCE_S if self.outstanding else 0.01
        with suppress(nats.errors.TimeoutError):
            (message,) = self.connection.run(self.pull.fetch(1, timeout))
            self.outstanding -= 1
            body: bytes = message.data
            return body
        return None

    def process(self, work: Any) -> None:
        self.connection.run(self._processed(work))

    async def _processed(self, work: Any) -> None:
        if self.work is None:
            self.work = asyncio.Queue()
            await self.context.subscribe(self.subject, cb=self._on_message, manual_ack=True)
        done = asyncio.Event()
        self.work.put_nowait((work, done))
        await asyncio.wait_for(done.wait(), PATIENCE_S)

    async def _on_message(self, message: Any) -> None:
        assert self.work is not None
        work, done = await self.work.get()
        await message.ack()
        done.set()
        work(message.data)

    def close(self) -> None:
        self.connection.run(self.context.delete_stream(self.stream))


class TestCore(MessagingContract):
    system = "nats"
    receives = "next_msg"
    processes = None  # what is sent before a callback is there is lost

    @pytest.fixture
    def peer(self, connection: Connection) -> Core:
        return Core(connection)

    def destination(self, peer: Core) -> str:
        return peer.subject


class TestJetStream(MessagingContract):
    system = "nats"
    receives = "fetch"

    @pytest.fixture
    def peer(self, connection: Connection, spans: Spans) -> Iterator[JetStream]:
        peer = JetStream(connection)
        spans.clear()
        yield peer
        peer.close()

    def destination(self, peer: JetStream) -> str:
        return peer.subject

    def test_acknowledging_is_a_client_span(self, spans: Spans, peer: JetStream) -> None:
        for body in (b"one", b"two", b"three"):
            peer.send(body)
        first, second, third = peer.connection.run(peer.pull.fetch(3, PATIENCE_S))
        for made in (first.ack(), second.nak(), third.ack_sync(timeout=PATIENCE_S)):
            peer.connection.run(made)
        settled = self.of_type(spans, "settle")
        assert [span.name for span in settled] == [f"{word} {peer.subject}" for word in ("ack", "nak", "ack_sync")]
        assert {span.kind for span in settled} == {"CLIENT"}
        assert {span.attributes["messaging.consumer.group.name"] for span in settled} == {"reading"}
        assert len(self.of_type(spans, "send")) == 3

    def test_a_batch_is_one_span_with_a_link_for_each(self, spans: Spans, peer: JetStream) -> None:
        peer.send(b"one")
        peer.send(b"two")
        assert len(peer.connection.run(peer.pull.fetch(2, PATIENCE_S))) == 2
        receive = self.only(spans, "receive")
        assert receive.attributes["messaging.batch.message_count"] == 2
        assert [link.span_id for link in receive.links] == [span.span_id for span in self.of_type(spans, "send")]

    def test_what_comes_again_is_linked_again(self, spans: Spans, peer: JetStream) -> None:
        peer.send(b"one")
        (message,) = peer.connection.run(peer.pull.fetch(1, PATIENCE_S))
        peer.connection.run(message.nak())
        peer.connection.run(peer.pull.fetch(1, PATIENCE_S))
        first, second = self.of_type(spans, "receive")
        assert [link.span_id for link in first.links] == [link.span_id for link in second.links]
        assert first.attributes["messaging.consumer.group.name"] == "reading"

    def test_a_publish_that_is_acknowledged_later_ends_with_that(self, spans: Spans, peer: JetStream) -> None:
        async def publishing() -> Any:
            return await (await peer.context.publish_async(peer.subject, b"one"))

        acknowledged = peer.connection.run(publishing())
        assert acknowledged.stream == peer.stream
        assert [span.name for span in spans] == [f"publish_async {peer.subject}"]
        peer.outstanding += 1
        assert peer.receive() == b"one"
        assert len(self.only(spans, "receive").links) == 1

    def test_a_subject_that_no_stream_has_is_an_error(self, spans: Spans, peer: JetStream) -> None:
        with pytest.raises(nats.js.errors.NoStreamResponseError):
            peer.connection.run(peer.context.publish("nowhere", b"one"))
        send = self.only(spans, "send")
        assert (send.status, send.attributes["error.type"]) == ("ERROR", "nats.js.errors.NoStreamResponseError")

    def test_buckets_are_no_messages(self, spans: Spans, peer: JetStream) -> None:
        async def storing() -> bytes:
            bucket = await peer.context.create_key_value(bucket=peer.stream)
            await bucket.put("price", b"3")
            found: bytes = (await bucket.get("price")).value
            await peer.context.delete_key_value(peer.stream)
            return found

        assert peer.connection.run(storing()) == b"3"
        assert list(spans) == []


def of_type(spans: Spans, operation_type: str) -> list[Any]:
    return MessagingContract.of_type(spans, operation_type)


class Handler:
    """A program's own object whose method is the callback."""

    def __init__(self) -> None:
        self.done = asyncio.Event()
        self.got: list[Any] = []

    async def on_message(self, message: Any) -> None:
        self.got.append(message)
        self.done.set()


def test_a_method_as_callback_and_a_pattern_as_subject(spans: Spans, connection: Connection) -> None:
    handler = Handler()
    client = connection.client
    with trace.get_tracer("test").start_as_current_span("subscribing"):
        connection.run(client.subscribe(f"{connection.subject}.*", "workers", handler.on_message))
    connection.run(client.publish(f"{connection.subject}.new", b"one"))
    connection.wait(handler.done)
    (send,) = of_type(spans, "send")
    (process,) = of_type(spans, "process")
    assert process.name == f"process {connection.subject}.*"
    assert process.attributes["messaging.destination.name"] == f"{connection.subject}.new"
    assert process.attributes["messaging.consumer.group.name"] == "workers"
    assert (process.parent_id, [link.span_id for link in process.links]) == (None, [send.span_id])
    assert process.trace_id != spans.named("subscribing")[0].trace_id


def test_a_partial_as_callback_and_its_failure(spans: Spans, connection: Connection) -> None:
    done = asyncio.Event()

    async def failing(told: asyncio.Event, _: Any) -> None:
        told.set()
        raise WorkError("no")

    callback = functools.partial(failing, done)
    subscription = connection.run(connection.client.subscribe(connection.subject, cb=callback))
    connection.run(connection.client.publish(connection.subject, b"one"))
    connection.wait(done)
    (process,) = of_type(spans, "process")
    assert process.status == "ERROR"
    connection.run(subscription.drain())
    assert [type(error) for error in connection.errors] == [WorkError]


def test_what_is_no_coroutine_function_is_refused_as_ever(spans: Spans, connection: Connection) -> None:
    with pytest.raises(nats.errors.Error, match="must use coroutine"):
        connection.run(connection.client.subscribe(connection.subject, cb=lambda message: None))


def test_a_request_is_one_span_and_its_answer_another_ones(spans: Spans, connection: Connection) -> None:
    async def answering(message: Any) -> None:
        await message.respond(b"four")

    client = connection.client
    subscription = connection.run(client.subscribe(connection.subject, cb=answering))
    answer = connection.run(client.request(connection.subject, b"two and two", timeout=PATIENCE_S))
    assert answer.data == b"four"
    connection.run(subscription.drain())
    (reply,) = (span for span in of_type(spans, "send") if "messaging.destination.temporary" in span.attributes)
    (request,) = (span for span in of_type(spans, "send") if span is not reply)
    (process,) = of_type(spans, "process")
    assert request.name == f"request {connection.subject}"
    assert [link.span_id for link in process.links] == [request.span_id]
    assert reply.parent_id == process.span_id
    assert reply.attributes["messaging.destination.temporary"] is True
    assert reply.attributes["messaging.destination.name"].startswith("_INBOX.")
    assert reply.name.startswith("publish 127.0.0.1:")
    points = spans.metrics.named("messaging.client.sent.messages")
    assert not [point for point in points if "_INBOX" in repr(point.attributes)]


def test_a_request_that_nobody_answers_is_an_error(spans: Spans, connection: Connection) -> None:
    with pytest.raises(nats.errors.NoRespondersError):
        connection.run(connection.client.request(connection.subject, b"one", timeout=PATIENCE_S))
    (request,) = of_type(spans, "send")
    assert request.attributes["error.type"] == "nats.errors.NoRespondersError"


def test_an_old_style_request_carries_no_headers_of_the_program_but_a_trace(
    spans: Spans, connection: Connection
) -> None:
    async def answering(message: Any) -> None:
        await message.respond(b"four")

    subscription = connection.run(connection.client.subscribe(connection.subject, cb=answering))
    asking = connection.client.request(connection.subject, b"one", timeout=PATIENCE_S, old_style=True)
    assert connection.run(asking).data == b"four"
    connection.run(subscription.drain())
    (process,) = of_type(spans, "process")
    assert len(process.links) == 1


def test_an_iterated_subscription_gives_a_receive_for_each_and_leaves_nothing_current(
    spans: Spans, connection: Connection
) -> None:
    async def iterating() -> None:
        subscription = await connection.client.subscribe(connection.subject, max_msgs=2)
        for body in (b"one", b"two"):
            await connection.client.publish(connection.subject, body)
        await subscription.unsubscribe(2)
        async for message in subscription.messages:
            assert message.data
            assert not trace.get_current_span().get_span_context().is_valid

    connection.run(asyncio.wait_for(iterating(), PATIENCE_S))
    received = of_type(spans, "receive")
    assert [span.name for span in received] == [f"next_msg {connection.subject}"] * 2
    assert [len(span.links) for span in received] == [1, 1]


@pytest.mark.parametrize("by_position", [True, False])
def test_headers_are_used_again_and_again(spans: Spans, connection: Connection, by_position: bool) -> None:
    headers = {"shop": "north"}
    peer = Core(connection)
    for _ in range(2):
        if by_position:
            connection.run(connection.client.publish(peer.subject, b"one", "", headers))
        else:
            connection.run(connection.client.publish(peer.subject, b"one", headers=headers))
        message = connection.run(peer.subscription.next_msg(PATIENCE_S))
        assert message.headers["shop"] == "north"
        assert message.headers["traceparent"] != CALLERS
    assert headers == {"shop": "north"}
    assert [span.links for span in of_type(spans, "send")] == [[], []]


def test_no_message_becomes_too_large_by_its_trace(spans: Spans, connection: Connection) -> None:
    peer = Core(connection)
    peer.send(b"x" * (connection.client.max_payload - 10))
    message = connection.run(peer.subscription.next_msg(PATIENCE_S))
    assert not message.headers
    assert not connection.errors
