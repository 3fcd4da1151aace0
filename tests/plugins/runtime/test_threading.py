"""threading: what is current travels into threads, and does not stay behind."""

from __future__ import annotations

import threading

from opentelemetry import trace


def tracer():
    return trace.get_tracer("test")


def work(name="work"):
    with tracer().start_as_current_span(name):
        pass


def test_a_thread_continues_its_starters_trace(spans):
    with tracer().start_as_current_span("around"):
        thread = threading.Thread(target=work)
        thread.start()
    thread.join()
    (around,) = spans.named("around")
    assert [span.name for span in spans.children_of(around)] == ["work"]


def test_a_thread_class_with_its_own_run_and_a_timer_do_too(spans):
    class Mine(threading.Thread):
        def run(self):
            work("mine")

    with tracer().start_as_current_span("around"):
        threads = [Mine(), threading.Timer(0.001, work, ("timer",))]
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    (around,) = spans.named("around")
    assert {span.name for span in spans.children_of(around)} == {"mine", "timer"}
    assert "run" not in vars(threads[0])
