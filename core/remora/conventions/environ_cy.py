"""A WSGI request as PEP 3333's environ describes it. Compiled when it can be; the same source either way.

The status is only told to ``start_response``, so the application is given one that listens.
"""

from __future__ import annotations

try:
    import cython
except ModuleNotFoundError:
    from remora import _cython as cython  # type: ignore[no-redef]

from remora.conventions.call import HTTP_SERVER, serves

if not cython.compiled:
    from remora.conventions.http_server_cy import HttpServerCall
else:
    from cython.cimports.remora.conventions.http_server_cy import HttpServerCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COMPILED = cython.compiled

_KEYS: dict[str, str] = {"traceparent": "HTTP_TRACEPARENT", "tracestate": "HTTP_TRACESTATE", "baggage": "HTTP_BAGGAGE"}
_MAX_KEYS = 256

# Without one of these no proxy has forwarded anything that the server span would tell.
_FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_REAL_IP",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_PORT",
)


@cython.cclass
class EnvironCall(HttpServerCall):
    """One request of a WSGI application; ``root`` is where the application is mounted, as routes begin with it."""

    if not cython.compiled:
        __slots__ = ("environ", "root")

    def __init__(self, environ: Any) -> None:
        values: dict[str, Any] = environ if type(environ) is dict else dict(environ)
        self.environ = values
        root: Any = values.get("SCRIPT_NAME")
        path: Any = values.get("PATH_INFO")
        if root:
            # Where it comes from a header (gunicorn), anybody could make up routes with it.
            self.root = _text(root.rstrip("/")) if "HTTP_SCRIPT_NAME" not in values else ""
            path = root + path if path else root
        else:
            self.root = ""
        self.carrier = None
        self.method = values.get("REQUEST_METHOD")
        self.scheme = values.get("wsgi.url_scheme")
        self.path = _text(path) if path else ""
        self.query = values.get("QUERY_STRING")
        self.reader = None
        self.peer_address = values.get("REMOTE_ADDR") or None
        self.peer_port = values.get("REMOTE_PORT")
        self.protocol_version = values.get("SERVER_PROTOCOL")
        self.protocol_name = None
        self.host = values.get("SERVER_NAME")
        self.port = values.get("SERVER_PORT")
        self.status = None
        self.route = None
        self.disconnected = False
        self.error_type = None
        self.exception = None
        self.response_headers = None

    def header(self, name: str) -> str | None:
        """One request header by its lower-case name."""
        key: Any = _KEYS.get(name)
        if key is None:
            key = "HTTP_" + name.upper().replace("-", "_")
            if len(_KEYS) < _MAX_KEYS:
                _KEYS[name] = key
        values: dict[str, Any] = self.environ
        return values.get(key)

    def put_from_headers(self, attributes: dict[str, Any]) -> Any:
        """What the request's headers tell; requests that no proxy forwarded take the short way."""
        values: dict[str, Any] = self.environ
        for key in _FORWARDED:
            if key in values:
                return HttpServerCall.put_from_headers(self, attributes)
        agent: Any = values.get("HTTP_USER_AGENT")
        if agent:
            self.put_agent(attributes, agent)
        return self.put_addresses(attributes, None, values.get("HTTP_HOST"), None, None)

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """The application's arguments, with a ``start_response`` that also tells us the status."""
        listening: StartResponse = StartResponse(self, None)
        if kwargs and "start_response" in kwargs:
            listening.start_response = kwargs["start_response"]
            return args, {**kwargs, "start_response": listening}
        listening.start_response = args[-1]
        if len(args) == 2:
            return (args[0], listening), kwargs
        return (*args[:-1], listening), kwargs

    def end(self, exception: Any) -> dict[str, Any]:
        """As of any server; an application that raised before it began to answer is answered for with 500."""
        if self.status is None and exception is not None and isinstance(exception, Exception):
            self.status = 500
        if self.root and isinstance(self.route, str):
            self.route = self.root + self.route
        return HttpServerCall.end(self, exception)

    def release(self) -> Any:
        """Lets go of the request."""
        self.reader = None
        self.response_headers = None
        self.environ = {}
        return None

    def request_headers(self) -> Any:
        """The request's headers as pairs; those of the body have keys of their own."""
        values: dict[str, Any] = self.environ
        listed: list[tuple[str, Any]] = [
            (key[5:].replace("_", "-"), value) for key, value in values.items() if key[:5] == "HTTP_"
        ]
        for key, name in (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length")):
            value = values.get(key)
            if value:
                listed.append((name, value))
        return listed

    def whole(self, result: Any) -> bool:
        """Whether the server sends the result by itself (sendfile), which only works with the very object."""
        values: dict[str, Any] = self.environ
        wrapper = values.get("wsgi.file_wrapper")
        if wrapper is not None and isinstance(wrapper, type) and isinstance(result, wrapper):
            return True
        return type(result).__name__ == "_AlreadyHandled"  # eventlet: a websocket that the handler took over


@cython.cclass
class StartResponse:
    """The server's ``start_response``, overheard."""

    if not cython.compiled:
        __slots__ = ("call", "start_response")

    def __init__(self, call: EnvironCall, start_response: Any) -> None:
        self.call = call
        self.start_response = start_response

    def __call__(self, status: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            self.call.response_headers = args[0]
        digits = status[:3]
        if digits.isdigit():
            code: int = int(digits)
            self.call.status = code
            if code >= 500:
                told = kwargs.get("exc_info") or (args[1] if len(args) > 1 else None)
                if told:
                    self.call.exception = told[1]  # PEP 3333: the answer is an error page for this exception
        return self.start_response(status, *args, **kwargs)


def environ_call(_: Any, environ: Any, *__: Any, **___: Any) -> EnvironCall:
    """The describer for an application object's ``__call__(self, environ, start_response)``."""
    return EnvironCall(environ)


serves(HTTP_SERVER)(environ_call)


@cython.cfunc
def _text(shown: Any) -> Any:
    # PEP 3333: bytes, shown as Latin-1
    return shown if shown.isascii() else shown.encode("latin-1", "replace").decode("utf-8", "replace")
