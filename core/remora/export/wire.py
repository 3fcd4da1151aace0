"""A TCP or TLS connection on which no call outlives its budget, in a process whose `socket` module may be patched.

The sockets are `_socket.socket`, the type beneath `socket.socket`, which gevent and eventlet leave alone; TLS goes
through memory BIOs, so there is one place that waits.
"""

from __future__ import annotations

import _socket
import io

from remora.export.resolve import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Any, Protocol

    from remora.export.deadline import Budget
else:
    Protocol = object

_CHUNK_BYTES = 65536
_OPENING_BYTES = 64


class Wire(Protocol):
    """What both kinds of connection can do."""

    budget: Budget

    def read(self, limit: int) -> bytes: ...
    def write(self, data: bytes | memoryview) -> None: ...
    def ended(self) -> bool: ...
    def close(self) -> None: ...


class Tcp:
    """A connected socket."""

    def __init__(self, sock: Any, budget: Budget) -> None:
        self._socket = sock
        self.budget = budget

    def read(self, limit: int) -> bytes:
        """At most `limit` bytes, b"" at the end."""
        while True:
            self._socket.settimeout(self.budget.slice_s())
            try:
                data: bytes = self._socket.recv(limit)
            except TimeoutError as error:
                if error.errno is not None:  # ETIMEDOUT: the connection itself is dead
                    raise
            else:
                return data

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            self._socket.settimeout(self.budget.slice_s())
            try:
                view = view[self._socket.send(view) :]
            except TimeoutError as error:
                if error.errno is not None:
                    raise

    def ended(self) -> bool:
        """Whether the peer closed the connection while it was idle."""
        try:
            self._socket.settimeout(0)
            return not self._socket.recv(1, _socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        try:
            self._socket.close()
        except OSError:
            pass

    def __del__(self) -> None:
        self.close()  # a forked child and a finished program forget it; a ResourceWarning would be seen there


class Tls:
    """TLS over another wire, which may itself be TLS (an https proxy)."""

    def __init__(self, inner: Wire, context: ssl.SSLContext, host: str) -> None:
        import ssl  # only for who talks TLS

        self._inner = inner
        self._wants_read = ssl.SSLWantReadError
        self._closed = (ssl.SSLZeroReturnError, ssl.SSLEOFError)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        inner.budget.doing = "TLS handshake"
        while True:
            try:
                self._tls.do_handshake()
            except self._wants_read:
                self._flush()
                self._feed()
            except ssl.SSLError:
                self._flush()  # the alert tells the server why
                raise
            else:
                break
        self._flush()

    @property
    def budget(self) -> Budget:
        return self._inner.budget

    @budget.setter
    def budget(self, budget: Budget) -> None:
        self._inner.budget = budget

    def read(self, limit: int) -> bytes:
        while True:
            try:
                return self._tls.read(limit)
            except self._wants_read:
                self._flush()
                self._feed()
            except self._closed:
                return b""

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            view = view[self._tls.write(view[:_CHUNK_BYTES]) :]
            self._flush()

    def ended(self) -> bool:
        return self._inner.ended()

    def close(self) -> None:
        self._inner.close()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._inner.write(self._outgoing.read())

    def _feed(self) -> None:
        data = self._inner.read(_CHUNK_BYTES)
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()


class Answering(io.RawIOBase):
    """The reading half of a wire as the file that HTTPResponse parses; keeps the first bytes as evidence."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire
        self.opening = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._wire.read(len(buffer))
        if len(self.opening) < _OPENING_BYTES:
            self.opening += data[:_OPENING_BYTES]
        buffer[: len(data)] = data
        return len(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """HTTPResponse asks its socket for a file."""
        return io.BufferedReader(self)


def connect(host: str, port: int, budget: Budget) -> Tcp:
    """Try the host's addresses in turn, none of which may use up the time of the others."""
    found = resolve(host, port, budget)
    budget.doing = "connecting"
    failure: OSError = OSError(f"{host} has no address")
    for index, (family, kind, protocol, _, address) in enumerate(found):
        sock = _socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            _establish(sock, address, budget.share(of=len(found) - index))
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return Tcp(sock, budget)
    raise failure


def _establish(sock: Any, address: Any, budget: Budget) -> None:
    sock.settimeout(budget.slice_s())
    try:
        sock.connect(address)
        return
    except TimeoutError as error:
        if error.errno is not None:
            raise
    while True:  # still connecting; a send waits for that, and an empty one says nothing to the peer
        sock.settimeout(budget.slice_s())
        try:
            sock.send(b"")
            return
        except TimeoutError as error:
            if error.errno is not None:
                raise
