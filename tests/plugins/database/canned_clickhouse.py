"""A stand-in for ClickHouse's native protocol, of a revision old enough to leave most of it out."""

from __future__ import annotations

import socketserver
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from support.servers import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator

_REVISION = 50264  # knows temporary tables, and no more
_QUERY, _DATA, _PING = 1, 2, 4
_HELLO_ANSWER, _DATA_ANSWER, _EXCEPTION, _PONG, _END = 0, 1, 2, 4, 5
_GOODS = (("id", "Int32"), ("name", "String"))


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._number()
        self._text()
        for _ in range(3):
            self._number()
        for _ in range(3):
            self._text()  # database, user, password
        self.wfile.write(_number(_HELLO_ANSWER) + _text("ClickHouse") + bytes([1, 1]) + _number(_REVISION))
        while True:
            kind = self._number()
            if kind == _PING:
                self.wfile.write(_number(_PONG))
            elif kind == _QUERY:
                self._query()

    def _query(self) -> None:
        self._text()  # its id
        while self._text():  # settings
            self._number()
        self._number()
        self._number()
        query = self._text()
        self._block()  # no external tables
        if "no_such_table" in query:
            message = "DB::Exception: Table shop.no_such_table doesn't exist"
            self.wfile.write(
                _number(_EXCEPTION)
                + struct.pack("<i", 60)
                + _text("DB::Exception")
                + _text(message)
                + _text("")
                + b"\0"
            )
            return
        if query.startswith("INSERT") and query.rstrip().endswith("VALUES"):
            self.wfile.write(_data(_GOODS, 0))
            while self._block():
                continue
        elif query.startswith("SELECT"):
            self.wfile.write(_data((("1", "UInt8"),), 1, b"\x01"))
        self.wfile.write(_number(_END))

    def _block(self) -> int:
        """How many rows there were in it."""
        assert self._number() == _DATA
        self._text()
        columns, rows = self._number(), self._number()
        for _ in range(columns):
            self._text()
            if self._text() == "Int32":
                self.rfile.read(4 * rows)
            else:
                for _row in range(rows):
                    self._text()
        return rows

    def _number(self) -> int:
        found = shift = 0
        while True:
            read = self.rfile.read(1)
            if not read:
                raise ConnectionError
            found |= (read[0] & 0x7F) << shift
            if not read[0] & 0x80:
                return found
            shift += 7

    def _text(self) -> str:
        return self.rfile.read(self._number()).decode()


def _number(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _text(value: str) -> bytes:
    return _number(len(value)) + value.encode()


def _data(columns: tuple[tuple[str, str], ...], rows: int, content: bytes = b"") -> bytes:
    told = b"".join(_text(name) + _text(kind) for name, kind in columns)
    return _number(_DATA_ANSWER) + _text("") + bytes([len(columns), rows]) + told + content


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is none of the test's business."""


@contextmanager
def canned_clickhouse() -> Iterator[int]:
    """The port of a stand-in that lives as long as this; its one table has an id and a name."""
    with _Server((LOCAL, 0), _Conversation) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
