"""elasticsearch: the client has telemetry of its own, of other names and kinds; ours takes its place."""

from __future__ import annotations

from remora.conventions.native import comes_to_us
from remora.conventions.search_engine import SearchEngineCall, managed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher


def patch_own_telemetry(module: ModuleType, patcher: Patcher) -> None:
    """Clients that are made from now on have no tracer, unless it is that of a provider of the program's own."""
    if comes_to_us(module._tracer):
        patcher.replace(module, "_tracer", None)


def patch(module: ModuleType, patcher: Patcher) -> None:
    """The blocking client and the asyncio one, which name their methods alike."""
    patcher.wrap(module.BaseClient, "perform_request", reads=_request, ends=_response)


def _request(
    client: Any,
    method: str = "GET",
    path: str = "/",
    *,
    params: Any = None,
    body: Any = None,
    endpoint_id: str | None = None,
    path_parts: Any = None,
    **_: Any,
) -> SearchEngineCall:
    nodes = client._transport.node_pool.all()
    return SearchEngineCall(
        "elasticsearch",
        method,
        path,
        operation=endpoint_id,
        parts=path_parts,
        parameters=params or (),
        body=body,
        node=_place(nodes[0].config) if len(nodes) == 1 else None,
    )


def _response(call: SearchEngineCall, response: Any) -> None:
    meta = response.meta
    call.status_code = meta.status
    if call.node is None:
        call.node = _place(meta.node)
    call.cluster, call.node_name = managed(meta)


def _place(config: Any) -> tuple[str, str, int, str]:
    return config.scheme, config.host, config.port, config.path_prefix
