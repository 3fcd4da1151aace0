"""Trying again: when, how long, and when no more."""

from __future__ import annotations

import threading
import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora.export.http_answer import retry_after_s
from remora.export.reply import ACCEPTED, MISDIRECTED, REJECTED, RETRYABLE, TOO_LARGE, UNREADABLE, Reply
from remora.export.retry import LONGEST_BACKOFF_S, pause_s
from support.receiver import Answer, Receiver

jitters = st.floats(0, 1, exclude_max=True)


@given(st.integers(0, 10_000), jitters)
def test_the_pause_doubles_with_each_attempt_is_fully_jittered_and_bounded(attempt: int, jitter: float) -> None:
    pause = pause_s(Reply(RETRYABLE, status=503), attempt, 1e9, jitter=jitter)
    ceiling_s = min(LONGEST_BACKOFF_S, 1.0 * 2 ** min(attempt, 20))
    assert pause == pytest.approx(jitter * ceiling_s)


@given(st.floats(0.1, 1000), jitters, st.integers(0, 20))
def test_the_endpoint_is_never_asked_again_earlier_than_it_said(asked_s: float, jitter: float, attempt: int) -> None:
    pause = pause_s(Reply(RETRYABLE, status=429, retry_after_s=asked_s), attempt, 1e9, jitter=jitter)
    assert pause is not None
    assert asked_s <= pause <= asked_s * 1.1 + 1e-6


@given(st.integers(0, 50), st.floats(0, 100), jitters, st.none() | st.floats(0, 100))
def test_no_pause_outlasts_the_deadline(attempt: int, left_s: float, jitter: float, asked_s: float | None) -> None:
    pause = pause_s(Reply(RETRYABLE, status=503, retry_after_s=asked_s), attempt, left_s, jitter=jitter)
    assert pause is None or 0 <= pause < left_s


@pytest.mark.parametrize("verdict", [ACCEPTED, REJECTED, TOO_LARGE, UNREADABLE, MISDIRECTED])
def test_only_what_may_pass_is_tried_again(verdict: str) -> None:
    assert pause_s(Reply(verdict), 0, 100.0, jitter=0.5) is None


def test_retry_after_zero_is_no_invitation_to_a_busy_loop() -> None:
    assert pause_s(Reply(RETRYABLE, status=429, retry_after_s=0.0), 3, 100.0, jitter=0.5) == 4.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), (" 7 ", 7.0), ("0", 0.0), ("", None), (None, None), ("-5", None), ("soon", None), ("1.5", None)],
)
def test_retry_after_in_seconds(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header) == seconds


def test_retry_after_as_a_date() -> None:
    in_a_minute = retry_after_s(formatdate(time.time() + 60, usegmt=True))
    assert in_a_minute is not None
    assert 57 < in_a_minute < 61
    assert retry_after_s(formatdate(time.time() - 60, usegmt=True)) == 0.0


@given(st.text(max_size=40))
def test_no_retry_after_ever_raises(header: str) -> None:
    seconds = retry_after_s(header)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_passing_trouble_is_waited_out_in_silence(deliver: Any, payload: Any, said: Any, status: int) -> None:
    with Receiver(status, status) as receiver:
        assert deliver(receiver.traces_url).send(payload(2)).delivered == 2
        assert len(receiver.requests) == 3
    assert said.lines == []


def test_the_pause_that_the_endpoint_asks_for_is_kept(deliver: Any, payload: Any) -> None:
    with Receiver(Answer(429, headers={"Retry-After": "1"})) as receiver:
        assert deliver(receiver.traces_url).send(payload(), 3.0).delivered == 1
        first, second = receiver.requests
    assert 1.0 <= second.received_s - first.received_s < 1.5


def test_an_endpoint_that_asks_for_more_time_than_there_is_is_not_waited_for(
    deliver: Any, payload: Any, said: Any
) -> None:
    with Receiver(otherwise=Answer(429, headers={"Retry-After": "60"})) as receiver:
        started = time.monotonic()
        books = deliver(receiver.traces_url)
        assert books.send(payload(), 5.0).stored == 1
        assert books.send(payload(), 5.0).stored == 1
        assert time.monotonic() - started < 0.5
        assert len(receiver.requests) == 1  # and it gets the rest that it asked for
    assert "status 429" in said.only


@pytest.mark.parametrize("status", [500, 501, 401, 403, 404])
def test_what_will_not_pass_is_stored_at_once(deliver: Any, payload: Any, status: int) -> None:
    with Receiver(status, 200) as receiver:
        books = deliver(receiver.traces_url)
        assert books.send(payload()).stored == 1
        assert books.send(payload()).delivered == 1
        assert len(receiver.requests) == 2


def test_a_collector_that_comes_up_within_the_deadline_gets_everything(deliver: Any, payload: Any) -> None:
    with Receiver() as gone:
        port = gone.port
    books = deliver(f"http://127.0.0.1:{port}/v1/traces")
    opened: list[Receiver] = []
    timer = threading.Timer(0.15, lambda: opened.append(Receiver(port=port).__enter__()))
    timer.start()
    try:
        assert books.send(payload(2), 2.5).delivered == 2
    finally:
        timer.join()
        opened[0].close()


def test_a_long_pause_is_cut_short_when_somebody_hastens(deliver: Any, payload: Any) -> None:
    with Receiver(Answer(503, headers={"Retry-After": "20"}), 200) as receiver:
        books = deliver(receiver.traces_url)
        threading.Timer(0.1, lambda: books.delivery.hasten(time.monotonic() + 1.0)).start()
        started = time.monotonic()
        assert books.send(payload(), 30.0).delivered == 1
        assert time.monotonic() - started < 0.5


def test_while_the_endpoint_is_down_payloads_are_stored_without_waiting_and_one_probes_now_and_then(
    deliver: Any, payload: Any, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = time.monotonic()
    shift_s = 0.0
    monkeypatch.setattr("remora.export.retry.monotonic", lambda: time.monotonic() + shift_s)
    with Receiver(otherwise=503) as receiver:
        books = deliver(receiver.traces_url)
        assert books.send(payload(), 0.3).stored == 1
        assert books.delivery.condition()["state"] == "storing"
        tried = len(receiver.requests)
        for _ in range(20):
            assert books.send(payload(), 5.0).stored == 1
        assert len(receiver.requests) == tried
        shift_s = 2.0
        assert books.send(payload(), 5.0).stored == 1
        assert len(receiver.requests) == tried + 1
        receiver.plan(200)
        shift_s = 4.0
        assert books.send(payload(), 5.0).delivered == 1
        assert books.delivery.condition()["state"] == "delivering"
    assert time.monotonic() - now_s < 2.0
    assert "status 503" in said.lines[0]
    assert said.lines[-1].endswith("works again")


def test_without_a_store_every_payload_gets_its_whole_time(deliver: Any, payload: Any) -> None:
    with Receiver(otherwise=503) as receiver:
        books = deliver(receiver.traces_url, building={"fallback": None})
        assert books.send(payload(), 0.2).dropped == {"unavailable": 1}
        tried = len(receiver.requests)
        assert books.send(payload(), 0.2).dropped == {"unavailable": 1}
        assert len(receiver.requests) >= tried + 2
