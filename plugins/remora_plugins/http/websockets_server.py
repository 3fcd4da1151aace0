"""websockets' servers: one SERVER span for the opening handshake, which is all of HTTP that there is.

A connection may last for days, so its span ends when the handshake is answered; what the handler does then is inside
it all the same, in the client's trace, as spans of their own.
"""

from __future__ import annotations

from remora.conventions.http_server import HttpServerCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_RUNNING = "_remora_running"  # in the connection's __dict__, until the handshake is answered


def patch_asyncio(server: ModuleType, patcher: Patcher) -> None:
    async def handshake(shake: Callable[..., Awaitable[Any]], connection: Any, args: Any, kwargs: Any) -> Any:
        args, kwargs = _listening(patcher, args, kwargs)
        try:
            result = await shake(*args, **kwargs)
        except BaseException as error:
            _answered(connection, error)
            raise
        _answered(connection)
        return result

    patcher.around_method(server.ServerConnection, "handshake", handshake)


def patch_sync(server: ModuleType, patcher: Patcher) -> None:
    def handshake(shake: Callable[..., Any], connection: Any, args: Any, kwargs: Any) -> Any:
        args, kwargs = _listening(patcher, args, kwargs)
        try:
            result = shake(*args, **kwargs)
        except BaseException as error:
            _answered(connection, error)
            raise
        _answered(connection)
        return result

    patcher.around_method(server.ServerConnection, "handshake", handshake)


def patch_legacy(server: ModuleType, patcher: Patcher) -> None:
    async def read(wrapped: Callable[..., Awaitable[Any]], connection: Any, args: Any, kwargs: Any) -> Any:
        path, headers = await wrapped(*args, **kwargs)
        if not type(connection).__module__.startswith("uvicorn."):  # there the application's span begins later
            _begin(patcher, connection, path, headers)
        return path, headers

    async def handshake(shake: Callable[..., Awaitable[Any]], connection: Any, args: Any, kwargs: Any) -> Any:
        try:
            return await shake(*args, **kwargs)
        except (OSError, TimeoutError) as error:  # any other is answered
            _over(connection, error)
            raise
        except Exception:
            raise
        except BaseException as error:
            _over(connection, error)
            raise

    def write(connection: Any, status: int, *_: Any, **__: Any) -> None:
        running = vars(connection).get(_RUNNING)
        if running is not None:
            running.call.status = int(status)
            _over(connection)

    patcher.around_method(server.WebSocketServerProtocol, "read_http_request", read)
    patcher.around_method(server.WebSocketServerProtocol, "handshake", handshake)
    patcher.before(server.WebSocketServerProtocol, "write_http_response", write)


def _listening(patcher: Patcher, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """The arguments with a ``process_request`` that is told of the request first."""
    own = args[0] if args else kwargs.get("process_request")

    def process_request(connection: Any, request: Any) -> Any:
        _begin(patcher, connection, request.path, request.headers)
        return None if own is None else own(connection, request)

    return ((process_request, *args[1:]), kwargs) if args else ((), {**kwargs, "process_request": process_request})


def _begin(patcher: Patcher, connection: Any, target: str, headers: Any) -> None:
    try:
        vars(connection)[_RUNNING] = patcher.operations.begin(_call(connection, target, headers))
    except Exception as error:
        patcher.operations.fault("handshake", error)


def _call(connection: Any, target: str, headers: Any) -> HttpServerCall:
    def header(name: str) -> str | None:
        return ", ".join(headers.get_all(name)) or None

    path, _, query = target.partition("?")
    transport = getattr(connection, "transport", None)
    if transport is not None:
        secure = transport.get_extra_info("sslcontext") is not None
    else:
        secure = hasattr(connection.socket, "getpeercert")
    peer, own = connection.remote_address, connection.local_address
    return HttpServerCall(
        "GET",
        "wss" if secure else "ws",
        path,
        query,
        header,
        peer_address=peer[0] if isinstance(peer, tuple) else peer or None,
        peer_port=peer[1] if isinstance(peer, tuple) else None,
        protocol_version="1.1",
        host=own[0] if isinstance(own, tuple) else None,
        port=own[1] if isinstance(own, tuple) else None,
    )


def _answered(connection: Any, error: BaseException | None = None) -> None:
    running = vars(connection).get(_RUNNING)
    if running is not None and connection.response is not None:
        running.call.status = connection.response.status_code
        running.call.response_headers = connection.response.headers
        if running.call.status >= 500:
            running.call.exception = error or getattr(connection.protocol, "handshake_exc", None)
        error = None  # older versions raise what they have answered
    _over(connection, error)


def _over(connection: Any, error: BaseException | None = None) -> None:
    running = vars(connection).pop(_RUNNING, None)
    if running is not None:
        running.token = None  # what the handler does stays inside: the connection's task or thread ends with it
        running.call.disconnected = isinstance(error, (ConnectionError, EOFError))
        running.end(error)
