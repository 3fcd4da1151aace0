"""What the instrumentation of every broker's client must do; a library's test class only says how to send and get.

Spans of one test are told apart from those of the library's own housekeeping by their operation type.
"""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import baggage, context, trace

from remora.conventions import messaging
from remora.operation.running_cy import Running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from remora.testing import CollectedSpan, Spans

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
CALLERS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class WorkError(Exception):
    """Raised by a program's own function while it works on a message."""


def open_operations() -> int:
    """How many operations have begun and are not over yet, or are over and still held by something."""
    gc.collect()
    return sum(type(each) is Running for each in gc.get_objects())


class Peer:
    """One destination of a broker and how to use it through the library under test.

    ``send(body, headers)`` sends one message; ``receive()`` asks for one and returns its body, None for none;
    ``process(work)`` gives the next message to the program's function ``work(body)``, as the library does it with
    callbacks, and returns when that is over, whatever it raised. A library has at least one of the last two.
    """

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        raise NotImplementedError

    def receive(self) -> bytes | None:
        raise NotImplementedError

    def process(self, work: Any) -> None:
        raise NotImplementedError


class MessagingContract:
    """Subclasses give ``peer`` as a fixture, ``system``, ``destination(peer)``, and what they cannot do."""

    system = ""
    sends = "publish"  # the library's word
    receives: str | None = "get"  # None: the library has callbacks only
    processes: str | None = "process"  # None: the library has no callbacks
    carries = True  # whether messages have headers

    def destination(self, peer: Any) -> str:
        raise NotImplementedError

    def consumed(self, peer: Any) -> str:
        return self.destination(peer)

    @staticmethod
    def of_type(spans: Spans, operation_type: str) -> list[CollectedSpan]:
        return [span for span in spans if span.attributes.get("messaging.operation.type") == operation_type]

    def only(self, spans: Spans, operation_type: str) -> CollectedSpan:
        (span,) = self.of_type(spans, operation_type)
        return span

    def _needs(self, what: object, why: str) -> None:
        if not what:
            pytest.skip(why)

    def test_a_send_is_one_producer_span_named_operation_first(self, spans: Spans, peer: Any) -> None:
        peer.send(b"one")
        span = self.only(spans, "send")
        assert (span.kind, span.status) == ("PRODUCER", "UNSET")
        assert span.name == f"{self.sends} {self.destination(peer)}"
        assert span.attributes["messaging.system"] == self.system
        assert span.attributes["messaging.operation.name"] == self.sends
        assert span.attributes["messaging.destination.name"] == self.destination(peer)
        assert span.attributes["server.address"]
        assert isinstance(span.attributes["server.port"], int)

    def test_a_send_is_below_what_is_current(self, spans: Spans, peer: Any) -> None:
        with trace.get_tracer("test").start_as_current_span("around"):
            peer.send(b"one")
        assert self.only(spans, "send").parent_id == spans.named("around")[0].span_id

    def test_a_received_message_is_linked_to_the_send(self, spans: Spans, peer: Any) -> None:
        self._needs(self.receives, "callbacks only")
        peer.send(b"one")
        assert peer.receive() == b"one"
        send, receive = self.only(spans, "send"), self.only(spans, "receive")
        assert receive.kind == "CLIENT"
        assert receive.name == f"{self.receives} {self.consumed(peer)}"
        if self.carries:
            assert [(link.trace_id, link.span_id) for link in receive.links] == [(send.trace_id, send.span_id)]
            assert receive.trace_id != send.trace_id

    def test_a_poll_that_gets_nothing_makes_no_span(self, spans: Spans, peer: Any) -> None:
        self._needs(self.receives, "callbacks only")
        assert peer.receive() is None
        assert self.of_type(spans, "receive") == []

    def test_processing_is_a_trace_of_its_own_linked_to_the_send(self, spans: Spans, peer: Any) -> None:
        self._needs(self.processes, "no callbacks")
        peer.send(b"one")
        done: list[bytes] = []

        def work(body: bytes) -> None:
            with trace.get_tracer("test").start_as_current_span("work"):
                done.append(body)

        peer.process(work)
        assert done == [b"one"]
        send, process = self.only(spans, "send"), self.only(spans, "process")
        assert (process.kind, process.parent_id, process.status) == ("CONSUMER", None, "UNSET")
        assert process.name == f"{self.processes} {self.consumed(peer)}"
        assert spans.named("work")[0].parent_id == process.span_id
        if self.carries:
            assert [(link.trace_id, link.span_id) for link in process.links] == [(send.trace_id, send.span_id)]
            assert process.trace_id != send.trace_id

    def test_processing_continues_the_senders_trace_where_that_is_asked_for(
        self, spans: Spans, peer: Any, message_parent: None
    ) -> None:
        self._needs(self.processes and self.carries, "no callbacks, or no headers")
        peer.send(b"one")
        peer.process(lambda body: None)
        send, process = self.only(spans, "send"), self.only(spans, "process")
        assert (process.trace_id, process.parent_id) == (send.trace_id, send.span_id)
        assert process.links == []

    def test_a_failure_while_processing_is_told_and_stays_the_programs(self, spans: Spans, peer: Any) -> None:
        self._needs(self.processes, "no callbacks")
        peer.send(b"one")

        def work(body: bytes) -> None:
            raise WorkError("password=hunter2")

        peer.process(work)
        process = self.only(spans, "process")
        assert process.status == "ERROR"
        assert process.attributes["error.type"].endswith(".WorkError")
        assert "hunter2" not in repr(process.status_description) + repr(process.events)

    def test_nothing_of_a_message_is_left_for_the_next(self, spans: Spans, peer: Any) -> None:
        self._needs(self.processes, "no callbacks")
        for body in (b"one", b"two", b"three"):
            peer.send(body)
        for _ in range(3):
            peer.process(lambda body: None)
            assert not trace.get_current_span().get_span_context().is_valid
        processes = self.of_type(spans, "process")
        assert len(processes) == 3
        assert {process.parent_id for process in processes} == {None}
        assert len({process.trace_id for process in processes}) == 3

    def test_a_context_that_the_program_put_in_stays_and_is_linked(self, spans: Spans, peer: Any) -> None:
        self._needs(self.carries, "no headers")
        peer.send(b"one", {"traceparent": CALLERS})
        send = self.only(spans, "send")
        assert send.kind == "CLIENT"
        assert [link.trace_id for link in send.links] == ["0af7651916cd43dd8448eb211c80319c"]
        if self.receives:
            peer.receive()
            (link,) = self.only(spans, "receive").links
        else:
            peer.process(lambda body: None)
            (link,) = self.only(spans, "process").links
        assert (link.trace_id, link.span_id) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")

    def test_baggage_reaches_the_programs_function(self, spans: Spans, peer: Any) -> None:
        self._needs(self.processes and self.carries, "no callbacks, or no headers")
        token = context.attach(baggage.set_baggage("tenant", "acme"))
        try:
            peer.send(b"one")
        finally:
            context.detach(token)
        found: list[object] = []
        peer.process(lambda body: found.append(baggage.get_baggage("tenant")))
        assert found == ["acme"]

    def test_the_body_is_not_recorded(self, spans: Spans, peer: Any) -> None:
        peer.send(b"hunter2 in the body")
        if self.receives:
            peer.receive()
        else:
            peer.process(lambda body: None)
        assert spans
        for span in spans:
            assert "hunter2" not in repr((span.attributes, span.events, span.name))

    def test_headers_of_the_program_arrive_and_the_object_it_sent_is_untouched(self, spans: Spans, peer: Any) -> None:
        self._needs(self.carries, "no headers")
        headers = {"shop": "north"}
        peer.send(b"one", headers)
        assert headers == {"shop": "north"}

    def test_the_four_metrics(self, spans: Spans, peer: Any) -> None:
        peer.send(b"one")
        (sent,) = spans.metrics.named("messaging.client.sent.messages")
        assert sent.value == 1
        assert sent.attributes["messaging.destination.name"] == self.destination(peer)
        durations = {
            point.attributes["messaging.operation.type"]
            for point in spans.metrics.named("messaging.client.operation.duration")
        }
        assert "send" in durations
        if self.receives:
            peer.receive()
            assert {
                "send",
                "receive",
            } <= {
                point.attributes["messaging.operation.type"]
                for point in spans.metrics.named("messaging.client.operation.duration")
            }
        else:
            peer.process(lambda body: None)
        assert sum(point.value for point in spans.metrics.named("messaging.client.consumed.messages")) == 1
        if self.processes:
            if self.receives:
                peer.send(b"two")
                peer.process(lambda body: None)
            (process,) = spans.metrics.named("messaging.process.duration")
            assert process.count == 1


@pytest.fixture
def message_parent() -> Iterator[None]:
    """REMORA_MESSAGE_PARENT=true."""
    messaging.configure(True)
    try:
        yield
    finally:
        messaging.configure(False)
