"""What a collector took only in part is neither delivered nor silently lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from remora.export import partial
from support.receiver import Answer, Receiver, partial_success


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (ExportTraceServiceResponse, "rejected_spans"),
        (ExportMetricsServiceResponse, "rejected_data_points"),
        (ExportLogsServiceResponse, "rejected_log_records"),
    ],
)
@given(rejected=st.integers(0, 2**63 - 1), message=st.text(max_size=200))
def test_the_answer_is_read_as_protobuf_reads_it(kind: Any, field: str, rejected: int, message: str) -> None:
    response = kind()
    setattr(response.partial_success, field, rejected)
    response.partial_success.error_message = message
    found = partial.read(response.SerializeToString())
    assert (found.rejected, found.message) == (rejected, message)


@given(st.binary(max_size=200))
@example(b"\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
@example(b'{"partialSuccess":{"rejectedSpans":"3"}}')
@example(b"<html><body>It works!</body></html>")
def test_no_answer_ever_raises(body: bytes) -> None:
    assert partial.read(body).rejected >= 0


def test_rejected_items_are_counted_as_such_and_the_reason_is_said(deliver: Any, payload: Any, said: Any) -> None:
    with Receiver(partial_success(2, "no\x1b[31m tenant\nfor you")) as receiver:
        outcome = deliver(receiver.traces_url).send(payload(5))
    assert (outcome.delivered, outcome.dropped) == (3, {"rejected_by_collector": 2})
    assert "rejected 2 of 5 items (traces): no [31m tenant for you" in said.only


def test_a_warning_without_rejections_is_passed_on(deliver: Any, payload: Any, said: Any) -> None:
    with Receiver(partial_success(0, "you are close to your quota")) as receiver:
        assert deliver(receiver.traces_url).send(payload(5)).delivered == 5
    assert "close to your quota" in said.only


@pytest.mark.parametrize("rejected", [6, 2**62, -1])
def test_a_collector_that_cannot_count_does_not_unbalance_the_books(deliver: Any, payload: Any, rejected: int) -> None:
    with Receiver(partial_success(rejected, "")) as receiver:
        outcome = deliver(receiver.traces_url).send(payload(5))
    assert outcome.delivered == (0 if rejected > 0 else 5)


def test_an_answer_that_is_no_protobuf_is_a_plain_success(deliver: Any, payload: Any) -> None:
    with Receiver(Answer(body=b'{"partialSuccess":{}}'), Answer(204)) as receiver:
        books = deliver(receiver.traces_url)
        assert books.send(payload(5)).delivered == 5
        assert books.send(payload(5)).delivered == 5
