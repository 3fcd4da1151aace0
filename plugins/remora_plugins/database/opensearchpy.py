"""opensearch-py: the transport is told a method and a path, not what they are for, and keeps the status to itself."""

from __future__ import annotations

from remora.conventions.search_engine import SearchEngineCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch(module: ModuleType, patcher: Patcher) -> None:
    """The blocking transport and the asyncio one, which name their methods alike."""
    transport = getattr(module, "AsyncTransport", None) or module.Transport
    patcher.wrap(transport, "perform_request", reads=_request)


def _request(
    transport: Any, method: str = "GET", url: str = "/", params: Any = None, body: Any = None, *_: Any, **__: Any
) -> SearchEngineCall:
    return SearchEngineCall("opensearch", method, url, parameters=params or (), body=body, node=_node(transport))


def _node(transport: Any) -> tuple[str, str, int, str] | None:
    """The one node there is; which of several the request goes to is decided beneath, for each attempt."""
    connections = getattr(transport.connection_pool, "connections", None)
    if not connections:
        return _configured(transport.hosts)  # asyncio's transport connects with its first request
    if len(connections) > 1:
        return None
    one = connections[0]
    return one.scheme, one.hostname, one.port or (443 if one.scheme == "https" else 80), one.url_prefix


def _configured(hosts: Any) -> tuple[str, str, int, str] | None:
    if not isinstance(hosts, list) or len(hosts) != 1 or not isinstance(hosts[0], dict):
        return None
    host = hosts[0]
    scheme = host.get("scheme") or ("https" if host.get("use_ssl") else "http")
    return scheme, host.get("host", "localhost"), host.get("port", 9200), host.get("url_prefix", "")
