"""A stand-in for Elasticsearch and OpenSearch: canned answers over HTTP, as the clients expect them."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from support.servers import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOUND = {"hits": {"total": {"value": 1, "relation": "eq"}, "hits": [{"_id": "1", "_source": {"name": "hunter2"}}]}}
_FAILED = {
    "error": {
        "type": "parsing_exception",
        "reason": "unknown query [hunter2 [4711]]",
        "root_cause": [{"type": "parsing_exception", "reason": "unknown query [hunter2]"}],
    },
    "status": 400,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path))  # type: ignore[attr-defined]
        path = self.path.partition("?")[0]
        status, answer = 200, _FOUND
        if path.startswith("/missing"):
            status, answer = 404, {"error": "no such index", "status": 404}
        elif b"nonsense" in body:
            status, answer = 400, _FAILED
        elif path.startswith("/busy") and len(self.server.seen) % 2:  # type: ignore[attr-defined]
            status, answer = 503, {"error": "busy", "status": 503}
        elif "/_doc" in path and self.command == "PUT":
            status, answer = 201, {"_index": "goods", "_id": "1", "result": "created"}
        content = b"" if self.command == "HEAD" else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("X-Found-Handling-Cluster", "cluster-1")
        self.send_header("X-Found-Handling-Instance", "instance-1")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, *_: Any) -> None:
        """Quietly."""


@contextmanager
def fake_search_engine() -> Iterator[int]:
    """The port of a stand-in that lives as long as this; it answers the first request for ``/busy`` with 503."""
    with ThreadingHTTPServer((LOCAL, 0), _Handler) as server:
        server.seen = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
