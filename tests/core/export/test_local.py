"""No endpoint named: the store, until somebody listens on the default one."""

from __future__ import annotations

import socket
import time
from typing import Any

from support.receiver import Receiver


def test_with_nobody_listening_everything_is_stored_at_once_and_one_line_says_where(
    deliver: Any, payload: Any, kept: Any, said: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    books = deliver(f"http://localhost:{port}/v1/traces", configured=False)
    started = time.monotonic()
    for _ in range(10):
        assert books.send(payload(2), 30.0).stored == 2
    assert time.monotonic() - started < 0.3
    assert len(kept.payloads) == 10
    assert books.delivery.condition()["state"] == "storing"
    assert "local store (remora show)" in said.only
    assert f"nobody listens on localhost:{port}" in said.only


def test_a_collector_that_listens_gets_everything(deliver: Any, payload: Any, kept: Any, said: Any) -> None:
    with Receiver() as receiver:
        books = deliver(f"http://localhost:{receiver.port}/v1/traces", configured=False)
        assert books.send(payload(2)).delivered == 2
        assert len(receiver.spans()) == 2
        assert books.delivery.condition()["state"] == "delivering"
    assert kept.payloads == []
    assert said.lines == []


def test_a_collector_that_comes_later_gets_what_comes_after(deliver: Any, payload: Any, kept: Any) -> None:
    with Receiver() as receiver:
        port = receiver.port
    books = deliver(f"http://localhost:{port}/v1/traces", configured=False, building={"probe_gap_s": 0.1})
    assert books.send(payload(1)).stored == 1
    with Receiver(port=port) as receiver:
        assert books.send(payload(2)).stored == 2  # not looked at again yet
        time.sleep(0.12)
        assert books.send(payload(3)).delivered == 3
        assert [span["name"] for span in receiver.spans()] == ["span-0", "span-1", "span-2"]
    assert books.send(payload(4), 0.2).stored == 4  # and it is gone again
    assert kept.items == 7


def test_a_default_endpoint_that_does_not_answer_costs_a_tenth_of_a_second_once(deliver: Any, payload: Any) -> None:
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    crowd = [socket.socket() for _ in range(4)]  # fill the backlog: further connections hang
    for each in crowd:
        each.setblocking(False)
        each.connect_ex(full.getsockname())
    try:
        books = deliver(f"http://127.0.0.1:{full.getsockname()[1]}/v1/traces", configured=False)
        started = time.monotonic()
        for _ in range(5):
            assert books.send(payload(), 30.0).stored == 1
        assert 0.09 < time.monotonic() - started < 0.4
    finally:
        for each in (*crowd, full):
            each.close()


def test_an_endpoint_that_the_user_named_is_tried_even_if_nobody_listens(deliver: Any, payload: Any, said: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert deliver(f"http://localhost:{port}/v1/traces").send(payload(), 0.1).stored == 1
    assert "cannot deliver" in said.only
