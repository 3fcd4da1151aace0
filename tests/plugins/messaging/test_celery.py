"""Celery: tasks sent to workers of this process (by kombu's memory transport) and of others, and run in place."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, context, trace

from plugins.messaging.contract import MessagingContract
from remora.conventions import messaging
from remora.testing import collect
from support.processes import output, running, stop, wait_until
from support.receiver import Receiver

pytest.importorskip("celery")

from celery import chain, chord
from celery.beat import Scheduler
from celery.contrib.testing.worker import start_worker

from plugins.messaging import celery_tasks
from plugins.messaging.celery_tasks import (
    add,
    again,
    app,
    at_the_second_time,
    fail,
    flaky,
    headers,
    sends_another,
    tenant,
    total,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import CollectedSpan, Spans

QUEUE = "remora-celery"
TASK = "celery.task.name"


@pytest.fixture(scope="module")
def worker() -> Iterator[None]:
    """A worker in a thread of this process, which runs one task after the other."""
    with collect():
        pass  # Remora comes first, as it does with a launch
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=20):
        yield


@pytest.fixture
def eager() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def continued() -> Iterator[None]:
    """REMORA_MESSAGE_PARENT=true."""
    messaging.configure(True)
    yield
    messaging.configure(False)


def finished(spans: Spans, count: int) -> list[CollectedSpan]:
    """The spans of tasks that ran: a task's result is there a little before its span is over."""
    wait_until(f"{count} tasks", lambda: len(MessagingContract.of_type(spans, "process")) >= count)
    return MessagingContract.of_type(spans, "process")


def sent(spans: Spans) -> list[CollectedSpan]:
    return [span for span in MessagingContract.of_type(spans, "send") if TASK in span.attributes]


def links(span: CollectedSpan) -> list[tuple[str, str]]:
    return [(link.trace_id, link.span_id) for link in span.links]


def identity(span: CollectedSpan) -> tuple[str, str]:
    return span.trace_id, span.span_id


def test_a_task_is_one_send_and_one_process_in_a_trace_of_its_own(spans: Spans, worker: None) -> None:
    with trace.get_tracer("test").start_as_current_span("around"):
        result = add.delay(1, 2)
    assert result.get(timeout=10) == 3
    (process,) = finished(spans, 1)
    (send,) = sent(spans)
    (around,) = spans.named("around")
    assert (send.name, send.kind, send.parent_id) == (f"publish {QUEUE}", "PRODUCER", around.span_id)
    assert (process.name, process.kind, process.parent_id) == (f"process {QUEUE}", "CONSUMER", None)
    assert process.trace_id != send.trace_id
    assert links(process) == [identity(send)]
    for span in (send, process):
        assert span.status == "UNSET"
        assert span.attributes["messaging.system"] == "memory"
        assert span.attributes["messaging.destination.name"] == QUEUE
        assert span.attributes["messaging.message.id"] == result.id
        assert span.attributes[TASK].endswith("celery_tasks.add")
    assert process.attributes["code.function.name"].endswith("celery_tasks.add")
    assert process.attributes["celery.task.state"] == "SUCCESS"


def test_a_task_continues_the_senders_trace_where_that_is_asked_for(
    spans: Spans, worker: None, continued: None
) -> None:
    add.delay(1, 2).get(timeout=10)
    (process,) = finished(spans, 1)
    (send,) = sent(spans)
    assert (process.trace_id, process.parent_id, links(process)) == (send.trace_id, send.span_id, [])


def test_what_a_task_does_is_below_it_and_so_is_what_it_sends(spans: Spans, worker: None) -> None:
    sends_another.delay()
    first, second = finished(spans, 2)
    _, inner = sent(spans)
    assert (inner.trace_id, inner.parent_id) == identity(first)
    assert links(second) == [identity(inner)]
    (work_span,) = spans.named("work")
    assert (work_span.trace_id, work_span.parent_id) == identity(second)


def test_nothing_of_a_task_is_left_for_the_next(spans: Spans, worker: None) -> None:
    for _ in range(3):
        work.delay()
    processes = finished(spans, 3)
    assert {process.parent_id for process in processes} == {None}
    assert len({process.trace_id for process in processes}) == 3
    assert [links(process) for process in processes] == [[identity(send)] for send in sent(spans)]


def test_a_failure_is_told_and_redacted(spans: Spans, worker: None) -> None:
    with pytest.raises(ValueError, match="hunter2"):
        fail.delay().get(timeout=10)
    (process,) = finished(spans, 1)
    assert (process.status, process.attributes["error.type"]) == ("ERROR", "ValueError")
    assert process.attributes["celery.task.state"] == "FAILURE"
    (event,) = process.events
    assert event.attributes["exception.type"] == "ValueError"
    assert "in fail" in event.attributes["exception.stacktrace"]
    assert "hunter2" not in repr((process.status_description, event, process.attributes))


def test_two_retries_and_a_success_are_three_sends_and_three_runs(spans: Spans, worker: None) -> None:
    assert flaky.delay().get(timeout=10) == 2
    first, second, third = finished(spans, 3)
    sends = sent(spans)
    assert [links(process) for process in (first, second, third)] == [[identity(send)] for send in sends]
    assert [send.kind for send in sends] == ["PRODUCER"] * 3
    assert [send.parent_id for send in sends] == [None, first.span_id, second.span_id]
    assert [process.status for process in (first, second, third)] == ["ERROR", "ERROR", "UNSET"]
    assert [process.attributes.get("error.type") for process in (first, second, third)] == ["KeyError"] * 2 + [None]
    assert [process.attributes["celery.task.state"] for process in (first, second, third)] == [
        "RETRY",
        "RETRY",
        "SUCCESS",
    ]
    assert [process.attributes.get("celery.task.retries") for process in (first, second, third)] == [None, 1, 2]


def test_a_task_that_asks_to_be_run_again_has_not_failed(spans: Spans, worker: None) -> None:
    again.delay()
    assert [process.status for process in finished(spans, 2)] == ["UNSET", "UNSET"]


def test_a_task_that_is_delivered_again_is_run_again_for_the_same_send(spans: Spans, worker: None) -> None:
    assert at_the_second_time.delay().get(timeout=10) == "done"
    first, second = finished(spans, 2)
    (send,) = sent(spans)
    assert links(first) == links(second) == [identity(send)]
    assert [span.status for span in (first, second)] == ["UNSET", "UNSET"]
    assert [span.attributes["celery.task.state"] for span in (first, second)] == ["REJECTED", "SUCCESS"]


def test_each_time_that_beat_sends_a_task_is_a_trace_of_its_own(spans: Spans, worker: None) -> None:
    scheduler = Scheduler(app=app, lazy=True)
    entry = scheduler.Entry(name="each second", task=work.name, schedule=1.0, app=app)
    for _ in range(2):
        scheduler.apply_async(entry)
    assert [links(process) for process in finished(spans, 2)] == [[identity(send)] for send in sent(spans)]
    assert [send.parent_id for send in sent(spans)] == [None, None]
    assert len({span.trace_id for span in spans}) == 4


def test_a_chain_is_sent_from_step_to_step(spans: Spans, worker: None) -> None:
    result = chain(add.s(1, 2), add.s(3), add.s(4))()
    assert result.get(timeout=10) == 10
    first, second, third = finished(spans, 3)
    sends = sent(spans)
    assert [links(process) for process in (first, second, third)] == [[identity(send)] for send in sends]
    assert [send.parent_id for send in sends] == [None, first.span_id, second.span_id]
    assert {process.attributes["messaging.message.conversation_id"] for process in (first, second, third)} == {
        sends[0].attributes["messaging.message.id"]
    }


def test_a_chord_s_body_is_sent_by_the_last_of_its_header(spans: Spans, worker: None) -> None:
    result = chord([add.s(1, 1), add.s(2, 2)])(total.s())
    assert result.get(timeout=10) == 6
    processes = finished(spans, 3)
    sends = sent(spans)
    assert len(sends) == 3
    assert [span.attributes[TASK].rpartition(".")[2] for span in processes] == ["add", "add", "total"]
    assert sends[2].parent_id == processes[1].span_id
    assert links(processes[2]) == [identity(sends[2])]


def test_headers_of_the_program_arrive_and_its_dict_is_untouched(spans: Spans, worker: None) -> None:
    given = {"shop": "north"}
    assert headers.apply_async(headers=given).get(timeout=10) == "north"
    assert given == {"shop": "north"}


def test_a_context_that_the_program_put_in_stays_and_is_linked(spans: Spans, worker: None) -> None:
    given = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    add.apply_async((1, 2), headers=given).get(timeout=10)
    callers = [("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")]
    assert links(finished(spans, 1)[0]) == links(sent(spans)[0]) == callers


def test_tasks_by_the_older_protocol_are_linked(spans: Spans, worker: None) -> None:
    app.conf.task_protocol = 1
    app.amqp.__dict__.pop("create_task_message", None)
    try:
        assert add.delay(1, 2).get(timeout=10) == 3
    finally:
        app.conf.task_protocol = 2
        app.amqp.__dict__.pop("create_task_message", None)
    (process,) = finished(spans, 1)
    assert links(process) == [identity(span) for span in MessagingContract.of_type(spans, "send")]


def test_baggage_reaches_the_task(spans: Spans, worker: None) -> None:
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    try:
        result = tenant.delay()
    finally:
        context.detach(token)
    assert result.get(timeout=10) == "acme"


def test_the_metrics_of_sending_and_running(spans: Spans, worker: None) -> None:
    add.delay(1, 2).get(timeout=10)
    finished(spans, 1)
    (process,) = spans.metrics.named("messaging.process.duration")
    assert (process.count, process.attributes["messaging.destination.name"]) == (1, QUEUE)
    assert [point.value for point in spans.metrics.named("messaging.client.consumed.messages")] == [1]
    assert sum(point.value or 0 for point in spans.metrics.named("messaging.client.sent.messages")) >= 1


def test_a_task_that_was_revoked_is_sent_and_never_run(spans: Spans, worker: None) -> None:
    from celery.worker.state import revoked

    result = work.apply_async(countdown=0.3)
    result.revoke()
    wait_until("the worker to know", lambda: result.id in revoked)
    wait_until("the task to be discarded", lambda: result.state == "REVOKED")
    assert len(sent(spans)) == 1
    assert MessagingContract.of_type(spans, "process") == []
    assert spans.named("publish celery.pidbox")


def test_an_eager_task_is_sent_and_run_in_one_trace(spans: Spans, eager: None) -> None:
    assert add.delay(1, 2).get() == 3
    (send,) = sent(spans)
    (process,) = MessagingContract.of_type(spans, "process")
    assert (send.name, send.kind) == (f"publish {QUEUE}", "PRODUCER")
    assert (process.name, process.kind) == (f"process {QUEUE}", "CONSUMER")
    assert (process.trace_id, process.parent_id) == identity(send)
    assert {span.attributes["messaging.system"] for span in (send, process)} == {"celery"}
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_failure_of_an_eager_task_stays_the_programs(spans: Spans, eager: None) -> None:
    app.conf.task_eager_propagates = True
    try:
        with pytest.raises(ValueError, match="hunter2") as raised:
            fail.delay()
    finally:
        app.conf.task_eager_propagates = False
    assert not [entry for entry in raised.traceback if "remora_plugins" in str(entry.path)]
    (process,) = MessagingContract.of_type(spans, "process")
    assert (process.status, process.attributes["error.type"]) == ("ERROR", "ValueError")


def worker_command(pool: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "celery_tasks", "worker", "-P", pool, "-c", "2", *options]


def environ(receiver: Receiver, broker: str, results: str, queue: str) -> dict[str, str]:
    return {
        "CELERY_BROKER": broker,
        "CELERY_RESULTS": results,
        "CELERY_QUEUE": queue,
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_METRICS_EXPORTER": "none",
    }


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Returns ``(broker, results) -> (app, queue)``, an application that sends to workers of other processes."""
    from celery import Celery

    apps = []

    def made(broker: str, results: str) -> tuple[Any, str]:
        queue = f"remora-celery-{os.getpid()}-{len(apps)}"
        sender = Celery("sender", broker=broker, backend=results, set_as_current=False)
        sender.conf.task_default_queue = queue
        apps.append(sender)
        return sender, queue

    yield made
    for sender in apps:
        with sender.connection_for_write() as connection:
            queue = sender.conf.task_default_queue
            connection.default_channel.queue_delete(queue)
            if connection.transport.driver_type == "redis":  # kombu leaves what the queue was bound to
                connection.default_channel.client.delete(f"_kombu.binding.{queue}", f"_kombu.binding_permanent.{queue}")
        sender.close()


def tasks_of(receiver: Receiver) -> list[dict[str, Any]]:
    return [span for span in receiver.spans() if span["kind"] == "consumer"]


def test_recycled_and_terminated_prefork_workers_deliver_every_span(
    rabbitmq_port: int, redis_port: int, far: Any
) -> None:
    broker, results = f"amqp://guest:guest@127.0.0.1:{rabbitmq_port}//", f"redis://127.0.0.1:{redis_port}/9"
    sender, queue = far(broker, results)
    with Receiver() as receiver:
        env = environ(receiver, broker, results, queue)
        command = worker_command("prefork", "--max-tasks-per-child=10")
        with running(command, env=env, cwd=Path(celery_tasks.__file__).parent) as process:
            answers = [sender.send_task("celery_tasks.add", (n, n)) for n in range(200)]
            assert [answer.get(timeout=40) for answer in answers] == [2 * n for n in range(200)], output(process)
            assert stop(process, 30) == 0
        ids = [span["attributes"]["messaging.message.id"] for span in tasks_of(receiver)]
        for answer in answers:
            answer.forget()
    assert sorted(ids) == sorted(answer.id for answer in answers)


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_other_pools_over_redis_deliver_every_span(redis_port: int, far: Any, pool: str) -> None:
    broker = f"redis://127.0.0.1:{redis_port}/9"
    sender, queue = far(broker, broker)
    with Receiver() as receiver:
        with running(
            worker_command(pool), env=environ(receiver, broker, broker, queue), cwd=Path(celery_tasks.__file__).parent
        ) as process:
            answers = [sender.send_task("celery_tasks.headers") for _ in range(5)]
            assert [answer.get(timeout=40) for answer in answers] == [None] * 5, output(process)
            assert stop(process, 30) == 0
        spans = tasks_of(receiver)
        for answer in answers:
            answer.forget()
    assert sorted(span["attributes"]["messaging.message.id"] for span in spans) == sorted(
        answer.id for answer in answers
    )
    assert {span["attributes"]["messaging.system"] for span in spans} == {"redis"}
    assert {span["attributes"]["server.address"] for span in spans} == {"127.0.0.1"}
    assert len({span["trace_id"] for span in spans}) == 5
