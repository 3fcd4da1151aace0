"""Random requests by a fixed seed: who asked what, in which trace, and what was answered."""

from __future__ import annotations

import http.client
import random
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

AT_ONCE = 16


@dataclass
class Asked:
    """``trace_id`` and ``span_id`` are of the caller, None where the request begins a trace.

    ``answered`` is the status; None where the asker went away, or the server hung up.
    """

    number: int
    path: str
    trace_id: str | None
    span_id: str | None
    leaves: bool = False
    answered: int | None = None

    @property
    def target(self) -> str:
        return f"{self.path}?id={self.number}"


def requests(count: int, seed: int, *, nested: bool) -> list[Asked]:
    """A mix of pages, missing pages, failures, streams, and askers that do not wait for the answer."""
    chance = random.Random(seed)
    weights = {
        "/": 15,
        "/items/{}": 25,
        "/status/404": 4,
        "/status/503": 4,
        "/nowhere/{}": 10,
        "/boom": 5,
        "/child": 22,
        "/stream": 3,
        "/nested": 8 if nested else 0,
    }
    asked = []
    for number, path in enumerate(chance.choices(list(weights), list(weights.values()), k=count)):
        caller = chance.random() < 0.8
        asked.append(
            Asked(
                number,
                path.format(chance.randrange(1000)),
                f"{chance.getrandbits(128) | 1:032x}" if caller else None,
                f"{chance.getrandbits(64) | 1:016x}" if caller else None,
                leaves=path in ("/stream", "/child", "/nested") and chance.random() < 0.1,
            )
        )
    return asked


def ask_all(asked: list[Asked], port: int) -> None:
    """Asks several at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(lambda one: _ask(one, port), asked):
            pass


def _ask(one: Asked, port: int) -> None:
    lines = [f"GET {one.target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Connection: close"]
    if one.trace_id:
        lines.append(f"traceparent: 00-{one.trace_id}-{one.span_id}-01")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        if one.leaves:
            return
        answer = http.client.HTTPResponse(connection, method="GET")
        try:
            answer.begin()
        except http.client.RemoteDisconnected:
            return
        with answer:
            answer.read()
            one.answered = answer.status
