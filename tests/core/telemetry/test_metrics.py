"""Instruments count what they are given, once, whatever happens at the same time (metrics_cy and metering)."""

from __future__ import annotations

import math
import threading

import pytest

from remora.telemetry import metrics_cy
from remora.telemetry.metering import Metering
from remora.telemetry.metrics_cy import key_of
from remora.telemetry.points import HISTOGRAM, SUM
from remora.telemetry.scope import Scope
from remora.telemetry.spans_cy import blank_span

SCOPE = Scope("remora.acme", "1.0")
BOUNDS = (0.1, 1.0, 10.0)


def histogram(metering: Metering, keys=("color",), bounds=BOUNDS):
    return metering.histogram(SCOPE, "acme.duration", "s", "How long it took.", keys, bounds)


def up_down(metering: Metering):
    return metering.counter(SCOPE, "acme.active", "{call}", "", ("color",), monotonic=False)


def collected(metering: Metering):
    return {metric.name: (metric, list(metric.points)) for metric in metering.collect()}


def only(metering: Metering, name="acme.duration"):
    (point,) = collected(metering)[name][1]
    return point


def sampled(number: int):
    return blank_span(flags=1, trace_hi=7, trace_lo=number, span_id=number, end_ns=number)


def test_a_measurement_falls_into_the_bucket_whose_upper_boundary_is_not_below_it():
    metering = Metering()
    for value in (0.0, 0.1, 0.1000001, 1.0, 9.9, 10.0, 10.1, math.inf):
        histogram(metering).record(("red",), value, None)
    point = only(metering)
    assert point.bucket_counts == [2, 2, 2, 2]
    assert point.explicit_bounds == BOUNDS


def test_count_sum_and_extremes_are_those_of_what_was_measured():
    metering = Metering()
    for value in (3.0, 0.5, 20.0):
        histogram(metering).record(("red",), value, None)
    point = only(metering)
    assert (point.count, point.sum, point.min, point.max) == (3, 23.5, 0.5, 20.0)


@pytest.mark.parametrize("value", [-0.001, -math.inf, math.nan])
def test_what_is_no_duration_is_not_counted(value):
    metering = Metering()
    histogram(metering).record(("red",), value, None)
    assert collected(metering) == {}
    assert not metering.changed()


def test_each_set_of_attributes_has_a_point_and_absent_ones_are_left_out():
    metering = Metering()
    instrument = histogram(metering, ("color", "size"))
    for key in (("red", 1), ("red", None), (None, None), ("red", 1)):
        instrument.record(key, 1.0, None)
    _, points = collected(metering)["acme.duration"]
    assert {tuple(point.attributes.items()): point.count for point in points} == {
        (("color", "red"), ("size", 1)): 2,
        (("color", "red"),): 1,
        (): 1,
    }


def test_a_metric_knows_what_it_is():
    metering = Metering()
    histogram(metering).record(("red",), 1.0, None)
    up_down(metering).add(("red",), 1)
    found = collected(metering)
    duration, active = found["acme.duration"][0], found["acme.active"][0]
    assert (duration.kind, duration.unit, duration.description, duration.scope) == (
        HISTOGRAM,
        "s",
        "How long it took.",
        SCOPE,
    )
    assert (active.kind, active.monotonic, active.unit) == (SUM, False, "{call}")


def test_the_same_metric_of_the_same_scope_is_one_instrument_and_of_another_scope_is_not():
    metering = Metering()
    assert histogram(metering) is histogram(metering)
    other = metering.histogram(Scope("remora.other"), "acme.duration", "s", "", ("color",), BOUNDS)
    assert other is not histogram(metering)


def test_cumulative_points_count_from_the_start():
    metering = Metering()
    histogram(metering).record(("red",), 1.0, None)
    first = only(metering)
    histogram(metering).record(("red",), 1.0, None)
    second = only(metering)
    assert (first.count, second.count) == (1, 2)
    assert first.start_time_unix_nano == second.start_time_unix_nano <= first.time_unix_nano < second.time_unix_nano


@pytest.mark.parametrize("preference", ["delta", "lowmemory"])
def test_delta_points_count_from_the_last_collection_and_leave_no_gap(preference):
    metering = Metering(preference)
    histogram(metering).record(("red",), 1.0, None)
    first = only(metering)
    assert collected(metering) == {}
    histogram(metering).record(("red",), 5.0, None)
    second = only(metering)
    assert (second.count, second.min) == (1, 5.0)
    assert first.time_unix_nano <= second.start_time_unix_nano < second.time_unix_nano


def test_an_up_down_counter_is_cumulative_even_where_delta_is_preferred():
    metering = Metering("delta")
    up_down(metering).add(("red",), 2)
    assert only(metering, "acme.active").value == 2
    up_down(metering).add(("red",), -1)
    metric, (point,) = collected(metering)["acme.active"]
    assert (point.value, metric.delta) == (1, False)


def test_a_counter_is_delta_where_delta_is_preferred():
    metering = Metering("delta")
    counter = metering.counter(SCOPE, "acme.calls", "{call}", "", (), monotonic=True)
    counter.add((), 2)
    collected(metering)
    counter.add((), 3)
    metric, (point,) = collected(metering)["acme.calls"]
    assert (point.value, metric.delta, metric.monotonic) == (3, True, True)


def test_beyond_2000_sets_of_attributes_all_others_share_one_point_that_says_so():
    metering = Metering()
    instrument = histogram(metering)
    for number in range(2100):
        instrument.record((str(number),), 1.0, None)
    _, points = collected(metering)["acme.duration"]
    assert len(points) == 2000
    (overflow,) = [point for point in points if "color" not in point.attributes]
    assert overflow.attributes == {"otel.metric.overflow": True}
    assert overflow.count == 101
    assert sum(point.count for point in points) == 2100


def test_an_up_down_counter_that_overflows_goes_down_where_it_went_up():
    metering = Metering()
    metering.ledger.limit = 2
    counter = up_down(metering)
    points = [counter.add((str(number),), 1) for number in range(5)]
    for point in points:
        counter.adjust(point, -1)
    _, found = collected(metering)["acme.active"]
    assert [point.value for point in found] == [0, 0]


def test_a_sampled_span_leaves_an_exemplar_in_its_bucket_and_the_newest_stays():
    metering = Metering()
    instrument = histogram(metering)
    for number, value in enumerate((0.05, 5.0, 6.0), 1):
        instrument.record(("red",), value, sampled(number))
    exemplars = only(metering).exemplars
    assert [(one.value, one.span_id, one.time_unix_nano) for one in exemplars] == [(0.05, 1, 1), (6.0, 3, 3)]
    assert exemplars[1].trace_id == (7 << 64) + 3


def test_an_exemplar_is_told_once():
    metering = Metering()
    histogram(metering).record(("red",), 1.0, sampled(1))
    assert len(only(metering).exemplars) == 1
    histogram(metering).record(("red",), 1.0, None)
    assert only(metering).exemplars == []


@pytest.mark.parametrize(
    ("exemplar_filter", "expected"), [("always_off", []), ("trace_based", [3]), ("always_on", [3, None])]
)
def test_the_filter_says_who_leaves_an_exemplar(exemplar_filter, expected):
    metering = Metering("cumulative", exemplar_filter)
    histogram(metering).record(("red",), 0.05, sampled(3))
    histogram(metering).record(("red",), 50.0, None)
    assert [one.span_id for one in only(metering).exemplars] == expected


def test_an_unsampled_span_leaves_no_exemplar():
    metering = Metering()
    histogram(metering).record(("red",), 1.0, blank_span(flags=0, trace_lo=1, span_id=1))
    assert only(metering).exemplars == []


def test_somebody_is_told_of_the_first_measurement_after_each_collection():
    told = []
    metering = Metering(changed=lambda: told.append(1))
    for _ in range(3):
        histogram(metering).record(("red",), 1.0, None)
    assert len(told) == 1
    collected(metering)
    assert not metering.changed()
    up_down(metering).add(("red",), 1)
    up_down(metering).add(("red",), 1)
    assert len(told) == 2


def test_what_holds_something_is_collected_again_unless_only_news_is_wanted():
    cumulative, delta = Metering(), Metering("delta")
    for metering in (cumulative, delta):
        assert not metering.holds()
        histogram(metering).record(("red",), 1.0, None)
        assert metering.holds()
        collected(metering)
    assert (cumulative.holds(), delta.holds()) == (True, False)


def test_a_forked_child_begins_at_nothing_and_ends_its_parents_calls_unharmed():
    metering = Metering()
    histogram(metering).record(("red",), 1.0, None)
    under_way = up_down(metering).add(("red",), 1)
    before = only(metering).start_time_unix_nano
    metering.forked()
    assert collected(metering) == {}
    up_down(metering).adjust(under_way, -1)
    up_down(metering).add(("red",), 1)
    point = only(metering, "acme.active")
    assert point.value == 1
    assert point.start_time_unix_nano > before


def test_nothing_is_lost_or_counted_twice_while_threads_measure_and_another_collects():
    metering = Metering("delta")
    instrument = histogram(metering)
    threads, times = 8, 20_000
    finished = threading.Event()
    seen = []

    def measure(number):
        for turn in range(times):
            instrument.record((str(turn % 7),), (number + turn) % 11, sampled(turn + 1))

    def collect():
        while not finished.is_set():
            seen.extend(points for _, points in collected(metering).values())
        seen.extend(points for _, points in collected(metering).values())

    workers = [threading.Thread(target=measure, args=(number,)) for number in range(threads)]
    collector = threading.Thread(target=collect)
    collector.start()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    finished.set()
    collector.join()
    points = [point for each in seen for point in each]
    assert sum(point.count for point in points) == threads * times
    assert all(sum(point.bucket_counts) == point.count for point in points)
    expected = sum((number + turn) % 11 for number in range(threads) for turn in range(times))
    assert sum(point.sum for point in points) == expected


def test_a_histogram_has_as_many_boundaries_as_fit():
    metering = Metering()
    bounds = tuple(float(number) for number in range(31))
    instrument = histogram(metering, bounds=bounds)
    for number in range(33):
        instrument.record((None,), number - 0.5 if number else 0.0, None)
    assert only(metering).bucket_counts == [1] * 31 + [2]
    with pytest.raises(ValueError, match="at most 31 boundaries, not 32"):
        metering.histogram(SCOPE, "acme.other", "s", "", (), (*bounds, 31.0))


def test_a_key_takes_what_came_last_and_only_what_is_cheap_to_hash():
    keys = ("a", "b", "c", "d", "e")
    first = {"a": "end", "b": None, "e": {"no": "key"}}
    second = {"a": "start", "b": 2, "c": ("x", "y")}
    assert key_of(keys, first, second) == ("end", 2, "('x', 'y')", None, "{'no': 'key'}")


def test_measuring_aside_leaves_what_was_there():
    told = []
    metering = Metering(changed=lambda: told.append(1))
    histogram(metering).record(("red",), 1.0, None)
    bring_back = metering.set_aside()
    histogram(metering).record(("red",), 2.0, None)
    up_down(metering).add(("blue",), 1)
    assert {metric.name for metric in metering.snapshot()} == {"acme.duration", "acme.active"}
    bring_back()
    assert only(metering).sum == 1.0
    assert len(told) == 1


def test_points_survive_their_instrument():
    metering = Metering("delta")
    histogram(metering).record(("red",), 1.0, sampled(1))
    (metric,) = list(metering.collect())
    metering.forked()
    del metering
    (point,) = metric.points
    assert (point.count, len(point.exemplars)) == (1, 1)
    assert metrics_cy.MOST_BOUNDARIES == 31
