"""Tornado's clients: ``fetch_impl`` sends one request and tells a callback how it went.

The simple client follows a redirect by another ``fetch``, in whoever's context a slot became free; libcurl follows
redirects by itself, unseen. The time that a request waits for a slot is part of it.
"""

from __future__ import annotations

from remora.conventions.http_client import HttpClientCall
from remora_plugins.http import peers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from remora.api import Patcher

_CURL_VERSIONS = {1: "1.0", 2: "1.1", 3: "2", 30: "3"}  # CURL_HTTP_VERSION_*


_FETCH = "_remora_fetch"  # on the first request of those that redirects lead to


class Fetch:
    """One ``fetch`` of the program, and the hop it is at."""

    def __init__(self, patcher: Patcher) -> None:
        self.operations = patcher.operations
        self.running: Any = None
        self.count = 0
        self._in_place = patcher.carried(self._begin)

    def begin(self, request: Any) -> None:
        self.over()  # the hop that led here
        try:
            self._in_place(request)
        except Exception as error:
            self.operations.fault("begin", error)

    def _begin(self, request: Any) -> None:
        call = HttpClientCall(request.method, request.url, request.headers)
        call.resend_count, self.count = self.count, self.count + 1
        self.running = self.operations.begin(call)
        if self.running is not None:
            self.running.leave()  # what runs on from here outlives the hop

    def over(self, error: BaseException | None = None) -> None:
        running, self.running = self.running, None
        if running is not None:
            running.end(error)


class Answered:
    """The callback of one hop."""

    def __init__(self, fetch: Fetch, callback: Callable[[Any], None]) -> None:
        self.fetch = fetch
        self.callback = callback

    def __call__(self, response: Any) -> None:
        error = response.error
        if error is None or getattr(response, "_error_is_response_code", False):
            error = None
            if self.fetch.running is not None:
                self.fetch.running.call.status = response.code
                self.fetch.running.call.response_headers = response.headers
        self.fetch.over(error)  # 599 is no status that anybody sent
        self.callback(response)


def patch_simple(simple: ModuleType, patcher: Patcher) -> None:
    _patch_fetch(simple.SimpleAsyncHTTPClient, patcher)
    patcher.before(simple._HTTPConnection, "_create_connection", _peer)
    patcher.before(simple._HTTPConnection, "headers_received", _headers)


def patch_curl(curl: ModuleType, patcher: Patcher) -> None:
    def finish(_: Any, handle: Any, *__: Any, **___: Any) -> None:
        answered = handle.info["callback"]
        if isinstance(answered, Answered) and answered.fetch.running is not None:
            call = answered.fetch.running.call
            peers.put(call, (handle.getinfo(curl.pycurl.PRIMARY_IP) or None, handle.getinfo(curl.pycurl.PRIMARY_PORT)))
            call.protocol_version = _CURL_VERSIONS.get(handle.getinfo(curl.pycurl.INFO_HTTP_VERSION))

    _patch_fetch(curl.CurlAsyncHTTPClient, patcher)
    patcher.before(curl.CurlAsyncHTTPClient, "_finish", finish)


def patch_websocket(websocket: ModuleType, patcher: Patcher) -> None:
    def connect(
        initialize: Callable[..., None], connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        fetch = Fetch(patcher)
        fetch.begin(args[0] if args else kwargs.get("request"))
        try:
            initialize(*args, **kwargs)
        except BaseException as error:
            fetch.over(error)
            raise
        if fetch.running is not None:
            connection.connect_future.add_done_callback(lambda future: _connected(fetch, future))

    patcher.around_method(websocket.WebSocketClientConnection, "__init__", connect)


def _patch_fetch(client: type, patcher: Patcher) -> None:
    def fetch_impl(send: Callable[..., None], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        request = args[0] if args else kwargs["request"]
        callback = args[1] if len(args) > 1 else kwargs["callback"]
        first = getattr(request, "original_request", None) or request
        fetch = vars(first).get(_FETCH)
        if fetch is None:
            fetch = vars(first)[_FETCH] = Fetch(patcher)
        fetch.begin(request)
        try:
            send(request, callback if fetch.running is None else Answered(fetch, callback))
        except BaseException as error:
            fetch.over(error)
            raise

    patcher.around(client, "fetch_impl", fetch_impl)


def _peer(connection: Any, stream: Any, *_: Any, **__: Any) -> None:
    answered = connection.final_callback
    if isinstance(answered, Answered) and answered.fetch.running is not None:
        try:
            peers.put(answered.fetch.running.call, stream.socket.getpeername())
        except (AttributeError, OSError):
            pass  # the server has hung up already


def _headers(connection: Any, first_line: Any, *_: Any, **__: Any) -> None:
    answered = connection.final_callback
    if isinstance(answered, Answered) and answered.fetch.running is not None:
        call = answered.fetch.running.call
        call.status, call.protocol_version = first_line.code, first_line.version


def _connected(fetch: Fetch, future: Any) -> None:
    error = None if future.cancelled() else future.exception()
    if fetch.running is not None and not future.cancelled():
        call = fetch.running.call
        call.protocol_version = "1.1"  # no other has this handshake
        answered = error is None or getattr(error, "response", None) is not None
        if answered:
            call.status, error = 101 if error is None else error.code, None
    fetch.over(error)
