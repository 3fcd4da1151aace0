"""An ASGI request or websocket as its scope describes it. Compiled when it can be; the same source either way.

The answer is a row of messages to ``send``; the request ends with the last one. A server error's cause is known while
its page is being sent: frameworks do that inside their ``except`` block.
"""

from __future__ import annotations

import sys

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

from remora.conventions.call import HTTP_SERVER, serves
from remora.conventions.headers import joined

if not cython.compiled:
    from remora.conventions.http_server_cy import HttpServerCall
    from remora.conventions.values_cy import exact_text
else:
    from cython.cimports.remora.conventions.http_server_cy import HttpServerCall
    from cython.cimports.remora.conventions.values_cy import exact_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMPILED = cython.compiled

_NAMES: dict[str, bytes] = {}
_MAX_NAMES = 256


@cython.cclass
class ScopeCall(HttpServerCall):
    """One request or websocket connection.

    ``mounted`` is the template of the applications it was passed on by so far; ``scope`` the server's own.
    """

    if not cython.compiled:
        __slots__ = ("mounted", "root", "scope", "values")

    def __init__(self, scope: Any) -> None:
        found = scope.get
        path = found("path")
        client = found("client")
        server = found("server")
        self.scope = scope
        self.carrier = None
        self.method = found("method", "GET")  # a websocket's handshake is one
        self.scheme = found("scheme")
        self.path = path
        self.query = found("query_string")
        self.reader = None
        self.peer_address = client[0] if client else None
        self.peer_port = client[1] if client else None
        self.protocol_version = found("http_version")
        self.protocol_name = None
        self.host = server[0] if server else None
        self.port = server[1] if server else None
        self.status: Any = None
        self.route: Any = None
        self.disconnected = False
        self.error_type = None
        self.exception: Any = None
        self.response_headers: Any = None
        self.mounted: Any = ""
        root = found("root_path")
        if root:
            root = root.rstrip("/")
        self.root = root if root and path and path.startswith(root) else ""
        pairs = found("headers")
        if pairs is None:
            pairs = []
        elif type(pairs) is not list:
            pairs = list(pairs)
        values: dict[Any, Any] = dict(pairs)
        self.values = joined(pairs) if len(values) != len(pairs) else values

    def header(self, name: str) -> Any:
        """One request header by its lower-case name; sent more than once it reads as one, joined by commas."""
        key: Any = _NAMES.get(name)
        if key is None:
            key = name.encode("latin-1", "replace")
            if len(_NAMES) < _MAX_NAMES:
                _NAMES[name] = key
        value: Any = self.values.get(key)
        return value if value is None else exact_text(value)

    def request_headers(self) -> Any:
        """All of the request's headers, as the scope has them."""
        return self.scope.get("headers")

    def release(self) -> Any:
        """Lets go of the request."""
        self.reader = None
        self.response_headers = None
        self.scope = {}
        self.values = {}
        return None

    def serving(self, args: Any, kwargs: Any, over: Any) -> tuple[Any, Any]:
        """The application's arguments, with a ``send`` that also tells us; ``over()`` ends the request."""
        if kwargs and "send" in kwargs:
            return args, {**kwargs, "send": Sending(self, kwargs["send"], over)}
        if len(args) == 3:
            return (args[0], args[1], Sending(self, args[2], over)), kwargs
        return (*args[:2], Sending(self, args[2], over), *args[3:]), kwargs

    def end(self, exception: Any) -> dict[str, Any]:
        """Knows what a server answers for an application that raised first, and where Litestar notes its route."""
        if exception is not None:
            if type(exception).__name__ == "WebSocketDisconnect":
                self.disconnected = True
            elif self.status is None and isinstance(exception, Exception) and not self.went_away(exception):
                self.status = 500
        route = self.scope.get("path_template") if self.route is None else self.route
        if self.root and isinstance(route, str):
            route = self.root + route
        self.route = route
        return HttpServerCall.end(self, exception)

    def told(self, message: Any) -> bool:
        """Reads what the application sends; True with the last of it."""
        kind = message["type"]
        if kind == "http.response.body":
            return not message.get("more_body", False)
        if kind == "http.response.start" or kind == "websocket.http.response.start":
            status = message["status"]
            self.status = status
            self.response_headers = message.get("headers")
            if status >= 500:
                self.blame(sys.exc_info()[1])
            return False
        if kind == "websocket.accept":
            self.status = 101
            self.response_headers = message.get("headers")
            return False
        if kind == "websocket.close":
            if self.status is None:
                self.status = 403
            self.blame(sys.exc_info()[1])
            return True
        if kind == "http.response.zerocopysend" or kind == "websocket.http.response.body":
            return not message.get("more_body", False)
        return bool(kind == "http.response.pathsend")

    def blame(self, cause: Any) -> None:
        """An exception with a status of its own is an answer, not a failure.

        A close for a client that is gone already is refused by some servers: no failure of the connection either.
        """
        if type(cause).__name__ == "WebSocketDisconnect":
            self.disconnected = True
        elif self.exception is None and isinstance(cause, Exception) and not hasattr(cause, "status_code"):
            self.exception = cause


@cython.cclass
class Sending:
    """The server's ``send``, overheard."""

    if not cython.compiled:
        __slots__ = ("call", "over", "send")

    def __init__(self, call: ScopeCall, send: Any, over: Any) -> None:
        self.call = call
        self.send = send
        self.over = over

    def __call__(self, message: Any) -> Any:
        try:
            last: cython.bint = self.call.told(message)
        except Exception:
            last = False  # no message at all: the server will say so
        sent = self.send(message)
        return _last(sent, self.over) if last else sent


async def _last(sent: Any, over: Any) -> None:
    await sent
    over()


class WebSocketCall(ScopeCall):
    """A websocket's connection: of days, it may be, and so no measurement of how long requests take."""

    __slots__ = ()
    duration: Any = None
    active: Any = None


def request(_: Any, scope: Any, *__: Any, **___: Any) -> ScopeCall | None:
    """The describer for an application object's ``__call__(self, scope, receive, send)``."""
    kind = scope["type"]
    if kind == "http":
        return ScopeCall(scope)
    return WebSocketCall(scope) if kind == "websocket" else None


serves(HTTP_SERVER)(request)
