"""Huey in Redis, in SQLite and in memory."""

from __future__ import annotations

import os
import pickle
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import MessagingContract, Peer, WorkError, message_parent  # noqa: F401 - a fixture

huey = pytest.importorskip("huey")
pytest.importorskip("redis")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remora.testing import Spans


class Queue(Peer):
    def __init__(self, broker: Any) -> None:
        self.broker = broker
        self.name = broker.name
        self.task = broker.task(name="run")(self._run)
        self.later = broker.task(name="again", retries=1)(self._run)

    def _run(self, body: bytes) -> None:
        self.work(body)

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> Any:
        assert headers is None
        return self.task(body)

    def process(self, work: Any) -> None:
        """What a worker of the consumer does with the next task."""
        self.work = work
        self.broker.execute(self.broker.dequeue())


@pytest.fixture
def redis(redis_port: int) -> Iterator[Queue]:
    broker = huey.RedisHuey(f"remora-huey-{os.getpid()}", host="127.0.0.1", port=redis_port, db=9, blocking=False)
    broker.flush()
    yield Queue(broker)
    broker.flush()
    broker.storage.conn.close()


@pytest.fixture
def memory() -> Queue:
    return Queue(huey.MemoryHuey("remora"))


class TestHuey(MessagingContract):
    system = "redis"
    sends = "enqueue"
    receives = None
    # A task has no headers into which a program could put anything.
    test_a_context_that_the_program_put_in_stays_and_is_linked = None  # type: ignore[assignment]
    test_headers_of_the_program_arrive_and_the_object_it_sent_is_untouched = None  # type: ignore[assignment]

    def destination(self, peer: Queue) -> str:
        return peer.name

    @pytest.fixture
    def peer(self, redis: Queue) -> Queue:
        return redis


@pytest.mark.parametrize(
    "options", [{}, {"compression": True}, {"compression": True, "use_zlib": True}, {"signed": "secret"}]
)
def test_every_serialiser_of_hueys_own_carries_the_trace(spans: Spans, tmp_path: Path, options: dict[str, Any]) -> None:
    secret = options.pop("signed", None)
    serializer = huey.serializer.SignedSerializer(secret=secret) if secret else None
    queue = Queue(huey.SqliteHuey("remora", filename=str(tmp_path / "huey.db"), serializer=serializer, **options))
    queue.send(b"one")
    queue.process(lambda body: None)
    queue.broker.storage.close()
    (send,) = MessagingContract.of_type(spans, "send")
    (process,) = MessagingContract.of_type(spans, "process")
    assert send.attributes["messaging.system"] == "huey"
    assert [link.span_id for link in process.links] == [send.span_id]


def test_a_worker_without_remora_reads_the_message(spans: Spans, memory: Queue) -> None:
    memory.send(b"one")
    message = pickle.loads(memory.broker.storage.dequeue())
    assert message.args == (b"one",)
    assert message.kwargs == {}
    assert len(MessagingContract.of_type(spans, "send")) == 1


def test_a_serialiser_that_does_not_pickle_carries_nothing_and_works(spans: Spans) -> None:
    kept: list[Any] = []

    class Plain(huey.serializer.Serializer):  # type: ignore[misc, name-defined]
        def _serialize(self, data: Any) -> bytes:
            kept.append(data)
            return b"%d" % (len(kept) - 1)

        def _deserialize(self, data: bytes) -> Any:
            return kept[int(data)]

    queue = Queue(huey.MemoryHuey("remora", serializer=Plain()))
    queue.send(b"one")
    queue.process(lambda body: None)
    (process,) = MessagingContract.of_type(spans, "process")
    assert process.links == []


def test_a_task_is_known_by_its_id_and_its_function(spans: Spans, memory: Queue) -> None:
    result = memory.send(b"one")
    memory.process(lambda body: None)
    for kind in ("send", "process"):
        (span,) = MessagingContract.of_type(spans, kind)
        assert span.attributes["messaging.message.id"] == result.id
        assert span.attributes["code.function.name"].endswith("test_huey.run")


def test_a_task_is_sent_again_and_again(spans: Spans, memory: Queue) -> None:
    task = memory.task.s(b"one")
    for _ in range(2):
        memory.broker.enqueue(task)
    first, second = MessagingContract.of_type(spans, "send")
    assert first.links == second.links == []


def test_a_retry_is_below_the_run_that_failed_and_linked_to_the_first_send(spans: Spans, memory: Queue) -> None:
    memory.later(b"one")

    def fail(body: bytes) -> None:
        raise WorkError

    memory.process(fail)
    memory.process(lambda body: None)
    first, again = MessagingContract.of_type(spans, "send")
    failed, done = MessagingContract.of_type(spans, "process")
    assert (failed.status, done.status) == ("ERROR", "UNSET")
    assert again.parent_id == failed.span_id
    for span in (again, failed, done):
        assert [link.span_id for link in span.links] == [first.span_id]


def test_a_task_that_asks_to_be_run_again_has_not_failed(spans: Spans, memory: Queue) -> None:
    memory.send(b"one")

    def later(body: bytes) -> None:
        raise huey.exceptions.RetryTask

    memory.process(later)
    (process,) = MessagingContract.of_type(spans, "process")
    assert process.status == "UNSET"


def test_a_task_for_later_keeps_its_link_through_the_schedule(spans: Spans, memory: Queue) -> None:
    eta = datetime.now(timezone.utc) + timedelta(hours=1)
    memory.task.schedule(args=(b"one",), eta=eta)
    memory.process(lambda body: None)
    assert MessagingContract.of_type(spans, "process") == []
    (task,) = memory.broker.read_schedule(eta.replace(tzinfo=None) + timedelta(hours=1))
    memory.work = lambda body: None
    memory.broker.execute(task, task.eta)
    (send,) = MessagingContract.of_type(spans, "send")
    (process,) = MessagingContract.of_type(spans, "process")
    assert [link.span_id for link in process.links] == [send.span_id]


def test_what_a_pipeline_sends_next_is_below_what_was_processed(spans: Spans, memory: Queue) -> None:
    broker = memory.broker
    broker.enqueue(memory.task.s(b"one").then(memory.task.s(b"two")))
    memory.process(lambda body: None)
    memory.process(lambda body: None)
    one, two = MessagingContract.of_type(spans, "send")
    first, second = MessagingContract.of_type(spans, "process")
    assert two.parent_id == first.span_id
    assert [link.span_id for link in first.links] == [one.span_id]
    assert [link.span_id for link in second.links] == [two.span_id]


def test_in_immediate_mode_the_task_runs_within_the_enqueue(spans: Spans) -> None:
    queue = Queue(huey.MemoryHuey("remora", immediate=True))
    queue.work = lambda body: None
    queue.send(b"one")
    (send,) = MessagingContract.of_type(spans, "send")
    (process,) = MessagingContract.of_type(spans, "process")
    assert process.parent_id == send.span_id


def test_a_worker_that_finds_nothing_makes_no_spans(spans: Spans, redis: Queue) -> None:
    spans.clear()  # those of the fixture
    assert redis.broker.dequeue() is None
    assert redis.broker.read_schedule() == []
    assert list(spans) == []


def test_what_the_program_asks_for_in_a_trace_of_its_own_is_told(spans: Spans, redis: Queue) -> None:
    spans.clear()
    with trace.get_tracer("test").start_as_current_span("around"):
        assert redis.broker.dequeue() is None
    assert [span.attributes.get("db.operation.name") for span in spans] == ["RPOP", None]
