"""concurrent.futures: a pool's tasks belong to who submitted them, and leave the pool's threads clean."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from opentelemetry import baggage, context, trace


def tracer():
    return trace.get_tracer("test")


def work(name="work"):
    with tracer().start_as_current_span(name):
        pass


def test_a_pools_tasks_are_children_of_who_submitted_them_and_leave_the_thread_clean(spans):
    with ThreadPoolExecutor(1) as pool:
        with tracer().start_as_current_span("first"):
            pool.submit(work).result()
        pool.submit(work, "orphan").result()
        with tracer().start_as_current_span("second"):
            assert list(pool.map(lambda number: (work(), number)[1], [1, 2])) == [1, 2]
    (first,), (second,) = spans.named("first"), spans.named("second")
    assert len(spans.children_of(first)) == 1
    assert len(spans.children_of(second)) == 2
    assert spans.named("orphan")[0].parent_id is None


def test_baggage_travels_too(spans):
    token = context.attach(baggage.set_baggage("user", "42"))
    try:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(baggage.get_baggage, "user").result() == "42"
    finally:
        context.detach(token)


def test_an_executor_of_asyncio_and_to_thread_keep_the_trace(spans):
    async def main():
        with tracer().start_as_current_span("around"):
            await asyncio.get_running_loop().run_in_executor(None, work)
            await asyncio.to_thread(work)

    asyncio.run(main())
    (around,) = spans.named("around")
    assert len(spans.children_of(around)) == 2


def test_what_a_task_raises_is_the_programs(spans):
    def fails():
        raise KeyError("mine")

    with tracer().start_as_current_span("around"), ThreadPoolExecutor(1) as pool:
        future = pool.submit(fails)
        assert isinstance(future.exception(), KeyError)
