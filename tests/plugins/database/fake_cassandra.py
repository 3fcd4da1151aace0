"""A stand-in for Cassandra: speaks version 4 of its native protocol, knows one table, and says what the query asks for.

Frames, types and error bodies are those of the protocol's specification; there is no storage behind them. Of the table
``goods`` every SELECT answers two rows, one a page if it is asked for pages. ``refuse`` in a query is answered with an
error, ``hang`` with nothing.
"""

from __future__ import annotations

import hashlib
import re
import socketserver
import struct
import threading
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ERROR, _READY, _SUPPORTED, _RESULT = 0x00, 0x02, 0x06, 0x08
_STARTUP, _OPTIONS, _QUERY, _PREPARE, _EXECUTE, _REGISTER, _BATCH = 0x01, 0x05, 0x07, 0x09, 0x0A, 0x0B, 0x0D
_VOID, _ROWS, _SET_KEYSPACE, _PREPARED = 1, 2, 3, 4
_INVALID, _UNAVAILABLE, _SYNTAX = 0x2200, 0x1000, 0x2000
_ASCII, _INT, _UUID, _INET, _VARCHAR, _SET = 0x01, 0x09, 0x0C, 0x10, 0x0D, 0x22
_HAS_VALUES, _SKIPS_METADATA, _HAS_PAGE_SIZE, _HAS_PAGING_STATE = 0x01, 0x02, 0x04, 0x08

HOST_ID = uuid.UUID("6d194555-f6eb-41d0-c000-000000000001")
DATACENTER = "datacenter1"
_TABLE = (("id", _INT), ("name", _VARCHAR))


@dataclass
class Cassandra:
    """``requests`` are the texts that came in, those of the driver's own left out."""

    port: int
    requests: list[str] = field(default_factory=list)


@contextmanager
def fake_cassandra() -> Iterator[Cassandra]:
    prepared: dict[bytes, str] = {}

    class Connection(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError):
                while True:
                    version, _, stream, opcode, size = struct.unpack(">BBhBi", self._exactly(9))
                    if version != 0x04:
                        self._send(stream, _ERROR, struct.pack(">i", 0x0A) + _string("Invalid or unsupported protocol"))
                        return
                    answer = _answer(opcode, _Body(self._exactly(size)), cassandra, prepared)
                    if answer is not None:
                        self._send(stream, *answer)

        def _send(self, stream: int, opcode: int, body: bytes) -> None:
            self.request.sendall(struct.pack(">BBhBi", 0x84, 0, stream, opcode, len(body)) + body)

        def _exactly(self, size: int) -> bytes:
            data = b""
            while len(data) < size:
                piece = self.request.recv(size - len(data))
                if not piece:
                    raise ConnectionResetError
                data += piece
            return data

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Connection) as server:
        cassandra = Cassandra(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield cassandra
        finally:
            server.shutdown()
            thread.join()


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, form: str) -> int:
        (value,) = struct.unpack(f">{form}", self.take(struct.calcsize(form)))
        return int(value)

    def long_string(self) -> str:
        return self.take(self.number("i")).decode()

    def short_bytes(self) -> bytes:
        return self.take(self.number("H"))

    def value(self) -> None:
        self.take(max(self.number("i"), 0))

    def parameters(self) -> tuple[bool, bool]:
        """Of a query: whether it asks for pages, and whether it is for the second one."""
        self.number("H")  # consistency
        flags = self.number("B")
        if flags & _HAS_VALUES:
            for _ in range(self.number("H")):
                self.value()
        paged = bool(flags & _HAS_PAGE_SIZE) and self.number("i") == 1
        return paged, bool(flags & _HAS_PAGING_STATE)


def _answer(opcode: int, body: _Body, cassandra: Cassandra, prepared: dict[bytes, str]) -> tuple[int, bytes] | None:
    if opcode == _OPTIONS:
        return _SUPPORTED, _multimap({"CQL_VERSION": ["3.4.5"], "COMPRESSION": []})
    if opcode in (_STARTUP, _REGISTER):
        return _READY, b""
    if opcode == _QUERY:
        text = body.long_string()
        own = _about_the_cluster(text)
        if own is not None:
            return _RESULT, own
        return _queried(text, *body.parameters(), cassandra)
    if opcode == _PREPARE:
        text = body.long_string()
        cassandra.requests.append(text)
        failure = _failure(text)
        if failure is not None:
            return _ERROR, failure
        identity = hashlib.md5(text.encode(), usedforsecurity=False).digest()
        prepared[identity] = text
        return _RESULT, _described(identity, text)
    if opcode == _EXECUTE:
        return _queried(prepared[body.short_bytes()], *body.parameters(), cassandra)
    if opcode == _BATCH:
        return _batched(body, cassandra, prepared)
    return _ERROR, struct.pack(">i", 0x0A) + _string("unknown opcode")


def _queried(text: str, paged: bool, second: bool, cassandra: Cassandra) -> tuple[int, bytes] | None:
    cassandra.requests.append(text)
    if "hang" in text:
        return None
    failure = _failure(text)
    if failure is not None:
        return _ERROR, failure
    use = re.match(r'USE "?(\w+)"?', text)
    if use:
        return _RESULT, struct.pack(">i", _SET_KEYSPACE) + _string(use[1])
    if not text.startswith("SELECT"):
        return _RESULT, struct.pack(">i", _VOID)
    rows = [[struct.pack(">i", 1), b"lamp"], [struct.pack(">i", 2), b"chair"]]
    if paged:
        return _RESULT, _rows(_TABLE, rows[1:] if second else rows[:1], b"" if second else b"more")
    return _RESULT, _rows(_TABLE, rows)


def _batched(body: _Body, cassandra: Cassandra, prepared: dict[bytes, str]) -> tuple[int, bytes]:
    body.number("B")  # logged, unlogged, counter
    for _ in range(body.number("H")):
        is_prepared = body.number("B")
        cassandra.requests.append(prepared[body.short_bytes()] if is_prepared else body.long_string())
        for _ in range(body.number("H")):
            body.value()
    return _RESULT, struct.pack(">i", _VOID)


def _failure(text: str) -> bytes | None:
    """ERROR bodies as the server writes them, which quote the query."""
    if "unavailable" in text:  # consistency, replicas required, replicas alive
        return (
            struct.pack(">i", _UNAVAILABLE)
            + _string("Cannot achieve consistency level QUORUM")
            + b"\0\4\0\0\0\2\0\0\0\1"
        )
    if "no_such_table" in text:
        return struct.pack(">i", _INVALID) + _string("unconfigured table no_such_table")
    if "refuse" in text:
        return struct.pack(">i", _INVALID) + _string(f'Invalid STRING constant ("hunter2") in {text}')
    if "SELEKT" in text:
        return struct.pack(">i", _SYNTAX) + _string(f"line 1:0 no viable alternative at input 'SELEKT' ([{text}]...)")
    return None


def _about_the_cluster(text: str) -> bytes | None:
    """What the driver asks for itself."""
    if "system.local" in text:
        address = b"\x7f\0\0\1"
        columns: dict[str, tuple[object, bytes]] = {
            "key": (_VARCHAR, b"local"),
            "cluster_name": (_VARCHAR, b"Test Cluster"),
            "data_center": (_VARCHAR, DATACENTER.encode()),
            "rack": (_VARCHAR, b"rack1"),
            "release_version": (_VARCHAR, b"4.1.3"),
            "partitioner": (_VARCHAR, b"org.apache.cassandra.dht.Murmur3Partitioner"),
            "host_id": (_UUID, HOST_ID.bytes),
            "schema_version": (_UUID, HOST_ID.bytes),
            "rpc_address": (_INET, address),
            "broadcast_address": (_INET, address),
            "listen_address": (_INET, address),
            "tokens": ((_SET, _VARCHAR), struct.pack(">i", 1) + struct.pack(">i", 1) + b"0"),
        }
        specification = tuple((name, kind) for name, (kind, _) in columns.items())
        return _rows(specification, [[value for _, value in columns.values()]], keyspace="system", table="local")
    if "system.peers" in text or "system_schema." in text:
        if "peers_v2" in text:
            return _rows((("peer", _INET),), [], keyspace="system", table="peers_v2")
        return _rows((("peer", _INET),), [], keyspace="system", table="peers")
    return None


def _rows(
    columns: tuple[tuple[str, object], ...],
    rows: list[list[bytes]],
    paging_state: bytes = b"",
    keyspace: str = "shop",
    table: str = "goods",
) -> bytes:
    flags = 0x01 | (0x02 if paging_state else 0)
    body = struct.pack(">iii", _ROWS, flags, len(columns))
    if paging_state:
        body += struct.pack(">i", len(paging_state)) + paging_state
    body += _columns(columns, keyspace, table) + struct.pack(">i", len(rows))
    return body + b"".join(struct.pack(">i", len(value)) + value for row in rows for value in row)


def _columns(columns: tuple[tuple[str, object], ...], keyspace: str, table: str) -> bytes:
    return _string(keyspace) + _string(table) + b"".join(_string(name) + _type(kind) for name, kind in columns)


def _type(kind: object) -> bytes:
    return b"".join(struct.pack(">H", part) for part in (kind if isinstance(kind, tuple) else (kind,)))


def _described(identity: bytes, text: str) -> bytes:
    """A prepared statement: all its marks are of ``name``'s type unless they are compared with an ``id``."""
    marks = re.findall(r"(\w+) = \?|\?", text)
    bound = tuple((name or f"arg{position}", _INT if name == "id" else _VARCHAR) for position, name in enumerate(marks))
    body = struct.pack(">i", _PREPARED) + struct.pack(">H", len(identity)) + identity
    body += struct.pack(">iii", 0x01, len(bound), 0) + _columns(bound, "shop", "goods")
    if not text.startswith("SELECT"):
        return body + struct.pack(">ii", 0x04, 0)
    return body + struct.pack(">ii", 0x01, len(_TABLE)) + _columns(_TABLE, "shop", "goods")


def _string(text: str) -> bytes:
    return struct.pack(">H", len(text.encode())) + text.encode()


def _multimap(values: dict[str, list[str]]) -> bytes:
    pairs = b"".join(
        _string(name) + struct.pack(">H", len(texts)) + b"".join(map(_string, texts)) for name, texts in values.items()
    )
    return struct.pack(">H", len(values)) + pairs
