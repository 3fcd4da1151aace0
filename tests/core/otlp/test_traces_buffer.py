"""The trace buffer loses nothing, doubles nothing, and honours its limits."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.otlp.records import RESOURCE, TWINS, fresh_scopes, our_bytes, span_record
from remora.otlp.decode import decode_traces
from remora.telemetry.scope import Scope

NO_LIMIT = 1 << 40
twins = pytest.mark.parametrize("twin", TWINS)


def names(batch: Any) -> list[str]:
    """The span names of a batch, in the order of its bytes."""
    (resource,) = decode_traces(batch.body())
    return [span.name for scope in resource.scopes for span in scope.spans]


@twins
def test_append_says_how_many_bytes_the_span_took(twin: Any) -> None:
    buffer = twin(RESOURCE)
    sizes = [buffer.append(span_record(Scope("s"), span_name="n" * length)) for length in (1, 100, 200, 20_000)]
    assert [size - sizes[0] for size in sizes] == [0, 99 + 1, 199 + 2, 19_999 + 4]  # with the lengths of name and span
    assert (buffer.spans, buffer.size_bytes) == (4, sum(sizes))


@twins
def test_an_empty_buffer_has_nothing_to_take(twin: Any) -> None:
    assert twin(RESOURCE).take(10, NO_LIMIT) is None


@twins
def test_nothing_is_taken_when_no_span_is_asked_for(twin: Any) -> None:
    buffer = twin(RESOURCE)
    buffer.append(span_record(Scope("s")))
    assert buffer.take(0, NO_LIMIT) is None
    assert buffer.spans == 1


@twins
def test_a_batch_knows_its_spans_and_their_bytes(twin: Any) -> None:
    buffer = twin(RESOURCE)
    size = sum(buffer.append(span_record(scope)) for scope in fresh_scopes() for _ in range(3))
    batch = buffer.take(100, NO_LIMIT)
    assert (batch.spans, batch.size_bytes) == (12, size)
    assert (buffer.spans, buffer.size_bytes) == (0, 0)
    assert buffer.take(100, NO_LIMIT) is None


@twins
def test_scopes_stand_in_the_order_of_their_first_span_and_each_once(twin: Any) -> None:
    buffer = twin(RESOURCE, segment_spans=2)
    first, second = Scope("first"), Scope("second")
    for number, scope in enumerate([second, first, first, second, second, second, first]):
        buffer.append(span_record(scope, span_name=str(number)))
    (resource,) = decode_traces(buffer.take(100, NO_LIMIT).body())
    assert [(scope.name, [span.name for span in scope.spans]) for scope in resource.scopes] == [
        ("second", ["0", "3", "4", "5"]),
        ("first", ["1", "2", "6"]),
    ]


@twins
def test_scopes_that_say_the_same_become_one(twin: Any) -> None:
    body = our_bytes(twin, [(Scope("same", "1", "u", {"a": 1}), {"span_name": name}) for name in "abc"])
    (resource,) = decode_traces(body)
    assert [[span.name for span in scope.spans] for scope in resource.scopes] == [["a", "b", "c"]]


@twins
def test_hundreds_of_scopes_all_arrive(twin: Any) -> None:
    scopes = [Scope(f"scope {number}") for number in range(300)]
    body = our_bytes(twin, [(scope, {}) for _ in range(2) for scope in scopes])
    (resource,) = decode_traces(body)
    assert [(scope.name, len(scope.spans)) for scope in resource.scopes] == [(scope.name, 2) for scope in scopes]


@twins
@pytest.mark.parametrize("segment_spans", [1, 3, 7, 1000])
@pytest.mark.parametrize("max_spans", [1, 2, 5, 7, 1000])
def test_no_batch_has_more_spans_than_asked_for_and_the_oldest_come_first(
    twin: Any, segment_spans: int, max_spans: int
) -> None:
    buffer = twin(RESOURCE, segment_spans=segment_spans)
    scope = Scope("s")
    for number in range(40):
        buffer.append(span_record(scope, span_name=str(number)))
    taken: list[str] = []
    while (batch := buffer.take(max_spans, NO_LIMIT)) is not None:
        assert batch.spans <= max_spans
        assert batch.spans == len(names(batch))
        taken += names(batch)
        assert buffer.spans == 40 - len(taken)
    assert taken == [str(number) for number in range(40)]


@twins
@pytest.mark.parametrize("segment_bytes", [1, 500, 65_536])
def test_no_batch_has_more_bytes_than_asked_for_but_one_span_always_comes(twin: Any, segment_bytes: int) -> None:
    buffer = twin(RESOURCE, segment_bytes=segment_bytes)
    scope = Scope("s")
    lengths = [1, 50, 3000, 10, 100, 100, 100, 5000, 1]
    sizes = [buffer.append(span_record(scope, span_name=str(number) * length)) for number, length in enumerate(lengths)]
    taken = []
    while (batch := buffer.take(100, 400)) is not None:
        assert batch.size_bytes <= 400 or batch.spans == 1
        taken += names(batch)
    assert [len(name) for name in taken] == lengths
    assert sum(sizes) > 8000


@twins
def test_a_huge_span_gets_through(twin: Any) -> None:
    buffer = twin(RESOURCE)
    scope = Scope("s")
    text = "漢" * 3_000_000
    for values in ({"k": 1}, {"k": text}, {"k": 2}):
        assert buffer.append(span_record(scope, attribute_values=values)) > 0
    (resource,) = decode_traces(buffer.take(10, NO_LIMIT).body())
    assert [span.attributes["k"] for span in resource.scopes[0].spans] == [1, text, 2]


@twins
def test_a_batch_given_back_comes_first_again(twin: Any) -> None:
    buffer = twin(RESOURCE)
    first, second = Scope("first"), Scope("second")
    for scope, name in [(first, "a"), (second, "b"), (first, "c")]:
        buffer.append(span_record(scope, span_name=name))
    batch = buffer.take(2, NO_LIMIT)
    assert names(batch) == ["a", "c"]
    buffer.append(span_record(first, span_name="d"))
    waiting = buffer.size_bytes + batch.size_bytes
    buffer.give_back(batch)
    assert (buffer.spans, buffer.size_bytes) == (4, waiting)
    assert names(buffer.take(2, NO_LIMIT)) == ["a", "c"]
    assert names(buffer.take(2, NO_LIMIT)) == ["b", "d"]


@twins
def test_giving_a_batch_back_twice_does_not_double_it(twin: Any) -> None:
    buffer = twin(RESOURCE)
    buffer.append(span_record(Scope("s")))
    batch = buffer.take(10, NO_LIMIT)
    buffer.give_back(batch)
    buffer.give_back(batch)
    assert (batch.spans, batch.size_bytes) == (0, 0)
    assert buffer.spans == 1
    assert buffer.take(10, NO_LIMIT).spans == 1
    assert buffer.take(10, NO_LIMIT) is None


@twins
def test_a_batch_stays_what_it_is_while_new_spans_arrive(twin: Any) -> None:
    buffer = twin(RESOURCE)
    scope = Scope("s")
    buffer.append(span_record(scope, span_name="old"))
    batch = buffer.take(10, NO_LIMIT)
    for _ in range(100):
        buffer.append(span_record(scope, span_name="new"))
    assert names(batch) == ["old"]


@twins
def test_clear_forgets_everything_and_says_how_much(twin: Any) -> None:
    buffer = twin(RESOURCE)
    scopes = fresh_scopes()
    for scope in scopes:
        buffer.append(span_record(scope, span_name="parent's"))
    assert buffer.clear() == 4
    assert buffer.clear() == 0
    assert (buffer.spans, buffer.size_bytes) == (0, 0)
    buffer.append(span_record(scopes[0], span_name="child's"))
    assert names(buffer.take(10, NO_LIMIT)) == ["child's"]


@twins
def test_two_buffers_share_scopes_without_sharing_spans(twin: Any) -> None:
    scope = Scope("shared")
    one, other = twin({"service.name": "one"}), twin({"service.name": "other"})
    for number in range(4):
        one.append(span_record(scope, span_name=f"one {number}"))
        other.append(span_record(scope, span_name=f"other {number}"))
    batches = [buffer.take(10, NO_LIMIT) for buffer in (one, other)]
    assert names(batches[0]) == [f"one {number}" for number in range(4)]
    assert names(batches[1]) == [f"other {number}" for number in range(4)]
    assert [decode_traces(batch.body())[0].attributes["service.name"] for batch in batches] == ["one", "other"]


@twins
def test_a_slot_with_something_else_in_it_is_no_obstacle(twin: Any) -> None:
    scope = Scope("s")
    scope.slot = "not a segment"
    assert our_bytes(twin, [(scope, {}), (scope, {})])


BROKEN: list[dict[str, Any]] = [
    {"attribute_values": {"fine": "x" * 100, "bad": object()}},
    {"attribute_values": {"nested": ("fine", {"deeper": (1, {2, 3})})}},
    {"attribute_values": {7: "no text"}},
    {"attribute_values": {"fine": {None: 1}}},
    {"event_records": [("fine", 1, None, 0), ("bad", 1, {"k": object()}, 0)]},
    {"event_records": [("bad", "no time", None, 0)]},
    {"event_records": [("too short", 1)]},
    {"event_records": [(None, 1, None, 0)]},
    {"link_records": [(1, 2, 3, False, {"k": object()}, 0, 1, "")]},
    {"link_records": [(1, 2, 3)]},
    {"link_records": [("x", 2, 3, False, None, 0, 1, "")]},
    {"status_message": frozenset({1})},
    {"span_name": None},
    {"tracestate": None},
]


@twins
@pytest.mark.parametrize("fields", BROKEN, ids=lambda fields: repr(fields)[:60])
def test_a_span_that_cannot_be_encoded_leaves_no_trace(twin: Any, fields: dict[str, Any]) -> None:
    buffer = twin(RESOURCE)
    scope = Scope("s")
    assert buffer.append(span_record(scope, **fields)) == -1
    assert (buffer.spans, buffer.size_bytes) == (0, 0)
    assert buffer.take(10, NO_LIMIT) is None
    size = buffer.append(span_record(scope, span_name="before"))
    assert buffer.append(span_record(scope, **fields)) == -1
    assert (buffer.spans, buffer.size_bytes) == (1, size)
    buffer.append(span_record(scope, span_name="after"))
    assert names(buffer.take(10, NO_LIMIT)) == ["before", "after"]


@twins
@pytest.mark.parametrize("thing", [None, "span", frozenset({1}), 7])
def test_what_is_no_span_is_refused_quietly(twin: Any, thing: object) -> None:
    buffer = twin(RESOURCE)
    assert buffer.append(thing) == -1
    assert buffer.spans == 0


@twins
def test_a_span_without_a_scope_is_refused_quietly(twin: Any) -> None:
    buffer = twin(RESOURCE)
    span = span_record(Scope("s"))
    span.scope = None
    assert buffer.append(span) == -1
    assert buffer.spans == 0


class _BufferAgainstAList(RuleBasedStateMachine):
    """Any order of appending, taking, giving back and clearing, against plain lists of names and sizes."""

    twin: Any = None

    @initialize(segment_spans=st.integers(1, 6), segment_bytes=st.sampled_from([1, 200, 1000, 65_536]))
    def start(self, segment_spans: int, segment_bytes: int) -> None:
        self.buffer = self.twin(RESOURCE, segment_bytes=segment_bytes, segment_spans=segment_spans)
        self.scopes = [Scope(f"{number}") for number in range(3)]
        self.waiting: dict[str, list[tuple[str, int]]] = {scope.name: [] for scope in self.scopes}
        self.held: list[tuple[Any, dict[str, list[tuple[str, int]]]]] = []
        self.appended = 0

    @rule(scope=st.integers(0, 2), length=st.sampled_from([0, 10, 130, 900]))
    def append(self, scope: int, length: int) -> None:
        name = f"{self.appended} ".ljust(length, "x")
        self.appended += 1
        size = self.buffer.append(span_record(self.scopes[scope], span_name=name))
        self.waiting[self.scopes[scope].name].append((name, size))

    @rule(scope=st.integers(0, 2))
    def append_something_impossible(self, scope: int) -> None:
        assert self.buffer.append(span_record(self.scopes[scope], attribute_values={"bad": object()})) == -1

    @rule(max_spans=st.integers(0, 8), max_bytes=st.sampled_from([0, 100, 400, NO_LIMIT]))
    def take(self, max_spans: int, max_bytes: int) -> None:
        batch = self.buffer.take(max_spans, max_bytes)
        if batch is None:
            assert max_spans == 0 or not any(self.waiting.values())
            return
        assert 1 <= batch.spans <= max_spans
        assert batch.size_bytes <= max_bytes or batch.spans == 1
        taken: dict[str, list[tuple[str, int]]] = {}
        for scope in decode_traces(batch.body())[0].scopes:
            count = len(scope.spans)
            taken[scope.name] = self.waiting[scope.name][:count]
            del self.waiting[scope.name][:count]
            assert [span.name for span in scope.spans] == [name for name, _ in taken[scope.name]]
        assert batch.size_bytes == sum(size for spans in taken.values() for _, size in spans)
        self.held.append((batch, taken))

    @rule()
    def give_back_the_last_batch(self) -> None:
        if self.held:
            batch, taken = self.held.pop()
            self.buffer.give_back(batch)
            for scope, spans in taken.items():
                self.waiting[scope][:0] = spans

    @rule()
    def deliver_the_batches(self) -> None:
        self.held.clear()

    @rule()
    def clear(self) -> None:
        assert self.buffer.clear() == sum(map(len, self.waiting.values()))
        for spans in self.waiting.values():
            spans.clear()
        self.held.clear()

    @invariant()
    def the_counts_are_right(self) -> None:
        if hasattr(self, "buffer"):
            assert self.buffer.spans == sum(map(len, self.waiting.values()))
            assert self.buffer.size_bytes == sum(size for spans in self.waiting.values() for _, size in spans)


@twins
def test_no_order_of_calls_loses_or_doubles_a_span(twin: Any) -> None:
    machine: Any = type("Machine", (_BufferAgainstAList,), {"twin": twin})
    case = machine.TestCase
    case.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
    case().runTest()


@twins
def test_threads_that_append_while_another_takes_lose_nothing(twin: Any) -> None:
    buffer = twin(RESOURCE, segment_bytes=3000, segment_spans=20)
    scopes = fresh_scopes()[:3]
    producing = [True]
    taken: Counter[str] = Counter()

    def produce(thread: int) -> None:
        for number in range(1500):
            assert buffer.append(span_record(scopes[number % 3], span_name=f"{thread}.{number}")) > 0

    def drain() -> None:
        while producing or buffer.spans:
            batch = buffer.take(50, NO_LIMIT)
            if batch is not None:
                if batch.spans % 7 == 0:
                    buffer.give_back(batch)
                else:
                    taken.update(names(batch))

    threads = [threading.Thread(target=produce, args=(thread,)) for thread in range(4)]
    drainer = threading.Thread(target=drain)
    for thread in (*threads, drainer):
        thread.start()
    for thread in threads:
        thread.join()
    producing.clear()
    drainer.join(30)
    taken.update(names(batch) if (batch := buffer.take(1 << 20, NO_LIMIT)) else [])
    assert taken == Counter(f"{thread}.{number}" for thread in range(4) for number in range(1500))
    assert (buffer.spans, buffer.size_bytes) == (0, 0)


@twins
def test_finalisers_that_end_spans_at_any_moment_disturb_nothing(twin: Any) -> None:
    buffer = twin(RESOURCE, segment_spans=3)
    scopes = fresh_scopes()
    expected = 0

    class Cycle:
        def __init__(self, number: int) -> None:
            self.me = self
            self.number = number

        def __del__(self) -> None:
            assert buffer.append(span_record(scopes[self.number % 4], span_name=f"late {self.number}")) > 0

    thresholds = gc.get_threshold()
    taken: list[str] = []
    gc.set_threshold(1)
    try:
        for number in range(300):
            Cycle(number)
            expected += 2
            buffer.append(
                span_record(scopes[number % 4], span_name=f"{number}", attribute_values={"k": (1 << 70, "ß")})
            )
            if number % 10 == 0 and (batch := buffer.take(5, NO_LIMIT)) is not None:
                taken += names(batch)
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    while (batch := buffer.take(1000, NO_LIMIT)) is not None:
        taken += names(batch)
    assert sorted(taken) == sorted([*map(str, range(300)), *(f"late {number}" for number in range(300))])
    assert expected == len(taken)


@twins
def test_the_memory_of_delivered_spans_is_given_back(twin: Any) -> None:
    buffer = twin(RESOURCE)
    scopes = [Scope(f"scope {number}") for number in range(40)]
    span_of_scope = [span_record(scope, attribute_values={"k": "x" * 3000}) for scope in scopes]

    def deliver() -> int:
        for span in span_of_scope * 30:
            buffer.append(span)
        size = 0
        while (batch := buffer.take(64, NO_LIMIT)) is not None:
            size += len(batch.body())
        return size

    tracemalloc.start()
    try:
        deliver()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        delivered = sum(deliver() for _ in range(5))
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert delivered > 15_000_000
    assert after - before < 200_000


@twins
def test_thousands_of_scopes_with_a_span_each_cost_little_memory_and_time(twin: Any) -> None:
    buffer = twin(RESOURCE)
    spans = [span_record(Scope(f"scope {number}"), attribute_values={"number": number}) for number in range(10_000)]
    tracemalloc.start()
    try:
        for span in spans:
            buffer.append(span)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert used < 10_000 * 2_000
    assert [batch.spans for batch in iter(lambda: buffer.take(8192, NO_LIMIT), None)] == [8192, 1808]
