"""pymemcache: pools and hash rings come down to one client per server, with three methods that talk to it.

Keys are not shown, for the same reason as Redis's: they hold session tokens as often as values do.
"""

from __future__ import annotations

from remora.conventions.database import DatabaseCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_OTHER = "_OTHER"


def patch(base: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(base.Client, "_fetch_cmd", reads=_fetch, ends=_answered)
    patcher.wrap(base.Client, "_store_cmd", reads=_store, ends=_answered)
    patcher.wrap(base.Client, "_misc_cmd", reads=_misc, ends=_answered)


class MemcachedCall(DatabaseCall):
    """A call that knows its client, which has the connection when it is over."""

    __slots__ = ("client",)
    client: Any

    def end(self, exception: Any) -> dict[str, Any]:
        """Adds whom the client talked to."""
        name = _peer_name(self.client)
        if isinstance(name, tuple):
            self.peer_address, self.peer_port = name[0], name[1]
        elif isinstance(name, str) and name:
            self.peer_address = name
        return super().end(exception)

    def release(self) -> Any:
        self.client = None
        return super().release()


def _fetch(client: Any, name: bytes, *_: Any, **__: Any) -> MemcachedCall:
    return _call(client, name)


def _store(client: Any, name: bytes, values: Any = (), *_: Any, **__: Any) -> MemcachedCall:
    return _call(client, name, len(values))


def _misc(client: Any, cmds: Any, cmd_name: bytes, *_: Any, **__: Any) -> MemcachedCall:
    return _call(client, cmd_name, len(cmds))


def _call(client: Any, name: bytes, size: int = 1) -> MemcachedCall:
    server = client.server
    host, port = server if isinstance(server, tuple) else (server, None)
    call = MemcachedCall(
        "memcached",
        operation=name.partition(b" ")[0].strip().decode("ascii", "replace"),
        host=host,
        port=port,
        batch_size=size if size != 1 else None,
    )
    call.client = client
    return call


def _answered(call: MemcachedCall, result: Any) -> None:
    if call.client.sock is None and result == {} and call.client.ignore_exc:
        call.error_type = _OTHER  # it failed, and the program wants to know nothing of it


def _peer_name(client: Any) -> Any:
    sock = client.sock
    if sock is None:
        return None
    known = getattr(client, "_remora_peer", None)
    if known is None or known[0] is not sock:
        try:
            name = sock.getpeername()
        except (AttributeError, OSError):
            return None
        known = client._remora_peer = (sock, name)
    return known[1]
