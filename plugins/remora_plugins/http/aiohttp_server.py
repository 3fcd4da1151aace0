"""aiohttp's server: ``_handle_request`` is one request from its headers to the last byte of the answer."""

from __future__ import annotations

from remora.conventions import headers
from remora.conventions.http_server import HttpServerCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from aiohttp.web_protocol import RequestHandler
    from aiohttp.web_request import BaseRequest
    from aiohttp.web_response import StreamResponse

    from remora.api import Patcher


def patch(protocol: ModuleType, patcher: Patcher) -> None:
    patcher.wrap(protocol.RequestHandler, "_handle_request", reads=_request, ends=_response)
    patcher.enrich(protocol.RequestHandler, "handle_error", _unhandled)


class AiohttpCall(HttpServerCall):
    """One request; the router says where it leads while it is being handled."""

    __slots__ = ("request",)
    request: BaseRequest

    def request_headers(self) -> Any:
        return self.request.headers

    def end(self, exception: BaseException | None) -> dict[str, Any]:
        match = getattr(self.request, "_match_info", None)  # a server without an application has no router
        resource = match.route.resource if match is not None else None
        if resource is not None:
            self.route = resource.canonical
        if isinstance(exception, ConnectionError) and _gone(self.request):
            self.disconnected = True
        return super().end(exception)


class AiohttpWebSocketCall(AiohttpCall):
    """Not measured: a connection may last for days."""

    __slots__ = ()
    duration: Any = None
    active: Any = None


def _gone(request: BaseRequest) -> bool:
    """Whether the handler wrote to a connection that the client has closed."""
    transport = request.transport
    return transport is None or transport.is_closing()


def _request(_: RequestHandler, request: BaseRequest, *__: Any, **___: Any) -> AiohttpCall:
    transport = request.transport
    peer = transport.get_extra_info("peername") if transport is not None else None
    own = transport.get_extra_info("sockname") if transport is not None else None
    upgrades = request.headers.get("Upgrade", "").lower() == "websocket"
    call = (AiohttpWebSocketCall if upgrades else AiohttpCall)(
        request.method,
        request.scheme,
        request.path,
        request.rel_url.raw_query_string,
        headers.of_multidict(request.headers),
        peer_address=peer[0] if isinstance(peer, tuple) else peer or None,
        peer_port=peer[1] if isinstance(peer, tuple) else None,
        protocol_version=tuple(request.version),
        host=own[0] if isinstance(own, tuple) else None,
        port=own[1] if isinstance(own, tuple) else None,
    )
    call.request = request
    return call


def _response(call: AiohttpCall, result: tuple[StreamResponse, bool]) -> None:
    response, reset = result
    call.status = response.status
    call.response_headers = response.headers
    call.disconnected = reset


def _unhandled(
    call: HttpServerCall, _: RequestHandler, __: BaseRequest, status: int = 500, exc: object = None, *___: Any
) -> None:
    if status >= 500 and isinstance(exc, BaseException):  # below, the parser's complaint about the client
        call.exception = exc
