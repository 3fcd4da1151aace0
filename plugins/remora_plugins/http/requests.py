"""requests: Session.send recurses for redirects; HTTPAdapter.send is called once per hop on the wire.

Retries that an adapter leaves to urllib3 are within the one span, which counts them.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar

from remora.conventions.http_client import HttpClientCall
from remora_plugins.http import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from requests import PreparedRequest, Response
    from requests.adapters import HTTPAdapter

    from remora.api import Patcher

# The request that a redirect will send next, and how often it has been sent before.
_redirected: ContextVar[tuple[weakref.ref[PreparedRequest], int] | None] = ContextVar(
    "remora-requests-redirected", default=None
)


def patch(adapters: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(adapters.HTTPAdapter, "send", reads=_request, ends=_response)


def patch_redirects(sessions: ModuleType, patcher: Patcher) -> None:
    patcher.before(sessions.SessionRedirectMixin, "rebuild_method", _redirect)


def _redirect(_: Any, prepared_request: PreparedRequest, response: Response) -> None:
    _redirected.set((weakref.ref(prepared_request), len(response.history) + 1))


def _request(adapter: HTTPAdapter, request: PreparedRequest, *_: Any, **__: Any) -> HttpClientCall:
    call = HttpClientCall(request.method, request.url, request.headers)
    redirected = _redirected.get()
    if redirected is not None:
        _redirected.set(None)
        if redirected[0]() is request:
            call.resend_count = redirected[1]
    return call


def _response(call: HttpClientCall, response: Response) -> None:
    raw = response.raw
    call.status = response.status_code
    call.response_headers = response.headers
    call.protocol_version = getattr(raw, "version", None)
    peers.put_socket(call, getattr(raw, "_connection", None), getattr(raw, "_original_response", None))
    retries = getattr(raw, "retries", None)
    if retries is not None:
        call.resend_count += len(retries.history)
