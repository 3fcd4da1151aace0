"""urllib.request: openers recurse for redirects and authentication; ``do_open`` is one request on the wire."""

from __future__ import annotations

from remora.conventions.http_client import HttpClientCall
from remora_plugins.http import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from http.client import HTTPResponse
    from types import ModuleType
    from typing import Any
    from urllib.request import AbstractHTTPHandler, Request

    from remora.api import Patcher


def patch(request: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(request.AbstractHTTPHandler, "do_open", reads=_request, ends=_response)


def _request(_: AbstractHTTPHandler, http_class: Any, req: Request, **__: Any) -> HttpClientCall:
    call = HttpClientCall(req.get_method(), req.full_url, Headers(req))
    if req.unverifiable:  # made by a redirect; all of a chain share this record of where they have been
        call.resend_count = sum(getattr(req, "redirect_dict", {}).values())
    return call


def _response(call: HttpClientCall, response: HTTPResponse) -> None:
    call.status = response.status
    call.response_headers = response.headers
    call.protocol_version = response.version
    peers.put_socket(call, None, response)


class Headers(dict[str, str]):
    """The request's headers of both kinds; what is set goes to those that redirects leave behind."""

    def __init__(self, request: Request) -> None:
        super().__init__({**request.headers, **request.unredirected_hdrs})
        self._request = request

    def __setitem__(self, name: str, value: str) -> None:
        self._request.add_unredirected_header(name, value)
