"""arq against Redis."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from plugins.messaging.contract import MessagingContract, Peer, WorkError, message_parent  # noqa: F401 - a fixture

arq = pytest.importorskip("arq")
connections = pytest.importorskip("arq.connections")

# arq asks for redis-py below 6; what it passes to newer ones is deprecated there, and works.
pytestmark = pytest.mark.filterwarnings("ignore:Call to '__init__' function with deprecated usage:DeprecationWarning")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import Spans


class Queue(Peer):
    def __init__(self, port: int, **options: Any) -> None:
        self.name = f"remora-arq-{os.getpid()}"
        self.loop = asyncio.new_event_loop()
        self.given: list[Any] = []
        self.options = options
        settings = connections.RedisSettings("127.0.0.1", port, database=9)
        self.pool = self.runs(arq.create_pool(settings, default_queue_name=self.name, **options))

    def runs(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> Any:
        assert headers is None
        return self.runs(self.pool.enqueue_job("run", body.decode()))

    def process(self, work: Any) -> None:
        async def run(context: Any, body: str, **more: Any) -> None:
            self.given.append((body, more))
            work(body.encode())

        async def one() -> None:
            worker = arq.Worker(
                [arq.func(run, name="run", keep_result=0, max_tries=2)],
                queue_name=self.name,
                redis_pool=self.pool,
                burst=True,
                max_burst_jobs=1,
                max_jobs=1,
                poll_delay=0.01,
                handle_signals=False,
                **self.options,
            )
            await worker.async_run()

        self.runs(one())

    def close(self) -> None:
        async def cleared() -> None:
            await self.pool.delete(self.name, *[key async for key in self.pool.scan_iter("arq:*")])
            await self.pool.aclose(close_connection_pool=True)

        self.runs(cleared())
        self.loop.close()


@pytest.fixture
def peer(redis_port: int) -> Iterator[Queue]:
    queue = Queue(redis_port)
    yield queue
    queue.close()


class TestArq(MessagingContract):
    system = "redis"
    sends = "enqueue"
    receives = None
    # A job has no headers into which a program could put anything.
    test_a_context_that_the_program_put_in_stays_and_is_linked = None  # type: ignore[assignment]
    test_headers_of_the_program_arrive_and_the_object_it_sent_is_untouched = None  # type: ignore[assignment]

    def destination(self, peer: Queue) -> str:
        return peer.name


def test_the_function_is_given_its_own_arguments_only(spans: Spans, peer: Queue) -> None:
    job = peer.runs(peer.pool.enqueue_job("run", "one", size=2, _job_id="known"))
    assert peer.runs(job.info()).kwargs == {"size": 2}
    peer.process(lambda body: None)
    assert peer.given == [("one", {"size": 2})]
    (process,) = MessagingContract.of_type(spans, "process")
    assert process.attributes["messaging.message.id"] == "known"
    assert process.attributes["code.function.name"].endswith("process.<locals>.run")


def test_a_job_that_asks_to_be_run_again_has_not_failed_and_keeps_its_link(spans: Spans, peer: Queue) -> None:
    peer.send(b"one")

    def later(body: bytes) -> None:
        raise arq.Retry

    peer.process(later)
    peer.process(lambda body: None)
    (send,) = MessagingContract.of_type(spans, "send")
    processes = MessagingContract.of_type(spans, "process")
    assert [process.status for process in processes] == ["UNSET", "UNSET"]
    assert [[link.span_id for link in process.links] for process in processes] == [[send.span_id]] * 2


def test_another_serialiser_carries_the_trace(spans: Spans, redis_port: int) -> None:
    queue = Queue(
        redis_port, job_serializer=lambda data: json.dumps(data, default=repr).encode(), job_deserializer=json.loads
    )
    queue.send(b"one")
    queue.process(lambda body: None)
    queue.close()
    (send,) = MessagingContract.of_type(spans, "send")
    (process,) = MessagingContract.of_type(spans, "process")
    assert [link.span_id for link in process.links] == [send.span_id]


def test_a_serialiser_that_knows_arqs_fields_only_is_not_disturbed(spans: Spans, redis_port: int) -> None:
    fields = ("t", "f", "a", "k", "et")

    def serialise(data: dict[str, Any]) -> bytes:
        if set(data) - {*fields, "s", "r", "st", "ft", "q", "id"}:
            raise ValueError(data)
        return json.dumps(data, default=repr).encode()

    queue = Queue(redis_port, job_serializer=serialise, job_deserializer=json.loads)
    queue.send(b"one")
    queue.process(lambda body: None)
    queue.close()
    (process,) = MessagingContract.of_type(spans, "process")
    assert process.links == []


def test_jobs_at_the_same_time_do_not_mix_their_traces(spans: Spans, peer: Queue) -> None:
    async def both() -> None:
        barrier = asyncio.Event()
        waiting: list[str] = []

        async def run(context: Any, body: str) -> None:
            waiting.append(body)
            if len(waiting) == 2:
                barrier.set()
            await barrier.wait()

        await peer.pool.enqueue_job("run", "one", _job_id="a")
        await peer.pool.enqueue_job("run", "two", _job_id="b")
        worker = arq.Worker(
            [arq.func(run, name="run", keep_result=0)],
            queue_name=peer.name,
            redis_pool=peer.pool,
            burst=True,
            poll_delay=0.01,
            handle_signals=False,
        )
        await worker.async_run()

    peer.runs(both())
    sends = {span.span_id for span in MessagingContract.of_type(spans, "send")}
    processes = MessagingContract.of_type(spans, "process")
    assert len(processes) == 2
    assert {process.parent_id for process in processes} == {None}
    assert {link.span_id for process in processes for link in process.links} == sends


def test_a_cron_job_is_linked_to_its_enqueueing(spans: Spans, peer: Queue) -> None:
    async def nightly(context: Any) -> None:
        pass

    async def one() -> None:
        worker = arq.Worker(
            [],
            cron_jobs=[arq.cron(nightly, run_at_startup=True, keep_result=0)],
            queue_name=peer.name,
            redis_pool=peer.pool,
            burst=True,
            max_burst_jobs=1,
            poll_delay=0.01,
            handle_signals=False,
        )
        await worker.async_run()

    peer.runs(one())
    (send,) = MessagingContract.of_type(spans, "send")
    (process,) = MessagingContract.of_type(spans, "process")
    assert [link.span_id for link in process.links] == [send.span_id]
