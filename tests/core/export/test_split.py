"""413: halves until it fits, a limit learned, and only what cannot be halved is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from remora.export.fallback import Settlement
from remora.export.reply import ACCEPTED, TOO_LARGE, Reply
from remora.export.sender import Payload
from remora.export.split import Splitting
from support.receiver import Receiver


def test_a_batch_that_is_too_large_arrives_in_pieces(deliver: Any, payload: Any) -> None:
    whole = payload(64, filler_bytes=100)
    with Receiver(size_limit_bytes=len(whole.body) // 5) as receiver:
        books = deliver(receiver.traces_url)
        assert books.send(whole).delivered == 64
        assert sorted(span["name"] for span in receiver.spans()) == sorted(f"span-{number}" for number in range(64))
        assert books.delivery.limit_bytes is not None
        assert books.delivery.limit_bytes <= receiver.size_limit_bytes


def test_a_known_limit_saves_the_refused_requests(deliver: Any, payload: Any) -> None:
    with Receiver(size_limit_bytes=3000) as receiver:
        books = deliver(receiver.traces_url)
        books.send(payload(64, filler_bytes=100))
        refused = sum(request.status == 413 for request in receiver.requests)
        books.send(payload(64, filler_bytes=100))
        assert sum(request.status == 413 for request in receiver.requests) == refused
        assert len(receiver.spans()) == 128


def test_a_batch_within_the_learned_limit_goes_in_one_piece(deliver: Any, payload: Any) -> None:
    with Receiver(size_limit_bytes=3000) as receiver:
        books = deliver(receiver.traces_url)
        books.send(payload(64, filler_bytes=100))
        limit_bytes = books.delivery.limit_bytes
        fitting = next(batch for count in range(64, 0, -1) if len((batch := payload(count)).body) <= limit_bytes)
        before = len(receiver.requests)
        books.send(fitting)
        assert len(receiver.requests) == before + 1


def test_a_single_item_that_is_too_large_is_dropped_and_its_neighbours_arrive(
    deliver: Any, payload: Any, kept: Any
) -> None:
    giant, others = payload(1, filler_bytes=5000), payload(7, first=1)
    mixed = Payload("traces", giant.body + others.body, 8, lambda: (giant, others))
    with Receiver(size_limit_bytes=2000) as receiver:
        outcome = deliver(receiver.traces_url).send(mixed)
        assert len(receiver.spans()) == 7
    assert (outcome.delivered, outcome.dropped) == (7, {"too_large": 1})
    assert kept.payloads == []  # it would be too large tomorrow, too


def test_a_payload_that_cannot_be_split_is_dropped_as_too_large(deliver: Any, payload: Any) -> None:
    solid = payload(5)
    solid.split = None
    with Receiver(size_limit_bytes=10) as receiver:
        assert deliver(receiver.traces_url).send(solid).dropped == {"too_large": 5}


def test_a_split_that_fails_or_loses_items_does_not_unbalance_the_books(deliver: Any, payload: Any, said: Any) -> None:
    def fails() -> tuple[Payload, Payload]:
        raise KeyError("split")

    broken, leaking = payload(4), payload(4)
    broken.split = fails
    leaking.split = lambda: (payload(1), payload(1))
    with Receiver(size_limit_bytes=10) as receiver:
        books = deliver(receiver.traces_url)
        assert books.send(broken).dropped == {"too_large": 4}
        assert books.send(leaking).dropped == {"too_large": 4}
    assert "cannot be split" in said.lines[0]


def test_half_a_batch_can_be_delivered_and_the_other_half_stored(deliver: Any, payload: Any) -> None:
    whole = payload(8)
    with Receiver(413, 200, 401) as receiver:
        outcome = deliver(receiver.traces_url).send(whole)
    assert (outcome.delivered, outcome.stored) == (4, 4)


def test_a_span_too_large_for_the_collector_is_told_in_one_line_with_its_size_and_the_mend(
    deliver: Any, payload: Any, said: Any
) -> None:
    with Receiver(otherwise=413) as receiver:
        outcome = deliver(receiver.traces_url).send(payload(1, filler_bytes=5000))
    assert outcome.dropped == {"too_large": 1}
    assert said.only == outcome.detail
    assert said.only.startswith("a span of 5,")
    assert "(status 413), and is dropped" in said.only
    assert "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT" in said.only


class Endpoint:
    """Takes bodies up to a limit, which may change."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.asked = 0

    def post(self, signal: str, body: bytes, deadline: float) -> Reply:
        self.asked += 1
        return Reply(ACCEPTED if len(body) <= self.limit_bytes else TOO_LARGE)


def sized(count: int) -> Payload:
    half = count // 2
    return Payload("traces", bytes(count), count, (lambda: (sized(half), sized(count - half))) if count > 1 else None)


@settings(max_examples=50)
@given(st.integers(0, 300), st.lists(st.integers(1, 600), min_size=1, max_size=8))
def test_whatever_the_limit_everything_that_can_arrive_arrives(limit_bytes: int, counts: list[int]) -> None:
    splitting = Splitting(Endpoint(limit_bytes), Settlement(None))
    for count in counts:
        outcome = splitting.send(sized(count), 0.0)
        assert outcome.items == count
        assert outcome.delivered == (count if limit_bytes else 0)
        if splitting.limit_bytes is not None and limit_bytes:
            assert splitting.limit_bytes <= limit_bytes


def test_a_limit_is_forgotten_after_a_while_for_limits_are_raised() -> None:
    endpoint = Endpoint(100)
    splitting = Splitting(endpoint, Settlement(None), forget_after_s=0.0)
    splitting.send(sized(400), 0.0)
    endpoint.limit_bytes, endpoint.asked = 1000, 0
    assert splitting.send(sized(400), 0.0).delivered == 400
    assert endpoint.asked == 1
    assert splitting.limit_bytes is None


def test_a_lowered_limit_is_learned_anew() -> None:
    endpoint = Endpoint(100)
    splitting = Splitting(endpoint, Settlement(None))
    splitting.send(sized(400), 0.0)
    endpoint.limit_bytes = 20
    assert splitting.send(sized(400), 0.0).delivered == 400
    assert splitting.limit_bytes is not None
    assert splitting.limit_bytes <= 20
