"""A receiver that costs next to nothing: OTLP/HTTP and Datadog's agent on loopback, in a process of its own.

It keeps what arrives as it is and answers 200; spans are counted when asked, which is outside every timed section.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import urllib.request
from collections import Counter
from pathlib import Path
from types import TracebackType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import counting

_OK = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
_AGENT = {
    "version": "7.70.0",
    "endpoints": ["/v0.4/traces", "/v0.5/traces"],
    "client_drop_p0s": False,
    "span_meta_structs": False,
}
_SAMPLING = b'{"rate_by_service":{"service:,env:":1}}'


class Sink:
    """The receiver's process, seen from the benchmark."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def __enter__(self) -> Sink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # its end of file is the process's end
        self._process.wait(10)
        self._process.stdout.close()

    def take(self) -> dict[str, int]:
        """What arrived since the last time: requests with spans, spans, their bytes on the wire and decompressed,
        and requests with metrics.
        """
        with urllib.request.urlopen(f"{self.url}/taken", timeout=300) as answer:
            counts: dict[str, int] = json.load(answer)
        return counts


class _Server:
    def __init__(self) -> None:
        self.kept: list[tuple[str, str, bytes]] = []
        self.metrics = 0
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listening.getsockname()[1]

    def accept(self) -> None:
        while True:
            connection, _ = self.listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb", 1 << 18) as stream:
                while line := stream.readline():
                    _, path, _ = line.decode().split(" ", 2)
                    headers = _headers(stream)
                    body = _body(stream, headers, connection)
                    connection.sendall(self._answer(path, headers.get("content-encoding", "none"), body))
        except (OSError, ValueError):
            return

    def _answer(self, path: str, encoding: str, body: bytes) -> bytes:
        if path == "/taken":
            return _reply(json.dumps(self._taken()).encode())
        if path == "/info":
            return _reply(json.dumps(_AGENT).encode())
        if path == "/v1/metrics":
            self.metrics += 1
            return _OK % (b"application/x-protobuf", 0, b"")
        if path.endswith("/traces"):
            self.kept.append((path, encoding, body))
            if path != "/v1/traces":
                return _reply(_SAMPLING)
            return _OK % (b"application/x-protobuf", 0, b"")
        return _reply(b"{}")

    def _taken(self) -> dict[str, int]:
        kept, self.kept = self.kept, []
        counts: Counter[str] = Counter(requests=0, spans=0, wire_bytes=0, body_bytes=0, metrics=self.metrics)
        self.metrics = 0
        for path, encoding, wire in kept:
            body = counting.decompressed(wire, encoding)
            counts["requests"] += 1
            counts["wire_bytes"] += len(wire)
            counts["body_bytes"] += len(body)
            if path == "/v1/traces":
                counts["spans"] += counting.otlp_spans(body)
            else:
                counts["spans"] += counting.datadog_spans(body, path.split("/")[1])
        return dict(counts)


def _reply(body: bytes) -> bytes:
    return _OK % (b"application/json", len(body), body)


def _headers(stream: object) -> dict[str, str]:
    headers: dict[str, str] = {}
    while (line := stream.readline()) not in (b"\r\n", b"\n", b""):  # type: ignore[attr-defined]
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


def _body(stream: object, headers: dict[str, str], connection: socket.socket) -> bytes:
    read, readline = stream.read, stream.readline  # type: ignore[attr-defined]
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return bytes(read(int(headers.get("content-length", 0))))
    body = bytearray()
    while size := int(readline().split(b";")[0], 16):
        body += read(size)
        readline()
    readline()
    return bytes(body)


def main() -> None:
    server = _Server()
    threading.Thread(target=server.accept, daemon=True).start()
    print(f"http://127.0.0.1:{server.port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
