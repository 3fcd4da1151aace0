"""The HTTP transport against real servers on loopback, well-behaved and not."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from remora.export.deadline import Budget, Haste
from remora.export.http_answer import talk
from remora.export.reply import TOO_LARGE
from remora.export.wire import Answering
from support.processes import run_python
from support.receiver import Answer, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_a_payload_arrives_as_it_is_with_the_headers_of_otlp(deliver: Any, payload: Any) -> None:
    with Receiver() as receiver:
        outcome = deliver(receiver.traces_url, headers={"X-Tenant": "blue", "authorization": "Bearer abc"}).send(
            payload(3)
        )
        assert (outcome.delivered, outcome.stored, outcome.dropped) == (3, 0, {})
        assert [span["name"] for span in receiver.spans()] == ["span-0", "span-1", "span-2"]
        (request,) = receiver.requests
    assert request.path == "/v1/traces"
    assert request.headers["content-type"] == "application/x-protobuf"
    assert request.headers["user-agent"].startswith("remora/1.2.3")
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["x-tenant"] == "blue"
    assert request.headers["authorization"] == "Bearer abc"
    assert "content-encoding" not in request.headers


def test_one_connection_serves_many_payloads(deliver: Any, payload: Any) -> None:
    with Receiver() as receiver:
        books = deliver(receiver.traces_url)
        for _ in range(5):
            assert books.send(payload(2)).delivered == 2
        assert (len(receiver.requests), receiver.connections) == (5, 1)


def test_chunked_answers_keep_the_connection(deliver: Any, payload: Any) -> None:
    with Receiver(otherwise=Answer(chunked=True, body=b"")) as receiver:
        books = deliver(receiver.traces_url)
        assert books.send(payload()).delivered == 1
        assert books.send(payload()).delivered == 1
        assert receiver.connections == 1


def test_a_connection_that_the_server_closed_while_idle_is_replaced_without_a_retry(
    deliver: Any, payload: Any, said: Any
) -> None:
    with Receiver() as receiver:
        books = deliver(receiver.traces_url)
        books.send(payload())
        receiver.cut_connections()
        time.sleep(0.05)
        assert books.send(payload()).delivered == 1
        assert (len(receiver.requests), receiver.connections) == (2, 2)
    assert said.lines == []


def test_a_connection_that_breaks_just_when_it_is_used_again_is_replaced_too(deliver: Any, payload: Any) -> None:
    with Receiver(200, Answer(drop=True), 200) as receiver:
        books = deliver(receiver.traces_url)
        books.send(payload())
        assert books.send(payload()).delivered == 1
        assert [request.connection for request in receiver.requests] == [1, 1, 2]


def test_a_server_that_asks_for_it_gets_a_new_connection_each_time(deliver: Any, payload: Any) -> None:
    with Receiver(otherwise=Answer(close=True)) as receiver:
        books = deliver(receiver.traces_url)
        books.send(payload())
        books.send(payload())
        assert receiver.connections == 2


def test_a_user_and_password_in_the_url_become_basic_authorization(deliver: Any, payload: Any) -> None:
    with Receiver() as receiver:
        deliver(receiver.traces_url.replace("://", "://ann:p%40ss@")).send(payload())
        assert receiver.requests[0].headers["authorization"] == "Basic YW5uOnBAc3M="


def test_headers_that_could_break_the_request_are_left_out_and_named_without_their_value(
    deliver: Any, payload: Any, said: Any
) -> None:
    headers = {
        "x-evil": "a\r\nX-Injected: 1",
        "bad name": "secret",
        "content-length": "0",
        "x-good": "gr\u00fcn \u2603",
    }
    with Receiver() as receiver:
        assert deliver(receiver.traces_url, headers=headers).send(payload()).delivered == 1
        sent = receiver.requests[0].headers
    assert "x-evil" not in sent
    assert "x-injected" not in sent
    assert "x-good" in sent
    assert len(said.lines) == 2
    assert not any("secret" in line or "Injected" in line for line in said.lines)


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_on_the_same_host_is_followed_with_the_same_body(deliver: Any, payload: Any, status: int) -> None:
    with Receiver(Answer(status, headers={"Location": "/v1/traces?moved=1"})) as receiver:
        assert deliver(receiver.traces_url).send(payload()).delivered == 1
        assert [request.path for request in receiver.requests] == ["/v1/traces", "/v1/traces?moved=1"]
        assert receiver.requests[0].raw == receiver.requests[1].raw
        assert receiver.connections == 1


def test_a_redirect_is_followed_once_only(deliver: Any, payload: Any) -> None:
    with Receiver(otherwise=Answer(307, headers={"Location": "/v1/traces"})) as receiver:
        assert deliver(receiver.traces_url).send(payload()).stored == 1
        assert len(receiver.requests) == 2


def test_a_redirect_to_another_host_is_not_followed_for_the_headers_are_not_for_it(deliver: Any, payload: Any) -> None:
    with Receiver() as elsewhere:
        away = Answer(307, headers={"Location": f"http://localhost:{elsewhere.port}/v1/traces"})
        with Receiver(away) as receiver:
            assert deliver(receiver.traces_url, headers={"authorization": "s3cret"}).send(payload()).stored == 1
        assert elsewhere.requests == []


def test_a_server_that_never_answers_takes_no_longer_than_the_request_timeout(
    deliver: Any, payload: Any, said: Any
) -> None:
    with Receiver(otherwise=Answer(hang=True)) as receiver:
        started = time.monotonic()
        outcome = deliver(receiver.traces_url, timeout_s=0.2, building={"first_backoff_s": 60.0}).send(payload(), 0.5)
        assert time.monotonic() - started < 0.9
    assert outcome.stored == 1
    assert "does not answer in time" in said.only


def test_a_server_that_never_answers_takes_no_longer_than_the_deadline(deliver: Any, payload: Any) -> None:
    with Receiver(otherwise=Answer(hang=True)) as receiver:
        started = time.monotonic()
        outcome = deliver(receiver.traces_url, timeout_s=10.0).send(payload(), 0.3)
        assert 0.25 < time.monotonic() - started < 0.6
    assert outcome.stored == 1


def test_a_server_that_drips_its_answer_takes_no_longer_than_the_deadline(deliver: Any, payload: Any) -> None:
    with Receiver(otherwise=Answer(drip_s=0.05)) as receiver:
        started = time.monotonic()
        outcome = deliver(receiver.traces_url, timeout_s=10.0).send(payload(), 0.4)
        assert time.monotonic() - started < 0.7
    assert outcome.stored == 1


def test_a_server_that_does_not_read_takes_no_longer_than_the_deadline(deliver: Any, payload: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        started = time.monotonic()
        books = deliver(f"http://127.0.0.1:{deaf.getsockname()[1]}/v1/traces", timeout_s=10.0)
        outcome = books.send(payload(1, filler_bytes=20_000_000), 0.3)
        assert time.monotonic() - started < 0.8
    assert outcome.stored == 1


def test_an_accepted_payload_is_delivered_even_if_the_rest_of_the_answer_never_comes(
    deliver: Any, payload: Any
) -> None:
    half = Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
    with Receiver(half) as receiver:
        assert deliver(receiver.traces_url).send(payload()).delivered == 1


def test_an_endless_answer_is_not_read_to_its_end(deliver: Any, payload: Any) -> None:
    size_bytes = 50_000_000
    with Receiver(Answer(body=b"x" * size_bytes), 200) as receiver:
        books = deliver(receiver.traces_url)
        started = time.monotonic()
        assert books.send(payload()).delivered == 1
        assert books.send(payload()).delivered == 1
        assert time.monotonic() - started < 1.0
        assert receiver.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\x03garbage",
        b"HTTP/1.1 twohundred OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"HTTP/1.1 200" + b"x" * 100_000,
        b"HTTP/1.1 503 No\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(500)) + b"\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"",
    ],
)
def test_garbage_for_an_answer_never_raises_and_the_payload_is_stored(deliver: Any, payload: Any, raw: bytes) -> None:
    with Receiver(otherwise=Answer(raw=raw)) as receiver:
        outcome = deliver(receiver.traces_url).send(payload(2), 0.3)
    assert outcome.stored == 2


@pytest.mark.parametrize(
    "raw",
    [b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
)
def test_a_success_with_a_broken_body_is_a_success(deliver: Any, payload: Any, raw: bytes) -> None:
    with Receiver(Answer(raw=raw)) as receiver:
        assert deliver(receiver.traces_url).send(payload()).delivered == 1


def test_what_a_server_says_before_it_stops_reading_counts() -> None:
    class Impatient:
        """Answers at once and resets whoever goes on writing."""

        budget = Budget(time.monotonic() + 1, Haste())
        answer = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"

        def write(self, data: bytes | memoryview) -> None:
            raise BrokenPipeError(32, "Broken pipe")

        def read(self, limit: int) -> bytes:
            answer, self.answer = self.answer, b""
            return answer

        def ended(self) -> bool:
            return False

        def close(self) -> None:
            pass

    wire = Impatient()
    reply, _, keep = talk(wire, Answering(wire), b"POST / HTTP/1.1\r\n\r\n")
    assert (reply.status, reply.verdict, keep) == (413, TOO_LARGE, False)
    with pytest.raises(BrokenPipeError):
        talk(wire, Answering(wire), b"POST / HTTP/1.1\r\n\r\n")


def test_every_address_of_a_host_is_tried(deliver: Any, payload: Any) -> None:
    with Receiver() as receiver:  # on 127.0.0.1 only, where localhost may mean ::1 first
        assert deliver(f"http://localhost:{receiver.port}/v1/traces").send(payload()).delivered == 1


def test_our_own_traffic_runs_inside_the_suppression_that_was_given(deliver: Any, payload: Any) -> None:
    inside: list[bool] = []

    @contextmanager
    def suppress() -> Iterator[None]:
        inside.append(True)
        yield
        inside.append(False)

    with Receiver() as receiver:
        deliver(receiver.traces_url, building={"suppress": suppress}).send(payload())
    assert inside == [True, False]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_opens_a_connection_of_its_own(deliver: Any, payload: Any) -> None:
    with Receiver() as receiver:
        books = deliver(receiver.traces_url)
        books.send(payload())
        child = os.fork()
        if child == 0:
            delivered = 0
            try:
                delivered = books.delivery.send(payload(), time.monotonic() + 2).delivered
            finally:
                os._exit(delivered)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        assert books.send(payload()).delivered == 1
        assert [request.connection for request in receiver.requests] == [1, 2, 1]


def test_a_connection_that_is_simply_forgotten_makes_no_noise() -> None:
    program = """
        import time
        from remora.export.chain import build
        from remora.export.sender import Payload
        from remora.settings import load

        otlp = load({"OTEL_EXPORTER_OTLP_ENDPOINT": "%s"}).settings.traces_otlp
        delivery = build(otlp, version="1", fallback=None)
        print(delivery.send(Payload("traces", b"", 1), time.monotonic() + 5).delivered)
        delivery = None
    """
    with Receiver() as receiver:
        finished = run_python(program % receiver.url, launched=False, options=["-X", "dev"])
    assert (finished.stdout, finished.stderr) == ("1\n", "")


def test_a_send_in_flight_can_be_hastened_from_another_thread(deliver: Any, payload: Any) -> None:
    with Receiver(otherwise=Answer(hang=True)) as receiver:
        books = deliver(receiver.traces_url, timeout_s=30.0)
        threading.Timer(0.1, lambda: books.delivery.hasten(time.monotonic() + 0.1)).start()
        started = time.monotonic()
        assert books.send(payload(), 30.0).stored == 1
        assert time.monotonic() - started < 0.6


def test_a_passed_haste_does_not_spoil_later_payloads(deliver: Any, payload: Any) -> None:
    with Receiver() as receiver:
        books = deliver(receiver.traces_url)
        books.delivery.hasten(time.monotonic() - 1)
        assert books.send(payload()).delivered == 1


def test_a_deadline_that_has_passed_sends_nothing_and_stores(deliver: Any, payload: Any) -> None:
    with Receiver() as receiver:
        assert deliver(receiver.traces_url).send(payload(), -1.0).stored == 1
        assert receiver.connections == 0


def test_a_slow_name_server_takes_no_longer_than_the_deadline(
    deliver: Any, payload: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import _socket

    from remora.export import resolve

    class SlowNames:
        @staticmethod
        def getaddrinfo(host: bytes, port: int, family: int, kind: int, protocol: int = 0, flags: int = 0) -> Any:
            if flags & _socket.AI_NUMERICHOST:
                raise _socket.gaierror(-2, "not a number")
            time.sleep(1.0)
            return []

    monkeypatch.setattr(resolve, "_socket", SlowNames)
    started = time.monotonic()
    assert deliver("http://collector.invalid:4318/v1/traces").send(payload(), 0.2).stored == 1
    assert time.monotonic() - started < 0.5
