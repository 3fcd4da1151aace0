"""Spans become trees, whatever is wrong with them."""

from __future__ import annotations

import random

import pytest

from remora.cli.traces.tree import Collection, Trace
from remora.otlp.decoded import ResourceSpans, ScopeSpans, Span

TRACE = "ab" * 16


def _span(number: int, parent: int = 0, start: int | None = None, **more: object) -> Span:
    span = Span(
        trace_id=TRACE,
        span_id=f"{number:016x}",
        parent_span_id=f"{parent:016x}" if parent else "",
        name=f"span {number}",
        start_time_unix_nano=1000 + (number if start is None else start),
        end_time_unix_nano=5000,
    )
    for name, value in more.items():
        setattr(span, name, value)
    return span


def _trace(*spans: Span, service: str = "shop") -> Trace:
    collection = Collection()
    collection.add([ResourceSpans({"service.name": service}, scopes=[ScopeSpans(spans=list(spans))])])
    return collection.trace(TRACE)


def _drawn(trace: Trace) -> list[str]:
    return [f"{'.' * depth}{node.span.name}" for node, depth in trace.walk()]


def test_children_stand_below_their_parents_in_the_order_of_their_starts() -> None:
    spans = [_span(1), _span(2, 1, start=30), _span(3, 1, start=20), _span(4, 3, start=40)]
    for seed in range(5):
        random.Random(seed).shuffle(spans)
        assert _drawn(_trace(*spans)) == ["span 1", ".span 3", "..span 4", ".span 2"]


def test_of_spans_with_one_start_the_outer_one_comes_first() -> None:
    inner = _span(2, 1, start=10, end_time_unix_nano=2000)
    outer = _span(3, 1, start=10, end_time_unix_nano=3000)
    assert _drawn(_trace(inner, outer, _span(1))) == ["span 1", ".span 3", ".span 2"]


def test_a_span_that_was_stored_twice_is_shown_once() -> None:
    assert _drawn(_trace(_span(1), _span(2, 1), _span(2, 1))) == ["span 1", ".span 2"]


def test_a_span_whose_parent_is_missing_is_an_orphan_with_its_children() -> None:
    trace = _trace(_span(1), _span(2, 9), _span(3, 2))
    assert [node.span.name for node in trace.roots] == ["span 1"]
    assert [node.span.name for node in trace.orphans] == ["span 2"]
    assert _drawn(trace) == ["span 1", "span 2", ".span 3"]


@pytest.mark.parametrize("knot", [[(1, 1)], [(1, 2), (2, 1)], [(1, 3), (2, 1), (3, 2)], [(1, 2), (2, 1), (3, 2)]])
def test_parents_in_a_circle_lose_no_span_and_end(knot: list[tuple[int, int]]) -> None:
    trace = _trace(*(_span(number, parent) for number, parent in knot))
    assert sorted(node.span.span_id for node, _ in trace.walk()) == sorted(f"{number:016x}" for number, _ in knot)


def test_a_runaway_recursion_of_the_program_can_be_walked() -> None:
    trace = _trace(*(_span(number, number - 1) for number in range(1, 5001)))
    assert max(depth for _, depth in trace.walk()) == 4999


def test_a_trace_is_complete_when_its_root_is_there_or_known_to_be_elsewhere() -> None:
    assert _trace(_span(1)).complete
    assert _trace(_span(2, 1, flags=0x301)).complete
    assert not _trace(_span(2, 1, flags=0x101)).complete
    assert not _trace(_span(2, 1, flags=0)).complete


def test_a_trace_lasts_from_its_first_start_to_its_last_end() -> None:
    late = _span(2, 1, start=100, end_time_unix_nano=9000)
    assert _trace(_span(1, start=10), late).duration_ns == 9000 - 1010


def test_a_resource_without_a_name_is_an_unknown_service() -> None:
    collection = Collection()
    collection.add([ResourceSpans({}, scopes=[ScopeSpans(spans=[_span(1)])])])
    assert collection.trace(TRACE).services == ["unknown_service"]
