"""pylibmc: a C class below a Python one; which of several servers a key goes to only libmemcached knows."""

from __future__ import annotations

from remora.conventions import redaction
from remora.conventions.database import DatabaseCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_ONE = ("add", "append", "cas", "decr", "delete", "flush_all", "get", "gets", "incr", "prepend", "replace", "set")
_MANY = {"add_multi": "add", "delete_multi": "delete", "get_multi": "get", "incr_multi": "incr", "set_multi": "set"}
_MAX_DESCRIPTION_CHARS = 512
_QUOTES = " from memcached_"


class PylibmcCall(DatabaseCall):
    """libmemcached puts the key into the message of an error."""

    __slots__ = ()

    @staticmethod
    def redacts(message: object, limit: int = redaction.MAX_TEXT_CHARS) -> str:
        """``error 47 from memcached_get(key): ...`` without the key."""
        text = redaction.database_text(message, limit)
        return "\n".join(map(_without_key, text.split("\n"))) if _QUOTES in text else text

    def description(self, exception: Any) -> str | None:
        return self.redacts(str(exception), _MAX_DESCRIPTION_CHARS) or None if exception is not None else None


def _without_key(line: str) -> str:
    opening = line.find("(", line.find(_QUOTES) + 1) if _QUOTES in line else -1
    if opening < 0:
        return line
    closing = line.rfind("): ")
    return f"{line[:opening]}({redaction.REDACTED}{line[closing:] if closing > opening else ''}"


def patch(module: ModuleType, patcher: Patcher) -> None:
    for method in (*_ONE, "touch"):
        patcher.wrap(module.Client, method, reads=_reads(method))
    for method, command in _MANY.items():
        patcher.wrap(module.Client, method, reads=_reads(command, batch=command != "get"))


def _reads(command: str, *, batch: bool = False) -> Callable[..., DatabaseCall]:
    def described(client: Any, keys: Any = (), *_: Any, **__: Any) -> DatabaseCall:
        host, port = _server(client)
        size = len(keys) if batch and hasattr(keys, "__len__") else None
        return PylibmcCall("memcached", operation=command, host=host, port=port, batch_size=size)

    return described


def _server(client: Any) -> tuple[str | None, int | None]:
    known: tuple[str | None, int | None] | None = getattr(client, "_remora_server", None)
    if known is None:
        known = client._remora_server = _parsed(client.addresses[0]) if len(client.addresses) == 1 else (None, None)
    return known


def _parsed(address: str) -> tuple[str | None, int | None]:
    if address.startswith("/"):
        return address, None
    host, colon, port = address.removeprefix("udp:").rpartition(":")
    if colon and port.isdecimal():
        return host.strip("[]"), int(port)
    return address.removeprefix("udp:").strip("[]"), None
