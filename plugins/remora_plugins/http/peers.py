"""Whom a connection really goes to, as sockets, asyncio transports and httpcore streams tell it."""

from __future__ import annotations

from weakref import WeakKeyDictionary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from remora.conventions.http_client import HttpClientCall

# By socket or stream, as long as it lives: its peer stays, and asking the operating system each time takes longer.
_names: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


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
    try:
        put(call, _known(sock, "getpeername"))
    except (AttributeError, OSError):  # a test's double, or the peer has gone
        pass


def put_stream(call: HttpClientCall, stream: Any) -> None:
    """The peer of a stream of httpcore's."""
    try:
        put(call, _known(stream, "get_extra_info", "server_addr"))
    except OSError:
        pass  # the server has hung up already


def _known(end: Any, method: str, *args: str) -> Any:
    try:
        name = _names.get(end)
    except TypeError:  # not to be referred to weakly: a test's double, or None
        return getattr(end, method)(*args)
    if name is None:
        name = _names[end] = getattr(end, method)(*args)
    return name
