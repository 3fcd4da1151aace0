"""A stand-in for a MongoDB server: it speaks the wire protocol and answers what tests need, from memory of its own.

Protocol-true for hello, insert, find with getMore, aggregate, update, delete and errors; it is no database.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bson

from support.servers import LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER = struct.Struct("<iiii")
_OP_REPLY, _OP_QUERY, _OP_MSG = 1, 2004, 2013
_MORE_TO_COME = 2

DUPLICATE = {
    "index": 0,
    "code": 11000,
    "errmsg": 'E11000 duplicate key error dup key: { name: "hunter2", number: 4711 }',
}


class _Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while header := self._exactly(16):
            length, request_id, _, opcode = _HEADER.unpack(header)
            body = self._exactly(length - 16)
            if opcode == _OP_QUERY:
                name_end = body.index(b"\0", 4)
                command = bson.decode(body[name_end + 9 :])
                answer = struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(_answer(command))
                self._send(request_id, _OP_REPLY, answer)
            else:
                (flags,) = struct.unpack_from("<I", body)
                answered = _answer(_message(body[4:]))
                if not flags & _MORE_TO_COME:
                    self._send(request_id, _OP_MSG, b"\0\0\0\0\0" + bson.encode(answered))

    def _exactly(self, count: int) -> bytes:
        read = b""
        while len(read) < count:
            try:
                chunk = self.request.recv(count - len(read))
            except ConnectionError:
                return b""
            if not chunk:
                return b""
            read += chunk
        return read

    def _send(self, request_id: int, opcode: int, body: bytes) -> None:
        self.request.sendall(_HEADER.pack(16 + len(body), 0, request_id, opcode) + body)


def _message(sections: bytes) -> dict[str, Any]:
    """The command of an OP_MSG, with its document sequences as lists."""
    command: dict[str, Any] = {}
    position = 0
    while position < len(sections):
        kind = sections[position]
        (size,) = struct.unpack_from("<i", sections, position + 1)
        section = sections[position + 1 : position + 1 + size]
        if kind == 0:
            command = {**bson.decode(section), **command}
        else:
            end = section.index(b"\0", 4)
            command[section[4:end].decode()] = bson.decode_all(section[end + 1 :])
        position += 1 + size
    # Sections may come in any order; the command's own name stands first in the body.
    return command


def _answer(command: dict[str, Any]) -> dict[str, Any]:
    name = next((key for key in command if key in _ANSWERS), "")
    return {"ok": 1.0, **_ANSWERS[name](command)} if name else {"ok": 0.0, "code": 59, "errmsg": "no such command"}


def _insert(command: dict[str, Any]) -> dict[str, Any]:
    if any(document.get("_id") == "twice" for document in command["documents"]):
        return {"n": 0, "writeErrors": [DUPLICATE]}
    return {"n": len(command["documents"])}


def _find(command: dict[str, Any]) -> dict[str, Any]:
    if "$nonsense" in command.get("filter", {}):
        return {"ok": 0.0, "code": 2, "codeName": "BadValue", "errmsg": "unknown operator: { $nonsense: 'hunter2' }"}
    return {"cursor": {"id": 7 if command.get("batchSize") == 1 else 0, "ns": _ns(command), "firstBatch": [{"_id": 1}]}}


def _ns(command: dict[str, Any]) -> str:
    return f"{command['$db']}.goods"


def _hello(_: dict[str, Any]) -> dict[str, Any]:
    limits = {"maxBsonObjectSize": 16777216, "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000}
    return {"ismaster": True, "isWritablePrimary": True, "minWireVersion": 0, "maxWireVersion": 21, **limits}


_ANSWERS: dict[str, Any] = {
    "hello": _hello,
    "ismaster": _hello,
    "isMaster": _hello,
    "ping": lambda _: {},
    "endSessions": lambda _: {},
    "killCursors": lambda _: {},
    "insert": _insert,
    "update": lambda _: {"n": 1, "nModified": 1},
    "delete": lambda _: {"n": 1},
    "find": _find,
    "getMore": lambda command: {"cursor": {"id": 0, "ns": _ns(command), "nextBatch": [{"_id": 2}]}},
    "aggregate": lambda command: {"cursor": {"id": 0, "ns": _ns(command), "firstBatch": [{"_id": None, "sum": 3}]}},
}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def fake_mongodb() -> Iterator[int]:
    """The port of a stand-in that lives as long as this."""
    with _Server((LOCAL, 0), _Connection) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
