"""Canned answers over HTTP/1.1 by a server that is no library: no span but the driver's is to be seen."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.servers import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # (method, path, body, own URL) -> (status, headers, body)
    Answer = Callable[[str, str, bytes, str], tuple[int, dict[str, str], bytes]]


@contextmanager
def canned_http(answer: Answer) -> Iterator[int]:
    """The port of a server that lives as long as this."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while line := self.rfile.readline().decode():
                method, path, _ = line.split()
                headers = {}
                while header := self.rfile.readline().decode().strip():
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                body = self._body(headers)
                status, told, content = answer(method, path, body, f"http://{LOCAL}:{port}")
                head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
                self.wfile.write(
                    f"HTTP/1.1 {status} .\r\nContent-Length: {len(content)}\r\n{head}\r\n".encode() + content
                )

        def _body(self, headers: dict[str, str]) -> bytes:
            if headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(headers.get("content-length", 0)))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

    with _Server((LOCAL, 0), Handler) as server:
        port: int = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield port
        finally:
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is none of the test's business."""
