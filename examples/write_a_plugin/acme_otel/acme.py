"""acme: every request goes through Connection.send, redirects are not followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from remora.conventions.http_client import HttpClientCall

if TYPE_CHECKING:
    from types import ModuleType

    from acme.client import Connection, Request, Response

    from remora.api import Patcher


def patch(client: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(client.Connection, "send", reads=_request, ends=_response)


def _request(connection: Connection, request: Request, **_: Any) -> HttpClientCall:
    return HttpClientCall(request.method, request.url, carrier=request.headers)


def _response(call: HttpClientCall, response: Response) -> None:
    call.status = response.status
