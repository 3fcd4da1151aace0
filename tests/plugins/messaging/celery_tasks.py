"""The Celery application that the tests' workers run; by CELERY_QUEUE, CELERY_BROKER, CELERY_RESULTS."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.exceptions import Reject
from opentelemetry import baggage, trace

app = Celery("celery_tasks")
app.conf.update(
    broker_url=os.environ.get("CELERY_BROKER", "memory://"),
    result_backend=os.environ.get("CELERY_RESULTS", "cache+memory://"),
    task_default_queue=os.environ.get("CELERY_QUEUE", "remora-celery"),
    broker_connection_retry_on_startup=True,
    broker_transport_options={"polling_interval": 0.01},
    worker_hijack_root_logger=False,
)


_refused: set[str] = set()


@app.task
def add(a: int, b: int) -> int:
    return a + b


@app.task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task
def work() -> None:
    with trace.get_tracer("test").start_as_current_span("work"):
        pass


@app.task
def fail() -> None:
    raise ValueError("password=hunter2")


@app.task(bind=True, max_retries=2)
def flaky(self: Any) -> int:
    if self.request.retries < 2:
        try:
            {}["not yet"]
        except KeyError as error:
            raise self.retry(exc=error, countdown=0) from None
    return int(self.request.retries)


@app.task(bind=True, max_retries=1)
def again(self: Any) -> None:
    if not self.request.retries:
        raise self.retry(countdown=0)


@app.task
def sends_another() -> None:
    work.delay()


@app.task(bind=True, acks_late=True)
def headers(self: Any) -> Any:
    return (self.request.headers or {}).get("shop")


@app.task
def tenant() -> Any:
    return baggage.get_baggage("tenant")


@app.task(bind=True, acks_late=True)
def at_the_second_time(self: Any) -> str:
    if self.request.id not in _refused:
        _refused.add(self.request.id)
        raise Reject("not yet", requeue=True)
    return "done"
