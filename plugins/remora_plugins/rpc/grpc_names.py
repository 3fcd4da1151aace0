"""How gRPC writes methods, status codes, targets and peers, and what the convention calls them."""

from __future__ import annotations

from urllib.parse import unquote

from remora.conventions.url_cy import host_and_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from remora.conventions.rpc import RpcCall

    Address = tuple[str | None, int | None]

SYSTEM: Final = "grpc"

_CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
_MOST_KNOWN = 256

_targets: dict[bytes, Address] = {}
_methods: dict[bytes, str] = {}


def status(code: Any) -> str | None:
    """The name of a code: grpc.StatusCode or its number; None for 0 and None, which are what nobody has set."""
    if not code:
        return None
    name = getattr(code, "name", None)
    if isinstance(name, str):
        return name
    number = code if isinstance(code, int) else -1
    return _CODES[number] if 0 < number < len(_CODES) else "UNKNOWN"


def method(path: Any) -> str:
    """``b"/package.Service/Method"`` without the slash that leads."""
    if not isinstance(path, bytes):
        return str(path).removeprefix("/")
    known = _methods.get(path)
    if known is None:
        known = path.decode("utf-8", "replace").removeprefix("/")
        if len(_methods) < _MOST_KNOWN:
            _methods[path] = known
    return known


def target(text: Any) -> Address:
    """Host and port of a channel's target; the whole of it where its scheme is none that names one host."""
    raw = text if isinstance(text, bytes) else str(text).encode()
    known = _targets.get(raw)
    if known is None:
        known = _parsed(raw.decode("utf-8", "replace"))
        if len(_targets) < _MOST_KNOWN:
            _targets[raw] = known
    return known


def _parsed(text: str) -> Address:
    scheme, colon, rest = text.partition(":")
    if scheme == "dns" and colon:
        return host_and_port(rest.rpartition("/")[2])
    if scheme in ("ipv4", "ipv6") and colon and "," not in rest:
        return host_and_port(rest)
    if scheme == "unix" and colon:
        return "/" + rest.lstrip("/") if rest.startswith("/") else rest, None
    if "/" in text or "," in text or scheme in ("xds", "unix-abstract", "vsock"):
        return text, None
    return host_and_port(text)


def put_peer(call: RpcCall, peer: str) -> None:
    """Reads "ipv4:127.0.0.1:5000", "ipv6:%5B::1%5D:5000" and "unix:/path"; a socket without a name is no news."""
    scheme, _, rest = peer.partition(":")
    if scheme == "ipv4":
        call.peer_address, _, call.peer_port = rest.rpartition(":")
    elif scheme == "ipv6":
        call.peer_address, call.peer_port = host_and_port(unquote(rest))
    elif scheme == "unix" and rest:
        call.peer_address = rest
