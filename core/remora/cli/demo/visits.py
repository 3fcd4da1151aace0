"""The requests that the demo sends to its shop, and what is expected of their traces."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_TIMEOUT_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class Visit:
    """A request; ``status`` is the answer it should get, ``calls_stock`` whether the shop asks the other service."""

    method: str
    path: str
    status: int
    body: dict[str, object] | None = None
    calls_stock: bool = False

    @property
    def words(self) -> str:
        return f"{self.method} {self.path}"


_ROUND: Final = (
    Visit("GET", "/", 200),
    Visit("GET", "/products", 200),
    Visit("POST", "/orders", 201, {"product": "cup", "pieces": 2}, calls_stock=True),
    Visit("GET", "/products/spoon", 404),
    Visit("POST", "/orders", 500, {"product": "umbrella", "pieces": 1}, calls_stock=True),
    Visit("GET", "/products/plate", 200),
    Visit("POST", "/orders", 201, {"product": "plate", "pieces": 6}, calls_stock=True),
)
LEAST: Final = 5  # a round up to the order that fails


def visits(count: int) -> list[Visit]:
    """So many requests, round after round."""
    return [_ROUND[number % len(_ROUND)] for number in range(count)]


def pay(visit: Visit, url: str) -> int:
    """Send it, as any client would; returns the status of the answer. OSError if there is none.

    Waits for the end of the connection, too: only then the server is done with the request, and its span has ended.
    """
    connection = HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_S)
    body = json.dumps(visit.body) if visit.body is not None else None
    headers = {"Connection": "close", **({"Content-Type": "application/json"} if body else {})}
    try:
        connection.connect()
        with connection.sock.dup() as line:
            connection.request(visit.method, visit.path, body, headers)
            response = connection.getresponse()
            response.read()
            line.settimeout(_TIMEOUT_S)
            while line.recv(4096):
                pass
        return response.status
    finally:
        connection.close()
