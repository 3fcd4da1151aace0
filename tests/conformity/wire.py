"""One HTTP request by a bare socket, which knows its own end of the connection and is no traced client."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """``status`` is None if the server hung up; ``peer_port`` is the asking socket's, its peer's for the server."""

    status: int | None
    peer_port: int


def ask(port: int, path: str, method: str = "GET", version: str = "1.1", **headers: str) -> Answer:
    """Underscores in the names of ``headers`` stand for hyphens; an empty value leaves a header out."""
    sent = {"Host": f"127.0.0.1:{port}", "User-Agent": "tester/1"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in sent.items() if value), "", ""]
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        peer_port = connection.getsockname()[1]
        connection.sendall("\r\n".join(lines).encode())
        answer = http.client.HTTPResponse(connection, method=method)
        try:
            answer.begin()
        except http.client.RemoteDisconnected:
            return Answer(None, peer_port)
        with answer:
            answer.read()
            return Answer(answer.status, peer_port)
