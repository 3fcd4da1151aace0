"""Where ended spans arrive (intake_cy): bounded, counted, and nobody waits."""

from __future__ import annotations

import threading

import pytest

from remora.pipeline.books import Books
from remora.pipeline.intake_cy import Intake
from remora.telemetry.spans_cy import blank_span


class Encoder:
    def __init__(self, size=100):
        self.size = size
        self.spans = []

    def append(self, span):
        if self.size >= 0:
            self.spans.append(span)
        return self.size


def intake(encoder, **limits):
    calls = []
    given = {"max_spans": 10, "max_bytes": 10_000, "wake_spans": 4, "wake_bytes": 5_000, **limits}
    made = Intake(encoder.append, lambda: calls.append("first"), lambda: calls.append("full"), *given.values())
    return made, calls


def test_the_first_span_and_a_full_batch_are_told():
    made, calls = intake(Encoder())
    for _ in range(6):
        made.accept(blank_span())
    assert calls == ["first", "full"]
    made.taken(6, 600)
    made.accept(blank_span())
    assert calls == ["first", "full", "first"]


def test_a_batch_is_full_by_bytes_too():
    made, calls = intake(Encoder(2_000))
    for _ in range(3):
        made.accept(blank_span())
    assert calls == ["first", "full"]


@pytest.mark.parametrize("limits", [{"max_spans": 5}, {"max_bytes": 500}])
def test_what_does_not_fit_is_dropped_and_counted(limits):
    encoder = Encoder()
    made, _ = intake(encoder, **limits)
    for _ in range(8):
        made.accept(blank_span())
    books = Books(made)
    assert len(encoder.spans) == made.waiting == 5
    assert books.dropped == {"queue_full": 3}
    assert books.balanced()


def test_a_span_that_cannot_be_encoded_is_counted():
    made, _ = intake(Encoder(-1))
    made.accept(blank_span())
    assert Books(made).dropped == {"unencodable": 1}
    assert Books(made).balanced()


def test_many_threads_lose_no_count():
    encoder = Encoder()
    made, _ = intake(encoder, max_spans=3_000, max_bytes=1 << 30)
    threads = [threading.Thread(target=lambda: [made.accept(blank_span()) for _ in range(1_000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made.produced == 8_000
    assert made.waiting == len(encoder.spans) == 3_000
    assert made.queue_full == 5_000


def test_a_forked_child_starts_with_empty_books():
    made, _ = intake(Encoder())
    made.accept(blank_span())
    made.forget()
    assert (made.produced, made.waiting, made.waiting_bytes) == (0, 0, 0)
