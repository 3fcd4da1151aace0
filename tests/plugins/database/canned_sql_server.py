"""A stand-in for SQL Server that speaks as much TDS 7.4 as FreeTDS needs to log in, to ask and to call procedures."""

from __future__ import annotations

import socketserver
import struct
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH, _RPC, _ANSWER, _ATTENTION, _LOGIN, _PRELOGIN = 1, 3, 4, 6, 16, 18
_DONE, _DONE_PROCEDURE = 0xFD, 0xFE
_ENCRYPTION_NOT_SUPPORTED = b"\x02"
_INT = b"\x26\x04"  # INTN of four bytes


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while True:
            kind, content = self._message()
            if kind == _PRELOGIN:
                self._answer(_prelogin())
            elif kind == _LOGIN:
                self._answer(_login() + _done(_DONE, 0))
            elif kind == _BATCH:
                headers = struct.unpack_from("<I", content)[0]
                self._answer(_result(content[headers:].decode("utf-16-le")))
            elif kind == _RPC:
                self._answer(b"\x79" + struct.pack("<i", 0) + _done(_DONE_PROCEDURE, 0))
            elif kind == _ATTENTION:
                self._answer(_done(_DONE, 0, status=32))

    def _message(self) -> tuple[int, bytes]:
        content = b""
        while True:
            head = self.rfile.read(8)
            if len(head) < 8:
                raise ConnectionError
            kind, last, size = struct.unpack_from(">BBH", head)
            content += self.rfile.read(size - 8)
            if last & 1:
                return kind, content

    def _answer(self, content: bytes) -> None:
        self.wfile.write(struct.pack(">BBHHBB", _ANSWER, 1, len(content) + 8, 0, 1, 0) + content)


def _prelogin() -> bytes:
    """Version and encryption: each an option of five bytes that says where its value is."""
    version = b"\x0f\x00\x07\xd0\x00\x00"
    start = 2 * 5 + 1
    options = struct.pack(">BHH", 0, start, len(version)) + struct.pack(">BHH", 1, start + len(version), 1)
    return options + b"\xff" + version + _ENCRYPTION_NOT_SUPPORTED


def _login() -> bytes:
    name = "Microsoft SQL Server"
    told = b"\x01" + b"\x74\x00\x00\x04" + bytes([len(name)]) + name.encode("utf-16-le") + b"\x0f\x00\x07\xd0"
    size = "4096"
    packets = b"\x04" + bytes([len(size)]) + size.encode("utf-16-le") + b"\x00"
    return b"\xad" + struct.pack("<H", len(told)) + told + b"\xe3" + struct.pack("<H", len(packets)) + packets


def _result(query: str) -> bytes:
    if "no_such_table" in query:
        return _error(208, 16, "Invalid object name 'no_such_table'.") + _done(_DONE, 0, status=2)
    if "duplicate" in query:
        text = "Violation of UNIQUE KEY constraint 'u'. The duplicate key value is (hunter2)."
        return _error(2627, 14, text) + _done(_DONE, 0, status=2)
    if query.lstrip().startswith("SELECT"):
        column = struct.pack("<IH", 0, 1) + _INT + b"\x01" + "1".encode("utf-16-le")
        return b"\x81" + struct.pack("<H", 1) + column + b"\xd1\x04" + struct.pack("<i", 1) + _done(_DONE, 1, status=16)
    return _done(_DONE, 1, status=16)


def _error(number: int, severity: int, text: str) -> bytes:
    told = struct.pack("<iBB", number, 1, severity) + struct.pack("<H", len(text)) + text.encode("utf-16-le")
    told += b"\x00\x00" + struct.pack("<I", 1)
    return b"\xaa" + struct.pack("<H", len(told)) + told


def _done(kind: int, rows: int, *, status: int = 0) -> bytes:
    return struct.pack("<BHHQ", kind, status, 0, rows)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is none of the test's business."""


@contextmanager
def canned_sql_server() -> Iterator[int]:
    """The port of a stand-in that lives as long as this and lets anybody in.

    A process of its own: FreeTDS waits for the server without letting other threads run.
    """
    command = [sys.executable, "-I", __file__]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


if __name__ == "__main__":
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
