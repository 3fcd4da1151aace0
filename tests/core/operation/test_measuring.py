"""Every call is measured once when it ends, sampled or not, with what its span says (measuring_cy)."""

from __future__ import annotations

import time

import pytest

from remora.conventions.call import Call
from remora.conventions.metrics import Metric
from remora.operation.measuring_cy import Measuring
from remora.operation.propagation import Propagation
from remora.operation.running_cy import Operations
from remora.telemetry.metering import Metering
from remora.telemetry.scope import Scope
from remora.telemetry.spans_cy import OFF, Engine, Frame, pop, push

DURATION = Metric("acme.duration", "s", "How long.", ("color", "error.type", "size"), (0.01, 1.0))
ACTIVE = Metric("acme.active", "{call}", "How many.", ("color",))


class AcmeCall(Call):
    """A call that knows its size only at the end."""

    family = 1
    kind = 1
    duration = DURATION
    active = ACTIVE

    def __init__(self, color="red"):
        self.carrier = None
        self.color = color
        self.broken = False

    def doubles(self, outer):
        return self.color == outer.color

    def name(self):
        return "acme"

    def start(self):
        return {"color": self.color, "path": "/secret"}

    def end(self, exception):
        if self.broken:
            raise LookupError("a fault of the record")
        found = {"size": 7}
        if exception is not None:
            found["error.type"] = type(exception).__name__
        return found


class UnmeasuredCall(AcmeCall):
    """A convention without metrics."""

    duration = None
    active = None


class Acme:
    """An instrumentation over an engine and a metering of its own."""

    def __init__(self):
        self.ended, self.faults = [], []
        self.engine = Engine()
        self.engine.deliver = self.ended.append
        self.metering = Metering()
        scope = Scope("remora.acme")
        self.operations = Operations(
            self.engine, scope, Propagation(()), lambda where, error: self.faults.append((where, type(error).__name__))
        )
        self.operations.measuring = Measuring(self.metering, scope)

    def points(self, name):
        return [point for metric in self.metering.snapshot() if metric.name == name for point in metric.points]

    def active(self):
        return {point.attributes["color"]: point.value for point in self.points("acme.active")}


@pytest.fixture
def acme():
    return Acme()


def test_a_call_that_ends_is_measured_by_its_spans_times_and_attributes(acme):
    acme.operations.begin(AcmeCall()).end()
    (point,) = acme.points("acme.duration")
    (span,) = acme.ended
    assert point.attributes == {"color": "red", "size": 7}
    assert point.count == 1
    assert point.sum == pytest.approx((span.end_ns - span.start_ns) / 1e9)
    assert [(one.span_id, one.time_unix_nano) for one in point.exemplars] == [(span.span_id, span.end_ns)]


def test_a_failed_call_says_how_it_failed(acme):
    acme.operations.begin(AcmeCall()).end(ValueError("no"))
    assert acme.points("acme.duration")[0].attributes["error.type"] == "ValueError"


def test_a_call_that_is_not_sampled_is_measured_as_well_and_leaves_no_exemplar(acme):
    acme.engine.root_mode = OFF
    running = acme.operations.begin(AcmeCall())
    time.sleep(0.02)
    running.end(ValueError("no"))
    (point,) = acme.points("acme.duration")
    assert acme.ended == []
    assert point.attributes == {"color": "red", "size": 7, "error.type": "ValueError"}
    assert 0.02 <= point.sum < 1.0
    assert point.exemplars == []


def test_ending_twice_is_measured_once(acme):
    running = acme.operations.begin(AcmeCall())
    running.end()
    running.end()
    assert acme.points("acme.duration")[0].count == 1
    assert acme.active() == {"red": 0}


def test_calls_under_way_are_counted_by_their_attributes(acme):
    first, second = acme.operations.begin(AcmeCall()), acme.operations.begin(AcmeCall("blue"))
    assert acme.active() == {"red": 1, "blue": 1}
    second.end()
    assert acme.active() == {"red": 1, "blue": 0}
    first.end()
    assert acme.active() == {"red": 0, "blue": 0}


def test_what_the_program_sets_on_the_span_meanwhile_moves_no_call_under_way(acme):
    running = acme.operations.begin(AcmeCall())
    running.span.set_attribute("color", "green")
    running.end()
    assert acme.active() == {"red": 0}


def test_a_record_that_fails_is_a_fault_and_no_longer_under_way(acme):
    call = AcmeCall()
    running = acme.operations.begin(call)
    call.broken = True
    running.end()
    assert acme.faults == [("end", "LookupError")]
    assert acme.active() == {"red": 0}
    assert acme.points("acme.duration") == []


def test_a_suppressed_call_and_a_double_are_not_measured(acme):
    frame = Frame(suppressed=True)
    token = push(frame)
    assert acme.operations.begin(AcmeCall()) is None
    pop(token, frame)
    outer = acme.operations.begin(AcmeCall())
    assert acme.operations.begin(AcmeCall()) is None
    outer.end()
    assert acme.points("acme.duration")[0].count == 1


def test_an_excluded_call_is_not_measured(acme):
    acme.operations.excluded = lambda call: call.color == "grey"
    acme.operations.begin(AcmeCall("grey")).end()
    acme.operations.begin(AcmeCall("red")).end()
    assert acme.active() == {"red": 0}
    assert acme.points("acme.duration")[0].count == 1


def test_a_convention_without_metrics_measures_nothing(acme):
    acme.operations.begin(UnmeasuredCall()).end()
    assert acme.metering.snapshot() == []
    assert len(acme.ended) == 1


def test_without_a_metering_calls_go_on_as_before(acme):
    acme.operations.measuring = None
    acme.operations.begin(AcmeCall()).end()
    assert len(acme.ended) == 1
    assert acme.faults == []


def test_an_instrumentation_with_calls_of_two_conventions_keeps_them_apart(acme):
    other = Metric("acme.other", "s", "", ("color",), (1.0,))
    other_call = type("OtherCall", (AcmeCall,), {"duration": other, "active": None})
    for _ in range(2):
        acme.operations.begin(AcmeCall()).end()
        acme.operations.begin(other_call()).end()
    assert (acme.points("acme.duration")[0].count, acme.points("acme.other")[0].count) == (2, 2)
    assert acme.active() == {"red": 0}


def test_a_call_that_ends_in_a_forked_child_takes_nothing_from_its_parent(acme):
    running = acme.operations.begin(AcmeCall())
    acme.metering.forked()
    running.end()
    assert acme.active() == {}
