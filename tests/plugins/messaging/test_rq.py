"""RQ against Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from plugins.messaging.contract import MessagingContract, Peer, WorkError, message_parent  # noqa: F401 - a fixture
from plugins.messaging.task_functions import doing, run
from support.processes import environment
from support.receiver import Receiver

rq = pytest.importorskip("rq")
redis = pytest.importorskip("redis")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from remora.testing import Spans


class Queue(Peer):
    def __init__(self, connection: Any, name: str) -> None:
        self.connection = connection
        self.name = name
        self.queue = rq.Queue(name, connection=connection)

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.job = self.queue.enqueue(run, body, meta=headers)

    def process(self, work: Any) -> None:
        doing(work)
        worker = rq.SimpleWorker([self.queue], connection=self.connection)
        worker.work(burst=True, max_jobs=1, logging_level="CRITICAL")


@pytest.fixture
def peer(redis_port: int) -> Iterator[Queue]:
    connection = redis.Redis("127.0.0.1", redis_port, db=9)
    queue = Queue(connection, f"remora-rq-{os.getpid()}")
    yield queue
    for key in connection.scan_iter("rq:*"):
        connection.delete(key)
    connection.close()


class TestRq(MessagingContract):
    system = "redis"
    sends = "enqueue"
    receives = None

    def destination(self, peer: Queue) -> str:
        return peer.name


def test_a_job_is_known_by_its_id_and_its_function(spans: Spans, peer: Queue) -> None:
    peer.send(b"one")
    peer.process(lambda body: None)
    for operation_type in ("send", "process"):
        (span,) = MessagingContract.of_type(spans, operation_type)
        assert span.attributes["messaging.message.id"] == peer.job.id
        assert span.attributes["code.function.name"] == f"{run.__module__}.run"


def test_meta_of_the_program_is_used_again_and_again(spans: Spans, peer: Queue) -> None:
    meta = {"shop": "north"}
    jobs = [peer.queue.enqueue(run, b"one", meta=meta) for _ in range(2)]
    assert meta == {"shop": "north"}
    assert [job.meta["shop"] for job in jobs] == ["north", "north"]
    first, second = MessagingContract.of_type(spans, "send")
    assert first.links == second.links == []


def test_a_retry_is_sent_and_processed_again_and_linked_to_the_first(spans: Spans, peer: Queue) -> None:
    peer.queue.enqueue(run, b"one", retry=rq.Retry(max=1))

    def fail(body: bytes) -> None:
        raise WorkError

    peer.process(fail)
    peer.process(lambda body: None)
    first, again = MessagingContract.of_type(spans, "send")
    assert (first.kind, again.kind) == ("PRODUCER", "CLIENT")
    failed, done = MessagingContract.of_type(spans, "process")
    assert (failed.status, done.status) == ("ERROR", "UNSET")
    for span in (again, failed, done):
        assert [link.span_id for link in span.links] == [first.span_id]


def test_many_jobs_are_one_span_and_each_has_the_trace(spans: Spans, peer: Queue) -> None:
    datas = [rq.Queue.prepare_data(run, (body,)) for body in (b"one", b"two")]
    jobs = peer.queue.enqueue_many(datas)
    assert [job.args for job in jobs] == [(b"one",), (b"two",)]
    assert [data.meta for data in datas] == [None, None]
    for _ in jobs:
        peer.process(lambda body: None)
    (send,) = MessagingContract.of_type(spans, "send")
    assert send.attributes["messaging.batch.message_count"] == 2
    processes = MessagingContract.of_type(spans, "process")
    assert [[link.span_id for link in process.links] for process in processes] == [[send.span_id]] * 2


def test_a_scheduled_job_is_linked_to_where_it_was_scheduled(spans: Spans, peer: Queue) -> None:
    job = peer.queue.enqueue_in(timedelta(seconds=-1), run, b"one")
    scheduler = rq.scheduler.RQScheduler([peer.queue], connection=peer.connection)
    scheduler.acquire_locks()
    scheduler.enqueue_scheduled_jobs()
    scheduler.release_locks()
    peer.process(lambda body: None)
    first, again = MessagingContract.of_type(spans, "send")
    assert (first.name, again.name) == (f"schedule {peer.name}", f"enqueue {peer.name}")
    assert first.attributes["messaging.message.id"] == job.id
    (process,) = MessagingContract.of_type(spans, "process")
    assert [link.span_id for link in process.links] == [first.span_id]


def test_a_queue_without_workers_runs_the_job_within_the_enqueue(spans: Spans, peer: Queue) -> None:
    doing(lambda body: None)
    rq.Queue(peer.name, connection=peer.connection, is_async=False).enqueue(run, b"one")
    (send,) = MessagingContract.of_type(spans, "send")
    (process,) = MessagingContract.of_type(spans, "process")
    assert process.parent_id == send.span_id


def test_forked_jobs_deliver_their_spans_whether_they_return_fail_or_are_stopped(
    redis_port: int, peer: Queue, tmp_path: Path
) -> None:
    tmp_path.joinpath("forked_jobs.py").write_text(
        "import os\n"
        "def works(): pass\n"
        "def fails(): raise ValueError('password=hunter2')\n"
        "def leaves():\n"
        "    from opentelemetry import trace\n"
        "    trace.get_tracer('jobs').start_span('inside').end()\n"
        "    os.kill(os.getpid(), 15)\n"
    )
    program = (
        "import redis, rq, forked_jobs\n"
        f"connection = redis.Redis('127.0.0.1', {redis_port}, db=9)\n"
        f"queue = rq.Queue({peer.name!r}, connection=connection)\n"
        "for job in (forked_jobs.works, forked_jobs.fails, forked_jobs.leaves): queue.enqueue(job)\n"
        "rq.Worker([queue], connection=connection).work(burst=True, logging_level='CRITICAL')\n"
    )
    with Receiver() as receiver:
        env = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_METRICS_EXPORTER": "none",
            "PYTHONPATH": str(tmp_path),
        }
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment(env=env),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        spans = receiver.spans()
    sends = [span for span in spans if span["name"] == f"enqueue {peer.name}"]
    processes = [span for span in spans if span["name"] == f"process {peer.name}"]
    assert len(sends) == 3
    assert len([span for span in spans if span["name"] == "inside"]) == 1
    assert {"forked_jobs.works", "forked_jobs.fails"} <= {
        span["attributes"]["code.function.name"] for span in processes
    }
    assert len({span["resource"]["process.pid"] for span in processes} | {sends[0]["resource"]["process.pid"]}) >= 3
    assert [line for line in done.stderr.splitlines() if line.startswith("remora:")] == []


def test_a_worker_that_finds_nothing_makes_no_spans_of_its_polls(spans: Spans, peer: Queue) -> None:
    assert rq.Queue.dequeue_any([peer.queue], None, peer.connection) is None
    assert not [span for span in spans if "POP" in span.name or "MOVE" in span.name]
