"""What is known of the connection that a call went over. Compiled when it can be; the same source either way."""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

from remora.conventions import protocols
from remora.conventions.keys import (
    NETWORK_PEER_ADDRESS,
    NETWORK_PEER_PORT,
    NETWORK_PROTOCOL_NAME,
    NETWORK_PROTOCOL_VERSION,
)

if not cython.compiled:
    from remora.conventions.values_cy import exact_int, exact_text
else:
    from cython.cimports.remora.conventions.values_cy import exact_int, exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMPILED = cython.compiled
_versions: dict[Any, str] = protocols.VERSIONS


def put_network(attributes: dict[str, Any], name: Any, version: Any, peer_address: Any, peer_port: Any) -> Any:
    """Sets the protocol (http goes without saying) and the peer, as far as they are known."""
    if version is not None:
        known: Any = _versions.get(version) if type(version) is str else None
        if known is None:
            known = protocols.version(version)
        if known is not None:
            attributes[NETWORK_PROTOCOL_VERSION] = known
            if name is not None:
                lower = (exact_text(name) or "http").lower()
                if lower != "http":
                    attributes[NETWORK_PROTOCOL_NAME] = lower
    if peer_address is not None:
        address = exact_text(peer_address)
        if address:
            attributes[NETWORK_PEER_ADDRESS] = address
            port = exact_int(peer_port)
            if port is not None:
                attributes[NETWORK_PEER_PORT] = port
    return None
