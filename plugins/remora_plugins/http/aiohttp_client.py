"""aiohttp's client: one ``_request`` loops over redirects and retries; each ``connect`` begins an attempt on the wire.

An attempt ends when the answer's headers are in. How a failed one ends is only known when ``_request`` does: its
timeouts cancel what runs inside and come out as TimeoutError.
"""

from __future__ import annotations

from contextvars import ContextVar

from remora.conventions.http_client import HttpClientCall
from remora_plugins.http import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import ModuleType
    from typing import Any

    from aiohttp import ClientRequest
    from aiohttp.connector import Connection

    from remora.api import Patcher


def patch(client: ModuleType, patcher: Patcher) -> None:
    async def request(request: Callable[..., Awaitable[Any]], args: Any, kwargs: Any) -> Any:
        outer, attempts = _attempts.get(), Attempts(patcher)
        _attempts.set(attempts)
        try:
            result = await request(*args, **kwargs)
        except BaseException as error:
            attempts.over(error)
            raise
        else:
            attempts.over()
            return result
        finally:
            _attempts.set(outer)

    patcher.around(client.ClientSession, "_request", request)
    patcher.around(client.BaseConnector, "connect", _connect)
    patcher.around(client.ClientRequest, "send", _send)
    patcher.around(client.ClientResponse, "start", _start)


class Attempts:
    """The attempts of one ``_request``, of which one at most is under way."""

    def __init__(self, patcher: Patcher) -> None:
        self.operations = patcher.operations
        self.running: Any = None
        self.error: BaseException | None = None
        self.count = 0

    def begin(self, request: ClientRequest) -> None:
        self.over()  # an attempt that the library found worth another one
        call = HttpClientCall(request.method, str(request.url), request.headers)
        call.resend_count, self.count = self.count, self.count + 1
        self.running = self.operations.begin(call)

    def connected(self, connection: Connection) -> None:
        if self.running is not None and connection.transport is not None:
            peers.put(self.running.call, connection.transport.get_extra_info("peername"))

    def over(self, error: BaseException | None = None) -> None:
        running, self.running = self.running, None
        if running is not None:
            running.end(error or self.error)
        self.error = None  # its traceback leads back to us

    def guarded(self, function: Callable[[Any], None], argument: object) -> None:
        try:
            function(argument)
        except Exception as error:
            self.operations.fault(function.__name__, error)


_attempts: ContextVar[Attempts | None] = ContextVar("remora-aiohttp-attempts", default=None)


async def _connect(connect: Callable[..., Awaitable[Any]], args: Any, kwargs: Any) -> Any:
    attempts = _attempts.get()
    if attempts is None:
        return await connect(*args, **kwargs)
    attempts.guarded(attempts.begin, args[0] if args else kwargs.get("req"))
    try:
        connection = await connect(*args, **kwargs)
    except BaseException as error:
        attempts.error = error
        raise
    finally:
        if attempts.running is not None:
            attempts.running.leave()  # the program's own generators write the body: what they do is not ours
    attempts.guarded(attempts.connected, connection)
    return connection


async def _send(send: Callable[..., Awaitable[Any]], args: Any, kwargs: Any) -> Any:
    try:
        return await send(*args, **kwargs)
    except BaseException as error:
        attempts = _attempts.get()
        if attempts is not None:
            attempts.error = error
        raise


async def _start(start: Callable[..., Awaitable[Any]], args: Any, kwargs: Any) -> Any:
    attempts = _attempts.get()
    if attempts is None:
        return await start(*args, **kwargs)
    try:
        response = await start(*args, **kwargs)
    except BaseException as error:
        attempts.error = error
        raise
    running = attempts.running
    if running is not None and running.token is None:  # else it is a proxy that answers
        running.call.status, running.call.protocol_version = response.status, response.version
        running.call.response_headers = response.headers
        attempts.over()
    return response
