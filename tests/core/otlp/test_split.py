"""Two halves of a request together are the request."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from core.otlp.records import TWINS, fresh_scopes, our_bytes
from remora.otlp.split import count_spans, split_request
from remora.otlp.wire import DecodeError


def request(counts: list[list[int]]) -> bytes:
    """A request with resources of scopes of that many spans, all distinguishable."""
    message = ExportTraceServiceRequest(
        resource_spans=[
            ResourceSpans(
                resource=Resource(attributes=[KeyValue(key=f"r{resource}")]),
                scope_spans=[
                    ScopeSpans(
                        scope=InstrumentationScope(name=f"s{scope}"),
                        spans=[Span(name=f"{resource}.{scope}.{number}") for number in range(count)],
                        schema_url="https://s",
                    )
                    for scope, count in enumerate(scopes)
                ],
                schema_url="https://r",
            )
            for resource, scopes in enumerate(counts)
        ]
    )
    return bytes(message.SerializeToString())


def rows(body: bytes) -> list[tuple[str, str, str, str, str]]:
    """Each span with all that is said around it."""
    return [
        (resource.resource.attributes[0].key, resource.schema_url, scope.scope.name, scope.schema_url, span.name)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


@given(st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=4))
def test_the_halves_hold_every_span_once_in_order_where_it_belongs(counts: list[list[int]]) -> None:
    body = request(counts)
    total = sum(map(sum, counts))
    assert count_spans(body) == total
    halves = split_request(body)
    if total < 2:
        assert halves is None
        return
    assert halves is not None
    (first, first_count), (second, second_count) = halves
    assert (first_count, second_count) == (total // 2, total - total // 2)
    assert (count_spans(first), count_spans(second)) == (first_count, second_count)
    assert rows(first) + rows(second) == rows(body)


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=4), min_size=1, max_size=4))
def test_no_half_names_a_resource_or_scope_of_which_it_has_no_span(counts: list[list[int]]) -> None:
    for half, _ in split_request(request(counts)) or ():
        for resource in ExportTraceServiceRequest.FromString(half).resource_spans:
            assert resource.scope_spans
            assert all(scope.spans for scope in resource.scope_spans)


@pytest.mark.parametrize("twin", TWINS)
def test_our_own_requests_can_be_cut_down_to_single_spans(twin: Any) -> None:
    scopes = fresh_scopes()
    body = our_bytes(twin, [(scopes[number % 4], {"span_name": str(number)}) for number in range(37)])
    waiting, single = [body], []
    while waiting:
        part = waiting.pop()
        halves = split_request(part)
        if halves is None:
            single.append(part)
        else:
            waiting += [half for half, _ in halves]
    assert len(single) == 37
    read = [
        ExportTraceServiceRequest.FromString(part).resource_spans[0].scope_spans[0].spans[0].name for part in single
    ]
    assert sorted(read, key=int) == [str(number) for number in range(37)]


def test_resources_without_spans_are_not_lost() -> None:
    halves = split_request(request([[], [1, 0], [1]]))
    assert halves is not None
    messages = [ExportTraceServiceRequest.FromString(half) for half, _ in halves]
    named = [resource.resource.attributes[0].key for message in messages for resource in message.resource_spans]
    assert sorted(set(named)) == ["r0", "r1", "r2"]


def test_what_nobody_knows_yet_goes_into_both_halves() -> None:
    unknown = b"\xfa\x01\x02hi"
    halves = split_request(request([[2]]) + unknown)
    assert halves is not None
    assert all(half.endswith(unknown) for half, _ in halves)


def test_log_records_are_cut_the_same_way() -> None:
    message = ExportLogsServiceRequest()
    logs = message.resource_logs.add().scope_logs.add()
    for number in range(5):
        logs.log_records.add(flags=number + 1)
    halves = split_request(message.SerializeToString())
    assert halves is not None
    read = [
        record.flags
        for half, _ in halves
        for record in ExportLogsServiceRequest.FromString(half).resource_logs[0].scope_logs[0].log_records
    ]
    assert read == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("size", [1, 2, 10, 40])
def test_a_damaged_request_is_refused(size: int) -> None:
    body = request([[3, 3]])[:size]
    with pytest.raises(DecodeError):
        split_request(body)
    with pytest.raises(DecodeError):
        count_spans(body)


@given(st.binary(max_size=200))
def test_random_bytes_are_cut_or_refused(body: bytes) -> None:
    try:
        halves = split_request(body)
    except DecodeError:
        return
    if halves is not None:
        assert count_spans(halves[0][0]) + count_spans(halves[1][0]) == count_spans(body)
