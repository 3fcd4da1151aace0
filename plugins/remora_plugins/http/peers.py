"""Whom a connection really goes to, as sockets, asyncio transports and httpcore streams tell it."""

from __future__ import annotations

from weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.conventions.http_client import HttpClientCall

# By socket or stream, as long as it lives: its peer stays, and asking the operating system each time takes longer.
_names: dict[ref[Any], Any] = {}


def put(call: HttpClientCall, name: object) -> None:
    """Takes a socket's address: ``(host, port, ...)``, or the path of a Unix domain socket; None is no news."""
    if isinstance(name, tuple) and len(name) >= 2:
        call.peer_address, call.peer_port = name[0], name[1]
    elif isinstance(name, str) and name:
        call.peer_address = name


def put_socket(call: HttpClientCall, connection: Any, response: Any) -> None:
    """The peer of an ``http.client`` connection, or of the response that took over the socket of a closed one."""
    sock: Any = getattr(connection, "sock", None)
    if sock is None:
        sock = getattr(getattr(getattr(response, "fp", None), "raw", None), "_sock", None)
        if sock is None:
            return
    try:
        name = _names.get(ref(sock)) or _asked(sock, sock.getpeername)
    except (AttributeError, OSError, TypeError):  # a test's double, or the peer has gone
        name = _of_double(sock)
    put(call, name)


def put_stream(call: HttpClientCall, stream: Any) -> None:
    """The peer of a stream of httpcore's."""
    try:
        name = _names.get(ref(stream)) or _asked(stream, stream.get_extra_info, "server_addr")
    except OSError:
        return  # the server has hung up already
    except TypeError:  # not to be referred to weakly
        name = stream.get_extra_info("server_addr")
    put(call, name)


def _asked(end: Any, ask: Any, *about: str) -> Any:
    name = ask(*about)
    if name is not None:
        _names[ref(end, _names.pop)] = name
    return name


def _of_double(sock: Any) -> Any:
    try:
        return sock.getpeername()
    except (AttributeError, OSError):
        return None
