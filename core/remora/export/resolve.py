"""Host names to socket addresses within a deadline, which getaddrinfo itself does not know."""

from __future__ import annotations

import _socket
from _socket import AI_NUMERICHOST, SOCK_STREAM

from remora.export.genuine import genuine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.export.deadline import Budget

    Found = list[tuple[int, int, int, str, Any]]


def resolve(host: str, port: int, budget: Budget) -> Found:
    """As socket.getaddrinfo; raises its OSError, or DeadlineError.

    `_socket` is the interpreter's own module: gevent and eventlet replace `socket`, which only wraps it.
    """
    name = host.encode("ascii") if host.isascii() else host.encode("idna")  # str would load the idna codec every time
    try:
        return _socket.getaddrinfo(name, port, 0, SOCK_STREAM, 0, AI_NUMERICHOST)
    except OSError:
        pass  # a name, not a number
    if host == "localhost":
        return _socket.getaddrinfo(name, port, 0, SOCK_STREAM)
    answers: list[Found | Exception] = []

    def ask() -> None:
        try:
            answers.append(_socket.getaddrinfo(name, port, 0, SOCK_STREAM))
        except Exception as error:
            answers.append(error)

    try:
        genuine("_thread", "start_new_thread")(ask, ())
    except RuntimeError:  # no new threads once the interpreter shuts down
        ask()
    budget.doing = "looking up the host name"
    sleep = genuine("time", "sleep")
    pause_s = 0.0005
    while not answers:
        sleep(min(budget.slice_s(), pause_s))
        pause_s *= 2
    if isinstance(answers[0], Exception):
        raise answers[0]
    return answers[0]
