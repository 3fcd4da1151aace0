"""httpx and httpx2: redirects and authentication loop around ``_send_single_request``, which any transport is beneath.

A streamed response is one span that ends when the headers are in: what is read later is the program's own pace.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar

from remora.conventions.http_client import HttpClientCall
from remora.conventions.url_cy import absolute
from remora_plugins.http import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from httpx import URL, Request, Response

    from remora.api import Patcher

# The request that will be sent next as another attempt, and which attempt that is.
_resend: ContextVar[tuple[weakref.ref[Request], int] | None] = ContextVar("remora-httpx-resend", default=None)


def patch(client: ModuleType, patcher: Patcher) -> None:
    for kind in (client.Client, client.AsyncClient):
        patcher.before(kind, "_send_handling_redirects", _after_authentication)
        patcher.wrap(kind, "_send_single_request", reads=_request, ends=_response)
    patcher.around(client.BaseClient, "_build_redirect_request", _redirect)


def _request(_: Any, request: Request, *__: Any, **___: Any) -> HttpClientCall:
    call = HttpClientCall(request.method, _text(request.url), request.headers)
    resend = _resend.get()
    if resend is not None:
        _resend.set(None)
        if resend[0]() is request:
            call.resend_count = resend[1]
    return call


def _text(url: URL) -> str:
    """``str(url)``, which takes several functions of the library, of the parts that it keeps."""
    parts: Any = getattr(url, "_uri_reference", None)
    if parts is None or parts.userinfo or parts.fragment or not parts.host or parts.path[:1] != "/":
        return str(url)
    target = parts.path if parts.query is None else f"{parts.path}?{parts.query}"
    return absolute(parts.scheme, parts.host, parts.port, target)


def _response(call: HttpClientCall, response: Response) -> None:
    call.status = response.status_code
    call.response_headers = response.headers
    call.protocol_version = response.http_version
    stream = response.extensions.get("network_stream")
    if stream is not None:
        peers.put_stream(call, stream)


def _after_authentication(_: Any, request: Request, *args: Any, **kwargs: Any) -> None:
    history = kwargs["history"] if "history" in kwargs else args[-1]
    if history:
        _resend.set((weakref.ref(request), len(history)))


def _redirect(build: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    request = build(*args, **kwargs)
    history = getattr(kwargs.get("response", args[-1] if args else None), "history", ())
    _resend.set((weakref.ref(request), len(history) + 1))
    return request
