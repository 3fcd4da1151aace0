"""taskiq by a list in Redis, and in memory."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from plugins.messaging.contract import MessagingContract, Peer, WorkError, message_parent  # noqa: F401 - a fixture

taskiq = pytest.importorskip("taskiq")
taskiq_redis = pytest.importorskip("taskiq_redis")

from taskiq.receiver import Receiver  # noqa: E402 - only where it is installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans


class Queue(Peer):
    def __init__(self, port: int, *middlewares: Any) -> None:
        self.name = f"remora-taskiq-{os.getpid()}"
        self.loop = asyncio.new_event_loop()
        self.broker = taskiq_redis.ListQueueBroker(f"redis://127.0.0.1:{port}/9", queue_name=self.name)
        self.broker.add_middlewares(*middlewares)

        async def run(body: str) -> None:
            self.work(body.encode())

        self.task = self.broker.register_task(run, task_name="run", retry_on_error=True, max_retries=2)
        self.runs(self.broker.startup())

    def runs(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> Any:
        return self.runs(self.task.kicker().with_labels(**(headers or {})).kiq(body.decode()))

    def process(self, work: Any) -> None:
        self.work = work

        async def one() -> None:
            messages = self.broker.listen()
            receiver = Receiver(self.broker, max_async_tasks=1)
            await receiver.callback(await anext(messages))
            await messages.aclose()

        self.runs(one())

    def close(self) -> None:
        from redis.asyncio import Redis

        self.runs(Redis(connection_pool=self.broker.connection_pool).delete(self.name))
        self.runs(self.broker.shutdown())
        self.loop.close()


@pytest.fixture
def peer(redis_port: int) -> Iterator[Queue]:
    queue = Queue(redis_port, taskiq.SimpleRetryMiddleware())
    yield queue
    queue.close()


class TestTaskiq(MessagingContract):
    system = "redis"
    sends = "kiq"
    receives = None

    def destination(self, peer: Queue) -> str:
        return peer.name

    # The queue retries what fails, so that there is one more send.
    def test_a_failure_while_processing_is_told_and_stays_the_programs(self, spans: Spans, peer: Queue) -> None:
        peer.broker.middlewares.clear()
        super().test_a_failure_while_processing_is_told_and_stays_the_programs(spans, peer)


def test_a_retry_is_below_the_run_that_failed_and_linked_to_the_first_send(spans: Spans, peer: Queue) -> None:
    peer.send(b"one")

    def fail(body: bytes) -> None:
        raise WorkError

    peer.process(fail)
    peer.process(lambda body: None)
    first, again = MessagingContract.of_type(spans, "send")
    failed, done = MessagingContract.of_type(spans, "process")
    assert (failed.status, done.status) == ("ERROR", "UNSET")
    assert again.parent_id == failed.span_id
    for span in (again, failed, done):
        assert [link.span_id for link in span.links] == [first.span_id]


def test_a_kicker_is_used_again_and_again(spans: Spans, peer: Queue) -> None:
    kicker = peer.task.kicker().with_labels(shop="north")
    for _ in range(2):
        peer.runs(kicker.kiq("one"))
    assert "traceparent" not in kicker.labels
    first, second = MessagingContract.of_type(spans, "send")
    assert first.links == second.links == []


def test_a_task_is_known_by_its_id_and_its_function(spans: Spans, peer: Queue) -> None:
    task = peer.send(b"one")
    peer.process(lambda body: None)
    (send,) = MessagingContract.of_type(spans, "send")
    (process,) = MessagingContract.of_type(spans, "process")
    assert process.attributes["messaging.message.id"] == task.task_id
    for span in (send, process):
        assert span.attributes["code.function.name"].endswith(".run")


def test_a_task_with_a_queue_of_its_own_is_named_for_that(spans: Spans, peer: Queue) -> None:
    peer.runs(peer.task.kicker().with_labels(queue_name=peer.name + "-own").kiq("one"))
    (send,) = MessagingContract.of_type(spans, "send")
    assert send.name == f"kiq {peer.name}-own"

    async def drop() -> None:
        from redis.asyncio import Redis

        await Redis(connection_pool=peer.broker.connection_pool).delete(peer.name + "-own")

    peer.runs(drop())


@pytest.mark.parametrize("kind", ["coroutine", "function"])
def test_in_memory_the_task_runs_in_the_trace_of_who_sent_it(spans: Spans, kind: str) -> None:
    async def one() -> None:
        broker = taskiq.InMemoryBroker(await_inplace=True)

        async def waits(body: str) -> None:
            pass

        def works(body: str) -> None:
            pass

        task = broker.register_task(waits if kind == "coroutine" else works, task_name="run")
        await broker.startup()
        await task.kiq("one")
        await broker.shutdown()

    asyncio.run(one())
    (send,) = MessagingContract.of_type(spans, "send")
    (process,) = MessagingContract.of_type(spans, "process")
    assert (send.name, process.name) == ("kiq run", "process run")
    assert process.attributes["messaging.system"] == "taskiq"
    assert process.parent_id == send.span_id


def test_a_send_that_fails_is_an_error(spans: Spans, peer: Queue) -> None:
    class Refusing(taskiq.InMemoryBroker):  # type: ignore[misc, name-defined]
        async def kick(self, message: Any) -> None:
            raise ConnectionError

    with pytest.raises(taskiq.SendTaskError):
        peer.runs(peer.task.kicker().with_broker(Refusing()).kiq("one"))
    (send,) = MessagingContract.of_type(spans, "send")
    assert send.attributes["error.type"] == "taskiq.exceptions.SendTaskError"
