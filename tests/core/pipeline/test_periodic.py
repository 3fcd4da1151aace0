"""The line of metrics: collected every interval, before a flush and at the end, and the books balance."""

from __future__ import annotations

import math
import time

import pytest

from remora.bootstrap.metrics import _payload
from remora.export.sender import Outcome
from remora.otlp.metrics import MetricBuffer
from remora.pipeline.periodic import PeriodicLine
from remora.pipeline.worker import Worker
from remora.telemetry.metering import Metering
from remora.telemetry.scope import Scope


class Sending:
    """A sender that keeps what it was given, with an outcome of the test's choice."""

    limit_bytes = None

    def __init__(self, outcome):
        self.payloads = []
        self.outcome = outcome

    def send(self, payload, deadline):
        self.payloads.append(payload)
        return self.outcome(payload)

    def warm(self):
        """Nothing to load."""

    def hasten(self, deadline):
        """Nothing in flight."""


class Measured:
    """A metering with one histogram, and the line that sends it."""

    def __init__(self, interval_s=60.0, temporality="cumulative", outcome=lambda payload: Outcome(delivered=1)):
        self.metering = Metering(temporality)
        self.histogram = self.metering.histogram(Scope("remora.acme"), "acme.duration", "s", "", ("color",), (1.0,))
        self.sending = Sending(outcome)
        self.kept = []
        self.line = PeriodicLine(
            MetricBuffer({}),
            _payload,
            lambda: self.sending,
            lambda payload: self.kept.append(payload) or True,
            1000,
            1 << 20,
            5.0,
            interval_s=interval_s,
            collect=self.metering.collect,
            changed=self.metering.changed,
            holds=self.metering.holds,
        )

    def measure(self):
        self.histogram.record(("red",), 0.5, None)

    @property
    def sent(self):
        return [payload.items for payload in self.sending.payloads]


def test_nothing_is_sent_before_the_interval_is_over_and_what_was_measured_is_sent_then():
    made = Measured(interval_s=0.1)
    made.measure()
    made.line.drain()
    assert made.sent == []
    assert made.line.pending()
    assert 0.0 < made.line.rest_s() <= 0.1
    time.sleep(0.11)
    made.line.drain()
    assert made.sent == [1]
    assert not made.line.pending()


def test_with_nothing_measured_the_line_never_asks_to_be_woken():
    made = Measured(interval_s=0.001)
    time.sleep(0.002)
    assert made.line.rest_s() == math.inf
    made.line.drain(time.monotonic() + 1, last=True)
    assert made.sent == []


def test_cumulative_metrics_are_told_each_interval_and_delta_only_when_there_is_news():
    cumulative, delta = Measured(0.01), Measured(0.01, "delta")
    for made in (cumulative, delta):
        made.measure()
        for _ in range(3):
            time.sleep(0.011)
            made.line.drain()
    assert (cumulative.sent, delta.sent) == ([1, 1, 1], [1])
    assert delta.line.rest_s() == math.inf


def test_a_flush_and_the_end_collect_at_once_what_is_new():
    made = Measured()
    made.measure()
    made.line.drain(time.monotonic() + 1)
    made.line.drain(time.monotonic() + 1)
    assert made.sent == [1]
    made.measure()
    made.line.drain(time.monotonic() + 1, last=True)
    assert made.sent == [1, 1]


def test_when_no_time_is_left_what_was_measured_is_stored():
    made = Measured()
    made.measure()
    made.line.drain(time.monotonic() - 1, last=True)
    assert (made.sent, [payload.items for payload in made.kept]) == ([], [1])
    assert made.line.books.report() == {
        "produced": 1,
        "exported": 0,
        "stored": 1,
        "queued": 0,
        "dropped": {},
        "balanced": True,
    }


@pytest.mark.parametrize(
    ("outcome", "where"),
    [
        (Outcome(delivered=1), ("exported", 1)),
        (Outcome(stored=1), ("stored", 1)),
        (Outcome(dropped={"rejected": 1}), ("dropped", {"rejected": 1})),
    ],
)
def test_the_books_say_where_each_point_went(outcome, where):
    made = Measured(outcome=lambda payload: outcome)
    made.measure()
    made.line.drain(time.monotonic() + 1)
    report = made.line.books.report()
    assert (report["produced"], report["balanced"]) == (1, True)
    assert report[where[0]] == where[1]


def test_a_point_that_cannot_be_encoded_is_in_the_books():
    made = Measured()
    made.histogram.record((b"\xff",), 0.5, None)
    made.metering.others = _Broken()
    made.line.drain(time.monotonic() + 1)
    report = made.line.books.report()
    assert report["dropped"] == {"unencodable": 1}
    assert report["balanced"]


class _Broken:
    """Collects one point that is none."""

    def active(self):
        return False

    def holds(self):
        return True

    def collect(self, timeout_s):
        from remora.telemetry.points import GAUGE, Collected

        yield Collected(Scope("x"), "x", "", "", GAUGE, [object()])


def test_a_collection_that_fails_costs_nobody_anything_but_itself():
    made = Measured()
    made.measure()

    def fail(timeout_s):
        raise RuntimeError("the program's callback")

    made.line._collect = fail
    made.line.drain(time.monotonic() + 1)
    assert made.sent == []
    made.line._collect = made.metering.collect
    made.line.drain(time.monotonic() + 1)
    assert made.sent == [1]


def test_a_forked_child_has_empty_books_and_a_whole_interval():
    made = Measured(interval_s=5.0)
    made.measure()
    made.line.drain(time.monotonic() - 1)
    made.metering.forked()
    made.line.forked()
    assert made.line.books.report()["produced"] == 0
    assert not made.line.pending()
    made.measure()
    assert made.line.rest_s() > 4.9


def test_the_worker_sends_by_interval_wakes_no_more_often_than_that_and_rests_without_metrics():
    rounds = []
    made = Measured(interval_s=0.2)
    worker = Worker(schedule_delay_s=0.01, on_round=lambda: rounds.append(time.monotonic()))
    worker.lines.append(made.line)
    made.metering.ledger.on_change = worker.first
    made.measure()
    time.sleep(0.5)
    made.measure()
    time.sleep(0.2)
    assert worker.flush(1.0)
    assert len(rounds) <= 4
    assert 3 <= len(made.sent) <= 4
    worker.let_go()


def test_what_is_measured_after_a_long_rest_waits_a_whole_interval():
    made = Measured(interval_s=0.05, temporality="delta")
    time.sleep(0.06)
    made.measure()
    made.line.begin_interval()
    assert made.line.rest_s() > 0.03
    made.line.drain()
    assert made.sent == []
