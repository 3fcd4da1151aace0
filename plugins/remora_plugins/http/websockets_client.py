"""websockets' clients: one CLIENT span for each connection attempt, from the socket to the answered handshake.

The talk that follows may last for days and is the program's own. The legacy client's span begins with the handshake.
"""

from __future__ import annotations

from contextvars import ContextVar

from remora.conventions.http_client import HttpClientCall, signed
from remora.conventions.url_cy import absolute
from remora_plugins.http import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

# The attempt whose connection is being opened.
_opening: ContextVar[Any] = ContextVar("remora-websockets-opening", default=None)


def patch_asyncio(client: ModuleType, patcher: Patcher) -> None:
    async def open_(connect: Callable[..., Awaitable[Any]], connecting: Any, args: Any, kwargs: Any) -> Any:
        running = _begun(patcher, connecting.uri)
        try:
            return await connect(*args, **kwargs)
        except BaseException as error:
            _over(running, error)
            raise

    opener = "open_tcp_connection" if hasattr(client.connect, "open_tcp_connection") else "create_connection"
    patcher.around_method(client.connect, opener, open_)
    patcher.around_method(client.ClientConnection, "handshake", _awaiting(patcher))


def patch_legacy(client: ModuleType, patcher: Patcher) -> None:
    patcher.around_method(client.WebSocketClientProtocol, "handshake", _awaiting(patcher))


def patch_sync(client: ModuleType, patcher: Patcher) -> None:
    def open_(connect: Callable[..., Any], connecting: Any, args: Any, kwargs: Any) -> Any:
        uri = getattr(connecting, "uri", None) or (args[0] if args else kwargs.get("uri"))
        running = _begun(patcher, uri)
        try:
            return connect(*args, **kwargs)
        except BaseException as error:
            _over(running, error)
            raise

    def handshake(shake: Callable[..., Any], connection: Any, args: Any, kwargs: Any) -> Any:
        running, args, kwargs = _shaking(patcher, connection, args, kwargs)
        try:
            result = shake(*args, **kwargs)
        except BaseException as error:
            _over(running, error)
            raise
        _answered(patcher, running, connection)
        return result

    if hasattr(client, "reconnect"):
        patcher.around_method(client.reconnect, "open_connection", open_)
    else:
        patcher.around_method(client, "connect", open_)
    patcher.around_method(client.ClientConnection, "handshake", handshake)


def _awaiting(patcher: Patcher) -> Callable[..., Awaitable[Any]]:
    async def handshake(shake: Callable[..., Awaitable[Any]], connection: Any, args: Any, kwargs: Any) -> Any:
        running, args, kwargs = _shaking(patcher, connection, args, kwargs)
        try:
            result = await shake(*args, **kwargs)
        except BaseException as error:
            _over(running, error)
            raise
        _answered(patcher, running, connection)
        return result

    return handshake


def _begun(patcher: Patcher, url: object) -> Any:
    try:
        running = patcher.operations.begin(HttpClientCall("GET", url, {}))
    except Exception as error:
        patcher.operations.fault("begin", error)
        return None
    if running is not None:
        running.leave()  # the connection's own tasks and threads outlive the handshake
    _opening.set(running)
    return running


def _shaking(patcher: Patcher, connection: Any, args: Any, kwargs: Any) -> tuple[Any, Any, Any]:
    """The attempt, and the arguments with what propagates added to the program's own headers."""
    running = _opening.get()
    _opening.set(None)
    try:
        legacy = hasattr(connection, "extra_headers")
        if running is None:
            running = _begun(patcher, _url(args[0] if legacy and args else kwargs.get("wsuri") or connection.protocol))
            _opening.set(None)
        if running is not None:
            _peer(running.call, connection)
        if running is not None and legacy:
            connection.extra_headers = _merged(connection.extra_headers, running.call)
        elif running is not None and args:
            args = (_merged(args[0], running.call), *args[1:])
        elif running is not None:
            kwargs = {**kwargs, "additional_headers": _merged(kwargs.get("additional_headers"), running.call)}
    except Exception as error:
        patcher.operations.fault("handshake", error)
    return running, args, kwargs


def _url(target: Any) -> str:
    uri = getattr(target, "uri", None) or getattr(target, "wsuri", None) or target
    return absolute("wss" if uri.secure else "ws", uri.host, uri.port, uri.resource_name)


def _merged(own: Any, call: Any) -> Any:
    from websockets.datastructures import Headers  # imported by the client

    merged = Headers(() if own is None else own)
    if call.carrier and not signed(call.url, merged):
        for name, value in call.carrier.items():
            if name not in merged:
                merged[name] = value
    return merged


def _peer(call: HttpClientCall, connection: Any) -> None:
    try:
        peers.put(call, connection.remote_address)
    except (AttributeError, OSError, RuntimeError):
        pass  # the server has hung up already


def _answered(patcher: Patcher, running: Any, connection: Any) -> None:
    if running is not None:
        try:
            running.call.status, running.call.protocol_version = 101, "1.1"
            running.call.response_headers = getattr(getattr(connection, "response", None), "headers", None)
        except Exception as error:
            patcher.operations.fault("handshake", error)
        running.end()


def _over(running: Any, error: BaseException) -> None:
    _opening.set(None)
    if running is not None:
        response = getattr(error, "response", None)
        status = getattr(response, "status_code", None) or getattr(error, "status_code", None)
        if status is not None:
            running.call.status, running.call.protocol_version = status, "1.1"
        redirected = type(error).__name__ == "RedirectHandshake"
        running.end(None if status is not None or redirected else error)
