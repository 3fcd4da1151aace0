"""Whatever happens on the way, every item is delivered, stored or dropped for a reason, and nothing is raised."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remora.export.sender import Outcome
from support.processes import run_python
from support.receiver import Answer, Receiver, partial_success

answers = st.sampled_from(
    [
        Answer(),
        Answer(204),
        Answer(400),
        Answer(401),
        Answer(404),
        Answer(413),
        Answer(415),
        Answer(429, headers={"Retry-After": "0"}),
        Answer(500),
        Answer(503),
        Answer(drop=True),
        Answer(raw=b"nonsense"),
        Answer(close=True),
        Answer(hang=True),
        partial_success(1, "one"),
        partial_success(1000, "all"),
    ]
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(answers, max_size=6), st.lists(st.integers(1, 9), min_size=1, max_size=4), st.booleans())
def test_the_books_balance_whatever_the_server_does(
    deliver: Any, payload: Any, kept: Any, plan: list[Answer], counts: list[int], stores: bool
) -> None:
    kept.works = stores
    with Receiver(*plan) as receiver:
        books = deliver(receiver.traces_url, compression="zstd", timeout_s=0.05, building={"first_backoff_s": 0.001})
        for count in counts:
            outcome = books.send(payload(count), 0.15)  # the fixture compares items and stored ones
            assert stores or outcome.stored == 0


def test_a_fallback_that_refuses_makes_items_dropped_for_the_reason_of_the_failure(
    deliver: Any, payload: Any, kept: Any
) -> None:
    kept.works = False
    with Receiver(401, 500, Answer(hang=True), 503) as receiver:
        books = deliver(receiver.traces_url, timeout_s=0.1, building={"first_backoff_s": 60.0})
        assert books.send(payload(2)).dropped == {"unauthorized": 2}
        assert books.send(payload(2)).dropped == {"misdirected": 2}
        assert books.send(payload(2), 0.3).dropped == {"timeout": 2}
        assert books.send(payload(2), 0.3).dropped == {"unavailable": 2}
    assert books.send(payload(2), 0.3).dropped == {"unreachable": 2}


def test_a_fallback_that_raises_is_a_fallback_that_failed(deliver: Any, payload: Any, said: Any) -> None:
    def fails(_: object) -> bool:
        raise RuntimeError("disk on fire")

    with Receiver(401) as receiver:
        books = deliver(receiver.traces_url, building={"fallback": fails})
        assert books.send(payload(2)).dropped == {"unauthorized": 2}
    assert any("local store failed" in line for line in said.lines)


@pytest.mark.parametrize("where", ["remora.export.compress.Compressing.post", "remora.export.split.Splitting.send"])
def test_a_fault_of_our_own_is_said_and_the_payload_is_stored(
    deliver: Any, payload: Any, said: Any, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(where, fails)
    assert deliver("http://127.0.0.1:1/v1/traces").send(payload(2)).stored == 2
    assert "an export failed: ZeroDivisionError" in said.only


def test_outcomes_add_up() -> None:
    both = Outcome(delivered=1, dropped={"a": 2}) + Outcome(stored=3, dropped={"a": 1, "b": 4}, detail="last")
    assert (both.delivered, both.stored, both.dropped, both.detail) == (1, 3, {"a": 3, "b": 4}, "last")
    assert both.items == 11


def test_nothing_is_opened_or_loaded_before_the_first_payload() -> None:
    program = """
        import sys
        before = set(sys.modules)
        from remora.export.chain import build
        from remora.settings import load

        build(load({}).settings.traces_otlp, version="1", fallback=None)
        heavy = {"ssl", "http.client", "socket", "urllib.parse", "email", "random", "logging", "zstandard", "grpc"}
        print(sorted(heavy & (set(sys.modules) - before)))
    """
    assert run_python(program, launched=False).stdout.strip() == "[]"


def test_an_exit_with_a_hanging_collector_stores_everything_within_its_budget(
    deliver: Any, payload: Any, kept: Any
) -> None:
    with Receiver(otherwise=Answer(hang=True)) as receiver:
        books = deliver(receiver.traces_url, timeout_s=10.0)
        started = time.monotonic()
        end = started + 0.5
        for _ in range(8):
            books.send(payload(100), end - time.monotonic())
        assert time.monotonic() - started < 0.7
    assert kept.items == 800
