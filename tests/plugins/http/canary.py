"""Run in a process of its own: sends secrets through one library, named by the contract test that knows how to use it.

``python -m plugins.http.canary client plugins.http.test_requests:TestRequests``. Ends with exit code 77 and the reason
on stdout where the library is not there.
"""

from __future__ import annotations

import importlib
import sqlite3
import sys
import traceback
from contextlib import closing
from typing import TYPE_CHECKING, Any

import _pytest.outcomes
from opentelemetry import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MISSING = 77
MARK = "canary7f3a9c"

# The seven of the conventions, and what else programs call them.
NAMES = (
    "X-Amz-Signature", "X-Amz-Credential", "X-Amz-Security-Token", "AWSAccessKeyId", "Signature", "sig",
    "X-Goog-Signature", "access_token", "api-key", "apikey", "api_key", "auth", "client_secret", "code", "jwt", "key",
    "pass", "passwd", "password", "pwd", "refresh_token", "secret", "session_id", "token", "user[password]",
    "user%5Bpassword%5D",
)  # fmt: skip


def secret(place: str) -> str:
    """A value that must not be seen again; the place is told by it."""
    return f"{MARK}-{''.join(char for char in place if char.isalnum())}-0123456789abcdef"


QUERY = "&".join(f"{name}={secret(name)}" for name in NAMES)
HEADERS = {
    "Authorization": f"Bearer {secret('authorization')}",
    "Cookie": f"sessionid={secret('cookie')}; other={secret('another cookie')}",
    "Proxy-Authorization": f"Basic {secret('proxy')}",
    "X-Api-Key": secret("header"),
    "baggage": f"token={secret('baggage')}",
}


def targets() -> Iterator[str]:
    """Paths with their queries, each a secret of its own."""
    yield f"/?{QUERY}"
    yield f"/items/7;jsessionid={secret('path parameter')}?a=1"
    yield f"/?next=https://user:{secret('nested userinfo')}@example.org/&b=2"
    yield f"/?next=https%3A%2F%2Fexample.org%2F%3Ftoken%3D{secret('nested query')}"
    yield f"/fetch/https://user:{secret('userinfo in a path')}@example.org/"
    yield f"/fetch/https%3A%2F%2Fuser%3A{secret('encoded userinfo in a path')}%40example.org%2F"
    yield f"/?json=%7B%22password%22%3A%22{secret('json')}%22%7D"
    yield f"/status/503?token={secret('query of an error')}"
    yield f"/nowhere?password={secret('query of nothing')}"


def attempt(function: Callable[..., Any], *arguments: Any) -> None:
    """Calls it within a span of the program's, which is told of what goes wrong."""
    try:
        with trace.get_tracer("program").start_as_current_span("attempt"):
            function(*arguments)
    except Exception:
        traceback.print_exc(file=sys.stdout)


def client(library: Any) -> None:
    """Every secret a client may send, to a server that answers and to nobody."""
    from plugins.http.client_contract import Server

    with Server() as server:
        here = f"127.0.0.1:{server.port}"
        for target in targets():
            attempt(library.send, "GET", f"http://{here}{target}", dict(HEADERS))
        attempt(library.send, "GET", f"http://user:{secret('userinfo')}@{here}/?a=1", dict(HEADERS))
        attempt(library.send, "GET", f"http://{secret('user')}@{here}/")
        attempt(library.send, "GET", f"http://user:{secret('password')}%2F%40@{here}/")
        attempt(library.send, "GET", f"http://{here}/#token={secret('fragment')}")
        asked = len(server.seen)
    assert asked >= len(list(targets())) - 2, f"only {asked} requests arrived"
    for target in targets():
        attempt(library.send, "GET", f"http://user:{secret('userinfo of nobody')}@{here}{target}", dict(HEADERS))
        attempt(library.send, "GET", f"http://{here}{target}", dict(HEADERS))


def server(library: Any) -> None:
    """Every secret a server may be sent, on its way to an answer, an error and an exception."""
    with library.serving() as port:
        for target in targets():
            attempt(library.ask, port, target, "GET", HEADERS)
        attempt(library.ask, port, f"/boom?{QUERY}", "GET", HEADERS)
        attempt(library.ask, port, "/", "GET", {"Host": f"user:{secret('host')}@127.0.0.1:{port}"})
        attempt(library.ask, port, "/", "GET", {"X-Forwarded-Host": f"user:{secret('forwarded host')}@shop.example"})
        attempt(library.ask, port, "/", "GET", {"Forwarded": f'host="user:{secret("forwarded")}@shop.example"'})
        attempt(library.ask, port, "/", "GET", {"Referer": f"http://127.0.0.1/?token={secret('referer')}"})
        attempt(library.ask, port, f"http://user:{secret('absolute')}@127.0.0.1:{port}/?token={secret('absolute')}")


def program() -> None:
    """What no library of HTTP is needed for: a database's literals, and messages that quote URLs and settings."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE users (name TEXT UNIQUE, password TEXT)")
        insert = f"INSERT INTO users VALUES ('{secret('literal')}', '{secret('another literal')}')"
        connection.execute(insert)
        attempt(connection.execute, insert)
        attempt(connection.execute, f"SELECT * FROM users WHERE name = '{secret('where')}' AND no_column = 1")
        attempt(connection.execute, f"SELECT '{secret('unfinished')}")
        connection.execute("SELECT * FROM users WHERE name = ?", (secret("parameter"),))
    for message in (
        f"GET https://user:{secret('url in a message')}@example.org/ failed",
        f"no route to postgresql://shop:{secret('dsn')}@db.example/shop",
        f"401 for https://example.org/?{QUERY}",
        f"Authorization: Bearer {secret('header in a message')}",
        f"password={secret('setting in a message')}",
    ):
        attempt(_raise, message)


def _raise(message: str) -> None:
    raise RuntimeError(message)


def main(what: str, where: str) -> int:
    """Runs ``client`` or ``server`` with a contract test, or ``program``."""
    module, _, name = where.partition(":")
    try:
        if what == "program":
            program()
        else:
            library = getattr(importlib.import_module(module), name)()
            {"client": client, "server": server}[what](library)
    except (ModuleNotFoundError, _pytest.outcomes.Skipped) as missing:
        print(missing)
        return MISSING
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
