"""Speaks to the Acme service."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Request:
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Response:
    status: int
    body: bytes


class Connection:
    def send(self, request: Request, *, timeout_s: float = 5.0) -> Response:
        url = urlsplit(request.url)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=timeout_s)
        try:
            connection.request(request.method, url.path or "/", headers=request.headers)
            answer = connection.getresponse()
            return Response(answer.status, answer.read())
        finally:
            connection.close()
