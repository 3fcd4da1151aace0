"""http.client by itself: ``putrequest`` begins a request, the headers of its answer end it.

The program runs in between, so the span is never current. Libraries built on http.client have a call of the family
open by then, and nothing happens here: only a connection with a request of its own gets methods that watch it, for as
long as that lasts.
"""

from __future__ import annotations

import weakref

from remora.conventions.call import part_of
from remora.conventions.http_client import HttpClientCall, signed
from remora.conventions.url_cy import absolute
from remora_plugins.http import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPConnection, HTTPResponse
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_RUNNING = "_remora_running"  # in the connection's __dict__, from the request to its answer


def patch(client: ModuleType, patcher: Patcher) -> None:
    operations = patcher.operations

    def guarded(function: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except Exception as error:
            operations.fault(function.__name__, error)

    def begin(connection: HTTPConnection, method: str, url: str, *_: Any, **__: Any) -> None:
        host, port = getattr(connection, "_tunnel_host", None), getattr(connection, "_tunnel_port", None)
        if not host:
            host, port = connection.host, connection.port
        scheme = "https" if isinstance(connection, client.HTTPSConnection) else "http"
        running = operations.begin(HttpClientCall(method, absolute(scheme, host, port, url), {}))
        if running is not None:
            running.leave()
            _watch(connection, running, guarded)

    @part_of("host", "port", unless=_RUNNING)
    def put_request(wrapped: Any, connection: HTTPConnection, args: Any, kwargs: Any) -> None:
        wrapped(*args, **kwargs)
        _over(connection)
        guarded(begin, connection, *args, **kwargs)

    patcher.around_method(client.HTTPConnection, "putrequest", put_request)


def _watch(connection: HTTPConnection, running: Any, guarded: Callable[..., None]) -> None:
    """Gives the connection methods of its own until its request is answered. They do not keep it alive."""
    owner = weakref.ref(connection)

    def watched_end_headers(*args: Any, **kwargs: Any) -> None:
        connection: Any = owner()
        _restore(connection, "endheaders")  # once in a request
        guarded(_put_headers, connection, running.call)
        try:
            connection.endheaders(*args, **kwargs)
        except BaseException as error:
            _over(connection, error)
            raise

    def watched_get_response() -> HTTPResponse:
        connection: Any = owner()
        _release(connection)  # or ``close``, called inside, would end it
        try:
            response: HTTPResponse = connection.getresponse()
        except BaseException as error:
            running.end(error)
            raise
        guarded(_read, running.call, connection, response)
        running.end()
        return response

    def watched_close() -> None:
        connection: Any = owner()
        _over(connection)
        connection.close()

    held = vars(connection)
    watching = {"endheaders": watched_end_headers, "getresponse": watched_get_response, "close": watched_close}
    held[_RUNNING] = running, watching, {name: held[name] for name in watching if name in held}
    held.update(watching)


def _release(connection: HTTPConnection) -> Any:
    """Takes our methods off the connection again; the running call, or None if there is none."""
    kept = vars(connection).get(_RUNNING)
    if kept is None:
        return None
    for name in kept[1]:
        _restore(connection, name)
    del vars(connection)[_RUNNING]
    return kept[0]


def _restore(connection: HTTPConnection, name: str) -> None:
    held = vars(connection)
    kept = held.get(_RUNNING)
    if kept is None or held.get(name) is not kept[1][name]:
        return
    if name in kept[2]:
        held[name] = kept[2][name]
    else:
        del held[name]


def _over(connection: HTTPConnection, error: BaseException | None = None) -> None:
    running = _release(connection)
    if running is not None:
        running.end(error)


def _read(call: HttpClientCall, connection: HTTPConnection, response: HTTPResponse) -> None:
    call.status, call.protocol_version = response.status, response.version
    call.response_headers = response.headers
    peers.put_socket(call, connection, response)


def _put_headers(connection: Any, call: HttpClientCall) -> None:
    """Propagates, once the program has said all it wants to: its own headers stand, and signed requests stay."""
    carrier, call.carrier = call.carrier, None
    lines = [line.partition(b":") for line in connection._buffer[1:]]
    headers = {name.decode("latin-1").lower(): value.strip() for name, _, value in lines}
    call.headers = headers
    if carrier and not signed(call.url, headers):
        for name, value in carrier.items():
            if name not in headers:
                connection.putheader(name, value)
