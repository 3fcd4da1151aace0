"""urllib3: urlopen recurses for retries and redirects; the inner ``_make_request`` is one attempt on the wire."""

from __future__ import annotations

from remora.conventions.call import part_of
from remora.conventions.http_client import HttpClientCall
from remora.conventions.url_cy import absolute
from remora_plugins.http import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from urllib3.connectionpool import HTTPConnectionPool
    from urllib3.response import HTTPResponse

    from remora.api import Patcher


def patch(connectionpool: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(connectionpool.HTTPConnectionPool, "_make_request", reads=_attempt, ends=_response)
    patcher.intercept(connectionpool.HTTPSConnectionPool, "_make_request", _own_headers)


class Attempt(HttpClientCall):
    """One attempt on a connection of a pool."""

    __slots__ = ("connection",)
    connection: Any


@part_of("host", "port", method_at=1)
def _attempt(
    pool: HTTPConnectionPool,
    conn: Any,
    method: str,
    url: str,
    body: Any = None,
    headers: Any = None,
    retries: Any = None,
    *_: Any,
    **__: Any,
) -> Attempt:
    call = Attempt(method, absolute(pool.scheme, pool.host, pool.port, url), headers)
    call.connection = conn
    if retries is not None:  # urllib3 1.26 does not tell
        call.resend_count = len(retries.history)
    return call


def _response(call: Attempt, response: HTTPResponse) -> None:
    call.status = response.status
    call.response_headers = response.headers
    call.protocol_version = response.version
    peers.put_socket(call, call.connection, getattr(response, "_original_response", response))


def _own_headers(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """urlopen copies the headers, except for a tunnel through a proxy: there they are the program's or the pool's."""
    if getattr(args[0], "proxy", None) is not None and kwargs.get("headers") is not None:
        kwargs = {**kwargs, "headers": kwargs["headers"].copy()}
    return args, kwargs
