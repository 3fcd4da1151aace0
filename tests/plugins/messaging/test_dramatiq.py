"""Dramatiq against RabbitMQ, Redis and its own broker in memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from plugins.messaging.contract import MessagingContract, Peer, WorkError, message_parent  # noqa: F401 - a fixture
from support.processes import environment
from support.receiver import Receiver

dramatiq = pytest.importorskip("dramatiq")
pytest.importorskip("pika")
pytest.importorskip("redis")

from dramatiq.brokers.rabbitmq import RabbitmqBroker  # noqa: E402 - only where it is installed
from dramatiq.brokers.redis import RedisBroker  # noqa: E402
from dramatiq.brokers.stub import StubBroker  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remora.testing import Spans


class Queue(Peer):
    def __init__(self, broker: Any) -> None:
        self.name = f"remora-dramatiq-{os.getpid()}"
        self.broker = broker
        self.ran = threading.Semaphore(0)
        self.actor = dramatiq.actor(self._run, broker=broker, queue_name=self.name, actor_name="run", max_retries=0)
        broker.declare_queue(self.name)
        broker.flush_all()

    def _run(self, body: str) -> None:
        try:
            self.work(body.encode())
        finally:
            self.ran.release()

    def send(self, body: bytes, headers: dict[str, str] | None = None, **options: Any) -> Any:
        return self.actor.send_with_options(args=(body.decode(),), **(headers or {}), **options)

    def process(self, work: Any, times: int = 1) -> None:
        """A worker that is stopped when it has run the actor. It may have run it for the next message, too."""
        self.work = work
        if self.ran.acquire(blocking=False):
            return
        worker = dramatiq.Worker(self.broker, worker_timeout=20, worker_threads=1)
        worker.start()
        try:
            for _ in range(times):
                assert self.ran.acquire(timeout=20)
        finally:
            worker.stop()


@pytest.fixture
def rabbitmq(rabbitmq_port: int) -> Iterator[Queue]:
    queue = Queue(RabbitmqBroker(host="127.0.0.1", port=rabbitmq_port))
    yield queue
    for suffix in ("", ".DQ", ".XQ"):
        queue.broker.channel.queue_delete(queue.name + suffix)
    queue.broker.close()


@pytest.fixture
def redis(redis_port: int) -> Iterator[Queue]:
    queue = Queue(RedisBroker(host="127.0.0.1", port=redis_port, db=9, namespace=f"remora-dramatiq-{os.getpid()}"))
    yield queue
    queue.broker.flush_all()
    queue.broker.client.connection_pool.disconnect()  # those of the worker's threads, too


@pytest.fixture
def stub() -> Iterator[Queue]:
    queue = Queue(StubBroker())
    yield queue
    queue.broker.close()


class _Dramatiq(MessagingContract):
    sends = "enqueue"
    receives = None

    def destination(self, peer: Queue) -> str:
        return peer.name


class TestRabbitmq(_Dramatiq):
    system = "rabbitmq"

    @pytest.fixture
    def peer(self, rabbitmq: Queue) -> Queue:
        return rabbitmq


class TestRedis(_Dramatiq):
    system = "redis"

    @pytest.fixture
    def peer(self, redis: Queue) -> Queue:
        return redis


def test_the_broker_in_memory_has_no_address(spans: Spans, stub: Queue) -> None:
    stub.send(b"one")
    stub.process(lambda body: None)
    send, process = (MessagingContract.of_type(spans, kind)[0] for kind in ("send", "process"))
    assert send.attributes["messaging.system"] == "dramatiq"
    assert "server.address" not in send.attributes
    assert [link.span_id for link in process.links] == [send.span_id]


def test_a_message_is_known_by_its_id_and_its_actors_function(spans: Spans, stub: Queue) -> None:
    message = stub.send(b"one")
    stub.process(lambda body: None)
    for kind in ("send", "process"):
        (span,) = MessagingContract.of_type(spans, kind)
        assert span.attributes["messaging.message.id"] == message.message_id
        assert span.attributes["code.function.name"].endswith(".Queue._run")


def test_a_message_is_used_again_and_again(spans: Spans, stub: Queue) -> None:
    message = stub.actor.message("one")
    for _ in range(2):
        stub.broker.enqueue(message)
    assert message.options == {}
    first, second = MessagingContract.of_type(spans, "send")
    assert first.links == second.links == []


def test_a_retry_is_sent_while_the_first_run_is_processed_and_linked_to_the_first_send(
    spans: Spans, redis: Queue
) -> None:
    outcomes: list[Exception | None] = [WorkError(), None]

    def work(body: bytes) -> None:
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    redis.send(b"one", max_retries=1, min_backoff=1, max_backoff=1)
    redis.process(work, times=2)
    first, *again = MessagingContract.of_type(spans, "send")
    failed, done = MessagingContract.of_type(spans, "process")
    assert (failed.status, done.status) == ("ERROR", "UNSET")
    # Once for the queue of what is delayed, and from there, by another thread, for the actor's own.
    assert sorted(span.parent_id == failed.span_id for span in again) == [False, True]
    for span in (*again, failed, done):
        assert [link.span_id for link in span.links] == [first.span_id]


def test_a_task_that_asks_to_be_run_again_has_not_failed(spans: Spans, stub: Queue) -> None:
    def work(body: bytes) -> None:
        raise dramatiq.errors.Retry("later")

    stub.send(b"one")
    stub.process(work)
    (process,) = MessagingContract.of_type(spans, "process")
    assert process.status == "UNSET"


def test_what_a_pipeline_sends_next_is_below_what_was_processed(spans: Spans, stub: Queue) -> None:
    first, second = stub.actor.message("one"), stub.actor.message_with_options(args=("two",), pipe_ignore=True)
    dramatiq.pipeline([first, second], broker=stub.broker).run()
    stub.process(lambda body: None, times=2)
    one, two = MessagingContract.of_type(spans, "send")
    processes = MessagingContract.of_type(spans, "process")
    assert two.parent_id == processes[0].span_id
    assert [[link.span_id for link in process.links] for process in processes] == [[one.span_id], [two.span_id]]


def test_a_worker_that_finds_nothing_makes_no_spans(spans: Spans, redis: Queue) -> None:
    consumer = redis.broker.consume(redis.name, timeout=1)
    spans.clear()
    assert next(consumer) is None
    assert list(spans) == []


def test_the_processes_of_its_own_command_deliver_their_spans_when_they_are_stopped(
    redis: Queue, redis_port: int, tmp_path: Path
) -> None:
    ran = redis.name + "-ran"
    tmp_path.joinpath("served_actors.py").write_text(
        "import dramatiq\n"
        "from dramatiq.brokers.redis import RedisBroker\n"
        f"broker = RedisBroker(host='127.0.0.1', port={redis_port}, db=9, namespace={redis.broker.namespace!r})\n"
        "dramatiq.set_broker(broker)\n"
        f"@dramatiq.actor(queue_name={redis.name!r}, actor_name='run')\n"
        f"def run(body): broker.client.rpush({ran!r}, body)\n"
    )
    redis.send(b"one")
    with Receiver() as receiver:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_METRICS_EXPORTER": "none",
            "PYTHONPATH": str(tmp_path),
        }
        worker = subprocess.Popen(
            [sys.executable, "-m", "dramatiq", "-p", "1", "-t", "1", "served_actors"],
            cwd=tmp_path,
            env=environment(env=env),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert redis.broker.client.blpop(ran, timeout=20) == (ran.encode(), b"one")
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        (process,) = [span for span in receiver.spans() if span["name"] == f"process {redis.name}"]
    assert process["attributes"]["code.function.name"] == "served_actors.run"
    assert process["resource"]["process.pid"] != worker.pid
