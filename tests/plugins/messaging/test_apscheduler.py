"""APScheduler 3 with its schedulers and executors: threads, processes, asyncio, and the one for debugging."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace

from plugins.messaging.contract import MessagingContract, WorkError
from support.processes import environment
from support.receiver import Receiver

apscheduler = pytest.importorskip("apscheduler")

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, EVENT_JOB_MISSED  # noqa: E402 - only where it is
from apscheduler.executors.debug import DebugExecutor  # noqa: E402
from apscheduler.schedulers.asyncio import AsyncIOScheduler  # noqa: E402
from apscheduler.schedulers.background import BackgroundScheduler  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from remora.testing import CollectedSpan, Spans


def _works(size: int = 1) -> int:
    with trace.get_tracer("test").start_as_current_span("work"):
        return size


def _fails() -> None:
    raise WorkError("password=hunter2")


def _run(job: Any, executor: Any = None, **options: Any) -> Any:
    """The event of one run by a scheduler that is started while a span is current."""
    over = threading.Event()
    events: list[Any] = []
    scheduler = BackgroundScheduler(executors={} if executor is None else {"default": executor}, timezone="UTC")

    def told(event: Any) -> None:
        events.append(event)
        over.set()

    scheduler.add_listener(told, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    scheduler.add_job(job, **{"id": "known", "name": "nightly", **options})
    with trace.get_tracer("test").start_as_current_span("start-up"):
        scheduler.start()
    assert over.wait(20)
    scheduler.shutdown()
    return events[0]


def _process(spans: Spans) -> CollectedSpan:
    (process,) = MessagingContract.of_type(spans, "process")
    return process


@pytest.mark.parametrize("executor", [None, DebugExecutor()], ids=["threads", "debug"])
def test_a_run_is_a_trace_of_its_own_named_for_the_job(spans: Spans, executor: Any) -> None:
    assert _run(_works, executor, kwargs={"size": 7}).retval == 7
    process = _process(spans)
    assert (process.name, process.kind, process.parent_id) == ("process nightly", "CONSUMER", None)
    assert process.links == []
    assert process.status == "UNSET"
    assert process.attributes["messaging.system"] == "apscheduler"
    assert process.attributes["messaging.destination.name"] == "nightly"
    assert process.attributes["messaging.message.id"] == "known"
    assert process.attributes["code.function.name"] == f"{_works.__module__}._works"
    assert spans.named("work")[0].parent_id == process.span_id
    assert process.trace_id != spans.named("start-up")[0].trace_id
    (duration,) = spans.metrics.named("messaging.process.duration")
    assert duration.count == 1
    assert spans.metrics.named("messaging.client.consumed.messages") == []


def test_a_failure_is_told_and_stays_the_programs(spans: Spans) -> None:
    event = _run(_fails)
    assert type(event.exception) is WorkError
    process = _process(spans)
    assert process.status == "ERROR"
    assert process.attributes["error.type"].endswith(".WorkError")
    assert "hunter2" not in repr(process.status_description) + repr(process.events)


def test_a_run_that_is_missed_is_no_span(spans: Spans) -> None:
    late = datetime.now(timezone.utc) - timedelta(hours=1)
    event = _run(_works, DebugExecutor(), trigger="date", run_date=late, misfire_grace_time=1)
    assert event.code == EVENT_JOB_MISSED
    assert MessagingContract.of_type(spans, "process") == []


def test_the_coroutine_function_of_an_asyncio_scheduler_is_traced(spans: Spans) -> None:
    async def waits(over: asyncio.Event) -> None:
        await asyncio.sleep(0)
        _works()
        over.set()

    async def main() -> None:
        over = asyncio.Event()
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.add_job(waits, args=(over,), name="nightly")
        with trace.get_tracer("test").start_as_current_span("start-up"):
            scheduler.start()
        await asyncio.wait_for(over.wait(), 20)
        await asyncio.sleep(0)
        scheduler.shutdown()

    asyncio.run(main())
    process = _process(spans)
    assert (process.name, process.parent_id) == ("process nightly", None)
    assert spans.named("work")[0].parent_id == process.span_id


def test_jobs_in_a_pool_of_processes_deliver_their_spans(tmp_path: Path) -> None:
    program = tmp_path / "scheduled.py"
    program.write_text(
        "import os, threading\n"
        "from apscheduler.schedulers.background import BackgroundScheduler\n"
        "from apscheduler.executors.pool import ProcessPoolExecutor\n"
        "def job(): return os.getpid()\n"
        "if __name__ == '__main__':\n"
        "    over = threading.Event()\n"
        "    scheduler = BackgroundScheduler(executors={'default': ProcessPoolExecutor(1)}, timezone='UTC')\n"
        "    scheduler.add_listener(lambda event: (print(event.retval), over.set()), 4096 | 8192)\n"
        "    scheduler.add_job(job, name='nightly')\n"
        "    scheduler.start()\n"
        "    over.wait(20)\n"
        "    scheduler.shutdown()\n"
    )
    with Receiver() as receiver:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_METRICS_EXPORTER": "none"}
        done = subprocess.run(
            [sys.executable, os.fspath(program)],
            env=environment(env=env),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        (process,) = [span for span in receiver.spans() if span["name"] == "process nightly"]
    assert process["resource"]["process.pid"] == int(done.stdout)
    assert [line for line in done.stderr.splitlines() if line.startswith("remora:")] == []
